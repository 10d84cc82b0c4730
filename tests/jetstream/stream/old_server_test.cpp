// SPDX-License-Identifier: Apache-2.0
// An old nats-server: what it has works, and what it has not is an error that names the version.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/process.hpp"
#include "../../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::eventually;

namespace {

/// $FRESHET_OLD_NATS_SERVER, and the one that ./dev unpacks.
std::vector<std::string> old_programs() {
    std::vector<std::string> programs;
    if (const char* const program = std::getenv("FRESHET_OLD_NATS_SERVER")) programs.emplace_back(program);
    const std::string unpacked = "/opt/nats-server-old/usr/sbin/nats-server";
    if (std::filesystem::exists(unpacked)) programs.push_back(unpacked);
    if (programs.empty())
        SKIP("there is none: FRESHET_OLD_NATS_SERVER is the path of a nats-server 2.9 or 2.10, such as Debian's");
    return programs;
}

/// Each test runs once for each old server.
struct OldServer {
    std::string program = GENERATE(from_range(old_programs()));
    testing::NatsServer server = testing::NatsServer{{.jetstream = true, .program = program}};
    Broker broker{{.servers = {server.url()}}};

    js::JetStream started() {
        broker.start();
        return broker.jetstream();
    }
    /// Whether it is as new as version "2.N".
    bool knows(std::string_view version) const { return minor_of(version) <= minor_of(version_); }

private:
    static int minor_of(std::string_view version) {
        return std::stoi(std::string{version.substr(version.find("2.") + 2)});
    }
    static std::string version_of(const std::string& program) {
        testing::Process process{{program, "--version"}, {}};
        REQUIRE(process.wait() == 0);
        return process.output();
    }
    std::string version_ = version_of(program);
};

template <class T>
bool too_old(const Expected<T>& result) {
    return !result && result.error().code() == Errc::server_too_old;
}

struct Needs {
    std::string_view version;
    std::string_view setting;
    js::Stream stream;
};

}  // namespace

