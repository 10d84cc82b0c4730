// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/must.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using testing::JetStreamFixture;

namespace {

const js::Stream imports{
    .name = "IMPORTS", .subjects = {"imports.>"}, .storage = js::Storage::memory, .allow_batched = true};

/// The tokens of a reply subject behind its inbox: flow, gap, number, step, $FI.
std::vector<std::string> tokens(const Message& message) {
    std::vector<std::string> all{""};
    for (const char c : message.reply_to()) {
        if (c == '.') all.emplace_back();
        else all.back() += c;
    }
    return {all.end() - 5, all.end()};
}

}  // namespace

TEST_CASE_METHOD(JetStreamFixture, "a fast batch stores all of its messages in order") {
    const auto js = started();
    js.declare(imports);
    constexpr std::uint64_t count = 5'000;
    auto batch = js.fast_batch();
    for (std::uint64_t i = 0; i < count; ++i) batch.add("imports.eu", std::to_string(i));
    CHECK(batch.size() == count);
    CHECK(batch.stored() > 0);
    const auto ack = batch.commit();
    CHECK(ack.stream == "IMPORTS");
    CHECK(ack.sequence == count);
    CHECK(js.stream("IMPORTS").info().state.messages == count);
    for (const auto sequence : {std::uint64_t{1}, std::uint64_t{1'000}, count})
        CHECK(js.stream("IMPORTS").message(sequence).text() == std::to_string(sequence - 1));
    CHECK_THROWS_AS(batch.add("imports.eu", std::string{"late"}), Error);
    CHECK(js.fast_batch().try_commit().error() == Errc::bad_setup);
}

TEST_CASE_METHOD(JetStreamFixture, "a fast batch says why a stream refuses it") {
    const auto js = started();
    js.declare({.name = "PLAIN", .subjects = {"plain"}, .storage = js::Storage::memory});
    auto refused = js.fast_batch();
    CHECK_FALSE(refused.try_add("plain", std::string{"x"}));
    CHECK(js.stream("PLAIN").info().state.messages == 0);
    auto nowhere = js.fast_batch({.timeout = 600ms});
    const auto added = nowhere.try_add("nobody.stores.this", std::string{"x"});
    REQUIRE_FALSE(added);
    CHECK((added.error() == Errc::no_stream || added.error() == Errc::timeout));
}

TEST_CASE_METHOD(JetStreamFixture, "the gaps of a fast batch are reported, and lost acknowledgements are asked for") {
    Broker server_like{{.servers = {server.url()}}};
    int lost = 0;
    server_like.subscriber<"imports.eu">().handle([&](const Message& message) {
        const auto reply = std::string{message.reply_to()};
        const auto answer = [&](const std::string& text) { server_like.publish(reply, text); };
        const auto parts = tokens(message);
        const auto number = parts.at(2);
        const auto step = parts.at(3);
        testing::must(parts.at(1) == "ok" && parts.at(4) == "$FI");
        if (step == "0") return answer(R"({"type":"ack","seq":1,"msgs":2})");
        if (step == "1" && number == "4") return answer(R"({"type":"gap","last_seq":2,"seq":4})");
        if (step == "1" && number == "6" && lost++ == 0) return;  // the acknowledgement is lost
        if (step == "4") return answer(R"({"type":"ack","seq":)" + number + R"(,"msgs":2})");
        if (step == "3") return answer(R"({"stream":"IMPORTS","seq":6,"batch":"b","count":6})");
        if (number != "6") answer(R"({"type":"ack","seq":)" + number + R"(,"msgs":2})");
    });
    server_like.start();
    const auto js = started();
    std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;
    auto batch = js.fast_batch({.on_gap = [&](const js::FastGap& gap) { gaps.emplace_back(gap.first, gap.last); },
                                .timeout = 3s});
    for (int i = 1; i <= 8; ++i) batch.add("imports.eu", std::to_string(i));
    CHECK(batch.commit().batched == 6);
    CHECK(gaps == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{2, 3}});
}
