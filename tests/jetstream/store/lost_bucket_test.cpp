// SPDX-License-Identifier: Apache-2.0
// Callbacks run on the thread that brings all answers: nothing may wait for an answer there.
#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using testing::JetStreamFixture;

namespace {

using Found = Expected<std::optional<kv::Entry<std::string>>>;
constexpr js::ContextOptions patient{.timeout = 3s};

}  // namespace

TEST_CASE_METHOD(JetStreamFixture, "a callback asks and writes a bucket that the server has just lost") {
    broker.start();
    const auto flags = broker.kv<std::string>("flags", {.storage = js::Storage::memory, .context = patient});
    broker.jetstream().stream("KV_flags").remove();

    std::promise<Found> lost;
    std::promise<Found> found;
    std::promise<Expected<std::uint64_t>> first;
    std::promise<Expected<std::uint64_t>> second;
    flags.get_async("a", [&](Found entry) {
        flags.put_async("a", "1", [&](auto revision) { first.set_value(revision); });
        flags.put_async("a", "2", [&](auto revision) { second.set_value(revision); });
        flags.get_async("b", [&](Found other) { found.set_value(std::move(other)); });
        lost.set_value(std::move(entry));
    });
    CHECK_FALSE(lost.get_future().get());
    const auto other = found.get_future().get();
    INFO((other ? "" : other.error().what()));
    REQUIRE(other);
    CHECK_FALSE(*other);
    CHECK(first.get_future().get() == 1U);
    CHECK(second.get_future().get() == 2U);
    CHECK(flags.get("a")->value == "2");
}

TEST_CASE_METHOD(JetStreamFixture, "a call that waits for a lost bucket does not stand in the way of answers") {
    broker.start();
    const auto flags = broker.kv<std::string>("flags", {.storage = js::Storage::memory, .context = patient});
    for (int round = 0; round < 10; ++round) {
        broker.jetstream().stream("KV_flags").remove();
        std::atomic<int> answered = 0;
        for (int i = 0; i < 100; ++i) flags.get_async("a", [&](const Found&) { ++answered; });
        const auto found = flags.try_get("a");
        INFO(round << ' ' << (found ? "" : found.error().what()));
        REQUIRE(found);
        REQUIRE(testing::eventually([&] { return answered == 100; }));
    }
}

TEST_CASE_METHOD(JetStreamFixture,
                 "a publication in a callback whose option needs a version does not stop the answers") {
    const auto js = started();
    js.declare({.name = "S", .subjects = {"s"}, .storage = js::Storage::memory});
    auto publisher = js.async_publisher();
    std::promise<void> reached;
    std::promise<Expected<js::PublishAck>> stored;
    publisher.publish("s", "a", {}, [&](const Expected<js::PublishAck>&) {
        reached.set_value();
        publisher.publish("s", "b", {.expect_last_subject_sequence = 1, .expect_last_subject = "s"},
                          [&](Expected<js::PublishAck> ack) { stored.set_value(ack); });
    });
    reached.get_future().get();
    CHECK(broker.jetstream({.timeout = 2s}).try_stream_names());
    const auto ack = stored.get_future().get();
    REQUIRE(ack);
    CHECK(ack->sequence == 2);
}

TEST_CASE_METHOD(JetStreamFixture, "a server that did not answer once is asked again what it is able to") {
    std::atomic<int> asked = 0;
    Broker other{{.servers = {server.url()}}};
    other.subscriber("fake.INFO", {.no_reply = true}).handle([&](const Message& question) {
        if (++asked > 1) other.publish(question.reply_to(), R"({"api":{"level":0}})");
    });
    other.start();
    broker.start();
    const auto js = broker.jetstream({.prefix = "fake", .timeout = 300ms});
    CHECK(js.try_publish("nobody", "x", {.ttl = 1h, .retries = 0}).error().code() == Errc::no_stream);
    CHECK(testing::eventually([&] {
        return js.try_publish("nobody", "x", {.ttl = 1h, .retries = 0}).error().code() == Errc::server_too_old;
    }));
}