TEST_CASE_METHOD(OldServer, "old server: streams, publishing, reading") {
    const auto js = started();
    const js::Stream stream{.name = "ORDERS",
                            .subjects = {"orders.>"},
                            .storage = js::Storage::memory,
                            .max_age = 1h,
                            .compression = js::Compression::none,
                            .allow_direct = true,
                            .allow_atomic = false,
                            .declare = js::Declare::verify};
    js.declare(stream);
    CHECK(js.differences(stream).empty());
    CHECK(js.declare({.name = "ORDERS", .max_age = 2h, .declare = js::Declare::reconcile}).config.max_age == 2h);
    CHECK(js.publish("orders.eu", Order{"a", 1}, {.id = "a"}).sequence == 1);
    CHECK(js.publish("orders.eu", Order{"a", 1}, {.id = "a"}).duplicate);
    CHECK(js.try_publish("orders.eu", Order{}, {.expect_last_sequence = 7}).error().code() ==
          Errc::wrong_last_sequence);
    auto publisher = js.async_publisher();
    for (int i = 0; i < 1'000; ++i) publisher.publish("orders.us", Order{"b", 2});
    publisher.flush(30s);
    const auto orders = js.stream("ORDERS");
    CHECK(orders.info({.subjects = ">"}).state.subjects.at("orders.us") == 1'000);
    for (const auto read : {js::Read::leader, js::Read::direct}) {
        CHECK(orders.message(1, read).decode<Order>().id == "a");
        CHECK(orders.last_message("orders.us", read).sequence() == 1'001);
        CHECK(orders.message(1, read).time().time_since_epoch() > 0s);
    }
    CHECK(orders.purge({.keep = 1}) == 1'000);
}

TEST_CASE_METHOD(OldServer,
                 "old server: what it does not know is named with its version, and no stream is left behind") {
    const auto js = started();
    js.declare({.name = "ORIGIN", .subjects = {"origin.>"}});
    const js::StreamSource moved{.name = "ORIGIN", .transforms = {{.source = "origin.>", .destination = "moved.>"}}};
    const js::StreamSource sent{.name = "ORIGIN", .consumer = js::SourceConsumer{.name = "c", .deliver_subject = "d"}};
    const Needs all[] = {
        {"2.10", "compression", {.name = "A", .subjects = {"a"}, .compression = js::Compression::s2}},
        {"2.10", "metadata", {.name = "A", .subjects = {"a"}, .metadata = {{"k", "v"}}}},
        {"2.10", "first_seq", {.name = "A", .subjects = {"a"}, .first_seq = 5}},
        {"2.10", "subject_transform", {.name = "A", .subjects = {"a"}, .transform = js::SubjectTransform{"a", "b"}}},
        {"2.11", "allow_msg_ttl", {.name = "A", .subjects = {"a"}, .allow_msg_ttl = true}},
        {"2.12", "allow_atomic", {.name = "A", .subjects = {"a"}, .allow_atomic = true}},
        {"2.14", "allow_batched", {.name = "A", .subjects = {"a"}, .allow_batched = true}},
        {"2.10", "sources.subject_transforms", {.name = "A", .sources = {moved}}},
        {"2.10", "mirror.subject_transforms", {.name = "A", .mirror = moved}},
        {"2.14", "sources.consumer", {.name = "A", .sources = {sent}}},
        {"2.14", "mirror.consumer", {.name = "A", .mirror = sent}},
    };
    for (const auto& [version, setting, stream] : all) {
        if (knows(version)) continue;
        const auto declared = js.try_declare(stream);
        REQUIRE_FALSE(declared);
        INFO(declared.error().message());
        CHECK(declared.error().code() == Errc::server_too_old);
        CHECK_THAT(std::string{declared.error().message()},
                   ContainsSubstring(std::string{version}) && ContainsSubstring(std::string{setting}));
        CHECK(js.stream(stream.name).try_info().error().code() == Errc::stream_not_found);
    }

    js.declare({.name = "ORDERS", .subjects = {"orders"}, .allow_direct = true});
    CHECK(too_old(js.try_publish("orders", Order{}, {.ttl = 5s})));
    CHECK(too_old(js.try_publish("orders", Order{}, {.schedule = js::Schedule{.every = 5s, .target = "orders"}})));
    CHECK(too_old(js.try_increment("orders")));
    CHECK(too_old(js.atomic_batch().try_add("orders", Order{})));
    CHECK(too_old(js.async_publisher().try_publish("orders", Order{}, {.ttl = 5s})));
    CHECK(too_old(js.stream("ORDERS").try_messages()));
    CHECK(js.stream("ORDERS").info().state.messages == 0);
}

TEST_CASE_METHOD(OldServer, "old server: a pull subscriber retries, and its dead letters are kept") {
    std::mutex mutex;
    std::vector<std::string> handled;
    const auto count = [&](std::string_view what) {
        const std::lock_guard lock{mutex};
        return std::ranges::count(handled, what);
    };
    broker
        .subscriber<"orders.{region}">(js::Pull{
            .stream = js::Stream{.name = "ORDERS", .subjects = {"orders.*"}},
            .durable = "billing",
            .retry = {.max_attempts = 2, .backoff = {10ms}, .dead_letter = "dead.orders"}})
        .handle([&](const Order& order) {
            const std::lock_guard lock{mutex};
            handled.push_back(order.id);
            if (order.id == "bad") throw std::runtime_error{"no"};
        });
    const auto js = started();
    js.declare({.name = "DEAD", .subjects = {"dead.>"}});
    js.publish("orders.eu", Order{"good", 1});
    js.publish("orders.eu", Order{"bad", 1});
    CHECK(eventually([&] { return js.stream("DEAD").info().state.messages == 1; }));
    CHECK(count("good") == 1);
    CHECK(count("bad") == 2);
    CHECK(js.stream("DEAD").message(1, js::Read::leader).message().header("Dead-Letter-Deliveries") == "2");

    const auto several =
        js.consumer("ORDERS", "several")
            .try_declare({.filter_subjects = {"orders.a", "orders.b"}}, js::Declare::create_if_missing);
    CHECK(several.has_value() == knows("2.10"));
    CHECK(too_old(several) == !knows("2.10"));
    CHECK(too_old(js.consumer("ORDERS", "billing").try_pause(std::chrono::system_clock::now() + 1h)));
}

TEST_CASE_METHOD(OldServer, "old server: push and ordered subscribers read a stream") {
    std::atomic<int> pushed = 0;
    std::atomic<int> ordered = 0;
    const js::Stream stream{.name = "ORDERS", .subjects = {"orders.*"}};
    broker.subscriber<"orders.*">(js::Push{.stream = stream, .durable = "pushed"}).handle([&](const Order&) {
        ++pushed;
    });
    broker.subscriber<"orders.*">(js::Ordered{.stream = stream}).handle([&](const Order&) { ++ordered; });
    const auto js = started();
    for (int i = 0; i < 100; ++i) js.publish("orders.eu", Order{"a", 1});
    CHECK(eventually([&] { return pushed == 100 && ordered == 100; }));
}

TEST_CASE_METHOD(OldServer, "old server: key-value and objects") {
    std::atomic<int> changes = 0;
    broker.subscriber<"lamps.{name}">(kv::Watch{.bucket = "flags"}).handle([&](const kv::Entry<int>&) { ++changes; });
    broker.start();
    auto flags = broker.kv<int>("flags", {.history = 3, .declare = js::Declare::reconcile});
    const auto revision = flags.put("lamps.a", 1);
    CHECK(flags.update("lamps.a", 2, revision) > revision);
    CHECK(flags.try_update("lamps.a", 3, revision).error().code() == Condition::wrong_revision);
    CHECK(flags.get("lamps.a")->value == 2);
    CHECK(flags.history("lamps.a").size() == 2);
    flags.put("lamps.b", 1);
    flags.erase("lamps.b");
    CHECK_FALSE(flags.get("lamps.b"));
    CHECK(flags.keys() == std::vector<std::string>{"lamps.a"});
    CHECK(eventually([&] { return changes >= 3; }));
    CHECK_THROWS_WITH(broker.kv<int>("aging", {.limit_markers = 5s}), ContainsSubstring("needs nats-server 2.11"));

    auto files = broker.object_store("files");
    const std::string bytes(300'000, 'x');
    files.put("big", bytes);
    CHECK(files.get("big") == bytes);
    CHECK(files.list().size() == 1);
    files.erase("big");
    CHECK_FALSE(files.info("big"));
}

TEST_CASE_METHOD(OldServer, "old server: an ordered subscriber with several filters does not read everything") {
    broker
        .subscriber<">">(js::Ordered{.stream = js::Stream{.name = "ORDERS", .subjects = {"orders.*"}},
                                     .filter_subjects = {"orders.a", "orders.b"}})
        .handle([](const Order&) {});
    if (knows("2.10")) return broker.start();
    CHECK_THROWS_WITH(broker.start(),
                      ContainsSubstring("filter_subjects") && ContainsSubstring("needs nats-server 2.10"));
}
