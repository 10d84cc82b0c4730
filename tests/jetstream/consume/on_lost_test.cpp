// SPDX-License-Identifier: Apache-2.0
// Consumers, streams and buckets that somebody deletes for good: who is told, and what becomes of the program.
#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../support/jetstream.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::eventually;

namespace {

constexpr auto never = js::Declare::never;

/// A kind of subscriber that may not make anew what it reads from.
struct Kind {
    std::string name;
    std::function<void(Broker& broker, OnLost on_lost)> declare;
    std::string stream;    // what is deleted
    std::string consumer;  // empty: the stream
};

std::vector<Kind> kinds() {
    const auto ignore = [](const Message&) {};
    return {
        {"pull, consumer",
         [=](Broker& broker, OnLost on_lost) {
             broker
                 .subscriber<"orders.*">(js::Pull{
                     .stream = "ORDERS", .durable = "worker", .declare = never, .on_lost = on_lost})
                 .handle(ignore);
         },
         "ORDERS", "worker"},
        {"pull, stream",
         [=](Broker& broker, OnLost on_lost) {
             broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "own", .on_lost = on_lost})
                 .handle(ignore);
         },
         "ORDERS", ""},
        {"push, stream",
         [=](Broker& broker, OnLost on_lost) {
             broker
                 .subscriber<"orders.*">(js::Push{
                     .stream = "ORDERS", .durable = "own", .heartbeat = 100ms, .on_lost = on_lost})
                 .handle(ignore);
         },
         "ORDERS", ""},
        {"ordered",
         [=](Broker& broker, OnLost on_lost) {
             broker.subscriber<"orders.*">(js::Ordered{.stream = "ORDERS", .heartbeat = 100ms, .on_lost = on_lost})
                 .handle(ignore);
         },
         "ORDERS", ""},
        {"watch of a bucket",
         [=](Broker& broker, OnLost on_lost) {
             broker.subscriber(kv::Watch{.bucket = "flags", .options = {.declare = never}, .on_lost = on_lost})
                 .handle(ignore);
         },
         "KV_flags", ""},
        {"watch of an object store",
         [=](Broker& broker, OnLost on_lost) {
             broker.subscriber(obj::Watch{.bucket = "files", .options = {.declare = never}, .on_lost = on_lost})
                 .handle(ignore);
         },
         "OBJ_files", ""},
    };
}

void prepare(Broker& by) {
    by.jetstream().declare({.name = "ORDERS", .subjects = {"orders.*"}, .storage = js::Storage::memory});
    by.jetstream().consumer("ORDERS", "worker").declare({.filter_subjects = {"orders.*"}});
    by.kv<std::string>("flags", {.storage = js::Storage::memory}).put("a", "1");
    by.object_store("files", {.storage = js::Storage::memory}).put("a", "1");
}

void remove(Broker& by, const Kind& kind) {
    if (kind.consumer.empty()) by.jetstream().stream(kind.stream).remove();
    else by.jetstream().consumer(kind.stream, kind.consumer).remove();
}

}  // namespace

TEST_CASE("a source that is gone for good is told by health(), and comes back with what it reads") {
    const auto kind = GENERATE(Catch::Generators::from_range(kinds()));
    CAPTURE(kind.name);
    testing::NatsServer server{{.jetstream = true}};
    Broker owner{{.servers = {server.url()}}};
    owner.start();
    prepare(owner);
    Broker broker{{.servers = {server.url()}}};
    kind.declare(broker, OnLost::go_on);
    broker.start();
    CHECK(broker.health().well());
    remove(owner, kind);
    REQUIRE(eventually([&] { return !broker.health().lost.empty(); }));
    CHECK(broker.health().lost.front().reason == Condition::not_found);
    CHECK(broker.running());
    prepare(owner);
    CHECK(eventually([&] { return broker.health().well(); }));
}

TEST_CASE("with fail_fast the program ends with code 1 when a source is gone for good") {
    const auto kind = GENERATE(Catch::Generators::from_range(kinds()));
    CAPTURE(kind.name);
    testing::NatsServer server{{.jetstream = true}};
    Broker owner{{.servers = {server.url()}}};
    owner.start();
    prepare(owner);
    Broker broker{{.servers = {server.url()}}};
    kind.declare(broker, OnLost::fail_fast);
    App app{broker};
    app.after_startup([&] { remove(owner, kind); });
    CHECK(app.run() == 1);
    CHECK_THAT(broker.health().reason, ContainsSubstring("is lost: "));
}

TEST_CASE("with fail_fast a consumer that freshet may make anew ends nothing, nor does a server that is away") {
    testing::NatsServer server{{.jetstream = true}};
    Broker owner{{.servers = {server.url()}, .reconnect = {.max_wait = 100ms}}};
    owner.start();
    owner.jetstream().declare({.name = "ORDERS", .subjects = {"orders.*"}});
    Broker broker{{.servers = {server.url()}, .reconnect = {.max_wait = 100ms}}};
    std::atomic<int> handled = 0;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .on_lost = OnLost::fail_fast})
        .handle([&](const Message&) { ++handled; });
    broker.start();
    owner.jetstream().consumer("ORDERS", "worker").remove();
    owner.publish("orders.1", "x");
    CHECK(eventually([&] { return handled == 1; }));
    server.restart();
    REQUIRE(eventually([&] { return owner.health().well(); }));
    owner.publish("orders.2", "x");
    CHECK(eventually([&] { return handled == 2; }));
    CHECK(eventually([&] { return broker.health().well(); }));
}

TEST_CASE("a pull subscriber that may not ask any more is told by health()") {
    const auto rights = [](const std::string& deny) {
        return testing::ServerOptions{.config = "authorization { users: [ { user: root, password: pw }, { user: bob, "
                                                "password: pw, permissions: { publish: { allow: \">\"" +
                                                deny + " } } } ] }",
                                      .jetstream = true};
    };
    testing::NatsServer server{rights("")};
    Broker owner{{.servers = {server.url()}, .credentials = UserPassword{"root", "pw"}}};
    owner.start();
    owner.jetstream().declare({.name = "ORDERS", .subjects = {"orders.*"}, .storage = js::Storage::memory});
    Broker broker{{.servers = {server.url()}, .credentials = UserPassword{"bob", "pw"}}};
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .prefetch = 1})
        .handle([](const Message&) {});
    broker.start();
    server.reload(rights(", deny: \"$JS.API.CONSUMER.MSG.NEXT.>\""));
    owner.publish("orders.1", "x");  // so that it asks for the next one
    REQUIRE(eventually([&] { return !broker.health().lost.empty(); }));
    CHECK_THAT(broker.health().problems().back(), ContainsSubstring("$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker"));
}

TEST_CASE("in memory a consumer that is gone for good ends the program, too") {
    testing::MemoryServer server;
    Broker owner;
    const testing::TestBroker owning{owner, server};
    owner.jetstream().declare({.name = "ORDERS", .subjects = {"orders.*"}});
    Broker broker;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .on_lost = OnLost::fail_fast})
        .handle([](const Message&) {});
    testing::TestBroker test{broker, server};
    CHECK(broker.running());
    owner.jetstream().stream("ORDERS").remove();
    test.advance(1min);
    CHECK_FALSE(broker.running());
    CHECK_THAT(broker.health().reason, ContainsSubstring("is lost: "));
}
