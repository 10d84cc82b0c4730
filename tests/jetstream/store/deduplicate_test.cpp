// SPDX-License-Identifier: Apache-2.0
// kv::Deduplicate over a real server: what processes share, what becomes of failures and of processes that end.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/kv/deduplicate.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;

namespace {

RequestOptions with_id(std::string_view id) { return {.headers = {{"Nats-Msg-Id", id}}}; }

struct Fixture : testing::JetStreamFixture {
    Broker second{{.servers = {server.url()}, .name = "another process"}};
    std::atomic<int> handled = 0;

    int code(Broker& of, const RequestOptions& options) {
        const auto answer = of.try_request<int>("x", "", options);
        return answer ? 0 : answer.error().remote_code();
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "what one process handled, another does not; each subscriber counts for itself") {
    for (auto* one : {&broker, &second}) {
        one->use(kv::Deduplicate{*one, "handled"});
        one->subscriber<"x">({.queue = "service"}).handle([&] { return ++handled; });
        one->subscriber<"x">({.queue = "other"}).handle([&] { ++handled; });
        one->start();
    }
    Broker caller{{.servers = {server.url()}}};
    caller.start();
    CHECK(code(caller, with_id("a")) == 0);
    for (int i = 0; i < 6; ++i) CHECK(code(caller, with_id("a")) == 409);
    CHECK(eventually([&] { return handled == 2; }));
    CHECK(code(caller, with_id("b b.*>")) == 0);  // any text is an id
    CHECK(code(caller, {}) == 0);
    CHECK(eventually([&] { return handled == 6; }));
    const auto status = broker.kv<std::string>("handled").status();
    CHECK(status.values == 4);
    CHECK(status.ttl == 2min);
}

TEST_CASE_METHOD(Fixture, "what failed is handled again") {
    broker.use(kv::Deduplicate{broker, "handled"});
    broker.subscriber<"x">().handle([&] {
        if (++handled < 3) throw RemoteError{500 + handled, "not yet"};
        return handled.load();
    });
    broker.start();
    CHECK(code(broker, with_id("a")) == 501);
    CHECK(code(broker, with_id("a")) == 502);
    CHECK(code(broker, with_id("a")) == 0);
    CHECK(code(broker, with_id("a")) == 409);
}

TEST_CASE_METHOD(Fixture, "a message that is being handled is not handled by another meanwhile") {
    broker.use(kv::Deduplicate{broker, "handled"});
    std::atomic<bool> go = false;
    broker.subscriber<"x">({.workers = 2}).handle([&] {
        eventually([&] { return go.load(); });
        return ++handled;
    });
    broker.start();
    auto first = broker.client<int(const std::string&)>("x", with_id("a")).async("");
    const auto claims = broker.jetstream().stream("KV_handled");
    CHECK(eventually([&] {
        const auto info = claims.try_info();
        return info && info->state.messages == 1;
    }));
    CHECK(code(broker, with_id("a")) == 409);
    go = true;
    CHECK(first.get() == 1);
}

TEST_CASE_METHOD(Fixture, "the claim of a process that ended ends, and the message is handled then") {
    started().declare({.name = "ORDERS", .subjects = {"orders"}});
    second.use(kv::Deduplicate{second, "handled", {.claim = 1s}});
    second.subscriber<"orders">(js::Pull{.stream = "ORDERS", .durable = "billing"}).handle([&] { ++handled; });
    // As if a process had claimed the message and then ended: it claims by the same key.
    std::string key;
    {
        std::atomic<bool> begun = false;
        std::atomic<bool> over = false;
        Broker ended{{.servers = {server.url()}}};
        ended.use(kv::Deduplicate{ended, "handled", {.claim = 1s}});
        ended.subscriber<"orders">(js::Pull{.stream = "ORDERS", .durable = "billing"}).handle([&](Context& context) {
            const auto keys = context.broker().kv<std::string>("handled").keys();
            key = keys.at(0);
            begun = true;
            eventually([&] { return over.load(); });
            return Outcome::nack();
        });
        ended.start();
        broker.jetstream().publish("orders", "", {.id = "a"});
        REQUIRE(eventually([&] { return begun.load(); }));
        over = true;
    }
    auto bucket = broker.kv<std::string>("handled", {.limit_markers = 1s});
    CHECK(eventually([&] { return !bucket.get(key); }));
    bucket.create(key, "claimed", {.ttl = 3s});  // longer than the message takes to come again
    second.start();
    CHECK(eventually([&] { return second.stats().declined >= 1; }));
    CHECK(eventually([&] { return handled == 1; }, 20s));
    CHECK(eventually([&] {
        const auto entry = bucket.get(key);
        return entry && entry->value == "handled";
    }));
}

TEST_CASE_METHOD(Fixture, "without its bucket a message fails instead of being handled twice") {
    CHECK_THROWS_AS((kv::Deduplicate{broker, "no name!"}), Error);
    CHECK_THROWS_AS((kv::Deduplicate{broker, "handled", {.claim = 10ms}}), Error);
    testing::NatsServer plain;  // without JetStream
    Broker other{{.servers = {plain.url()}}};
    other.use(kv::Deduplicate{other, "handled"});
    other.subscriber<"x">().handle([&] { return ++handled; });
    other.start();
    CHECK_FALSE(other.try_request<int>("x", "", with_id("a")));
    CHECK(other.request<int>("x", "") == 1);
}
