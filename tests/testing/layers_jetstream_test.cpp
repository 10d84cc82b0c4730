// SPDX-License-Identifier: Apache-2.0
// What routers, error handlers, filters and middlewares say of JetStream messages: in memory and on a nats-server.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/kv/deduplicate.hpp>
#include <freshet/middleware/circuit_breaker.hpp>
#include <freshet/middleware/compression.hpp>
#include <freshet/middleware/deduplicate.hpp>
#include <freshet/middleware/rate_limit.hpp>
#include <freshet/testing.hpp>

#include "../support/must.hpp"
#include "../support/types.hpp"
#include "both.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::Both;
using testing::TestBroker;

namespace {

const js::Stream stream{.name = "ORDERS", .subjects = {"orders.>"}};
const js::Stream dead{.name = "DEAD", .subjects = {"dead.>"}};

js::Pull pull(std::string durable, js::Retry retry = {}, std::optional<AckPolicy> policy = {}) {
    js::Pull options{.stream = stream, .durable = std::move(durable), .retry = std::move(retry)};
    options.ack_policy = policy;
    return options;
}

struct Invalid : std::runtime_error {
    using runtime_error::runtime_error;
};

struct Fixture : Both {
    js::ConsumerInfo consumer(const char* name) { return broker.jetstream().consumer("ORDERS", name).info(); }
    bool settled(const char* name) {
        return pass_until([&] {
            const auto info = consumer(name);
            return info.ack_pending == 0 && info.pending == 0;
        });
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "a router's ack policy is that of its JetStream subscribers that say none; the innermost counts") {
    std::atomic<int> calls[3] = {};
    Router outer{"orders."};
    Router inner{"inner."};
    outer.ack_policy(AckPolicy::ack);
    inner.ack_policy(AckPolicy::reject_on_error);
    const js::Retry retry{.max_attempts = 3, .backoff = {20ms}, .dead_letter = "dead.orders"};
    const auto fail = [&](std::size_t which) {
        return [&, which] {
            ++calls[which];
            throw Invalid{"?"};
        };
    };
    outer.subscriber<"a">(pull("outer", retry)).handle(fail(0));
    outer.subscriber<"b">(pull("own", retry, AckPolicy::nack_on_error)).handle(fail(1));
    inner.subscriber<"c">(pull("inner", retry)).handle(fail(2));
    outer.include(inner);
    broker.include(outer);
    start();
    auto jetstream = broker.jetstream();
    jetstream.declare(dead);
    for (const char* subject : {"orders.a", "orders.b", "orders.inner.c"}) jetstream.publish(subject, "");
    CHECK(pass_until([&] { return calls[0] == 1 && calls[1] == 3 && calls[2] == 1; }));
    CHECK(pass_until([&] { return jetstream.stream("DEAD").info().state.messages == 2; }));  // not of the first
    for (const char* name : {"outer", "own", "inner"}) CHECK(settled(name));
    CHECK(calls[0] == 1);
    CHECK(calls[1] == 3);
    CHECK(calls[2] == 1);
}

TEST_CASE_METHOD(Fixture, "an error that is handled with nack comes back later each time, and so often at most") {
    std::vector<TimePoint> times;
    broker.on_error<Invalid>([](const Invalid&) { return Outcome::nack(); });
    broker
        .subscriber<"orders.x">(
            pull("loop", {.max_attempts = 4, .backoff = {50ms, 100ms, 400ms}, .dead_letter = "dead.orders"}))
        .handle([&](Context& context) {
            times.push_back(context.clock().now());
            throw Invalid{"?"};
        });
    start();
    auto jetstream = broker.jetstream();
    jetstream.declare(dead);
    jetstream.publish("orders.x", "");
    CHECK(pass_until([&] { return jetstream.stream("DEAD").info().state.messages == 1; }, 10ms));
    CHECK(settled("loop"));
    REQUIRE(times.size() == 4);
    CHECK(times[1] - times[0] >= 35ms);  // delays are jittered
    CHECK(times[2] - times[1] >= 70ms);
    CHECK(times[3] - times[2] >= 280ms);
}

TEST_CASE_METHOD(Fixture, "an error that is dealt with is acknowledged, one that is refused is given up: each once") {
    std::atomic<int> calls = 0;
    broker.on_error<Invalid>([](const Invalid&) {}).on_error<std::logic_error>([](const std::logic_error&) {
        return Outcome::term("never");
    });
    broker.subscriber<"orders.dealt">(pull("dealt")).handle([&] {
        ++calls;
        throw Invalid{"?"};
    });
    broker.subscriber<"orders.refused">(pull("refused")).handle([&] {
        ++calls;
        throw std::logic_error{"?"};
    });
    start();
    broker.jetstream().publish("orders.dealt", "");
    broker.jetstream().publish("orders.refused", "");
    CHECK(pass_until([&] { return calls == 2; }));
    CHECK(settled("dealt"));
    CHECK(settled("refused"));
    if (!real()) pass_until([&, until = broker.stats().received + 1] { return broker.stats().received >= until; });
    CHECK(calls == 2);
}

TEST_CASE_METHOD(Fixture, "what no filter matches is settled: a dead letter, never delivered again") {
    broker.subscriber<"orders.x">(pull("strict", {.dead_letter = "dead.orders"}))
        .when(has_header("kind"), [] {})
        .handle();
    start();
    auto jetstream = broker.jetstream();
    jetstream.declare(dead);
    jetstream.publish("orders.x", "");
    CHECK(pass_until([&] { return jetstream.stream("DEAD").info().state.messages == 1; }));
    CHECK(settled("strict"));
    CHECK(broker.stats().received == 1);
}

TEST_CASE_METHOD(Fixture, "what is stored compressed is handled plain, and the dead letter is what was stored") {
    const Compression compression{{.min_size = 100}};
    broker.use(compression).use_publish(compression);
    const std::string text(10'000, 'x');
    std::atomic<std::size_t> handled = 0;
    broker.subscriber<"orders.x">(pull("plain", {.max_attempts = 1, .dead_letter = "dead.orders"}))
        .handle([&](std::string_view body) {
            handled = body == text ? body.size() : 0;
            throw Invalid{"?"};
        });
    start();
    auto jetstream = broker.jetstream();
    jetstream.declare(dead);
    jetstream.publish("orders.x", text);
    CHECK(pass_until([&] { return jetstream.stream("DEAD").info().state.messages == 1; }));
    CHECK(handled == text.size());
    for (const char* name : {"ORDERS", "DEAD"}) {
        auto stored = jetstream.stream(name).message(1).take_message();
        CHECK(stored.payload().size() < 100);
        CHECK(stored.header("content-encoding") == "zstd");
        CHECK(value_or_raise(compression.decompress(std::move(stored))).text() == text);
    }
}

TEST_CASE_METHOD(Fixture, "a batch is decompressed message by message; what does not decompress is given up alone") {
    const Compression compression{{.encoding = ContentEncoding::gzip, .min_size = 10}};
    broker.use(compression).use_publish(compression);
    std::vector<std::string> handled;
    auto options = pull("batch", {.dead_letter = "dead.orders"});
    options.batch = {.size = 4, .within = 50ms};
    broker.subscriber<"orders.x">(std::move(options)).handle([&](std::span<const std::string> batch, Context& context) {
        testing::must(context.items().size() == batch.size());
        handled.insert(handled.end(), batch.begin(), batch.end());
    });
    start();
    auto jetstream = broker.jetstream();
    jetstream.declare(dead);
    jetstream.publish("orders.x", std::string(50, 'a'));
    jetstream.publish("orders.x", std::string_view{"not gzip"}, {.headers = {{"content-encoding", "gzip"}}});
    jetstream.publish("orders.x", std::string_view{"plain"});
    jetstream.publish("orders.x", std::string(60, 'b'));
    CHECK(pass_until([&] { return jetstream.stream("DEAD").info().state.messages == 1; }));
    CHECK(settled("batch"));
    CHECK(handled == std::vector<std::string>{std::string(50, 'a'), "plain", std::string(60, 'b')});
}

namespace {

/// Two subscribers of one message, of which the first fails once, and how often each handled it.
struct Counts {
    std::atomic<int> billing = 0;
    std::atomic<int> audit = 0;
};
template <class Deduplicated>
void wire(Broker& broker, Counts& counts, const Deduplicated& deduplicate) {
    broker.use(deduplicate);
    broker.subscriber<"orders.x">(pull("billing", {.backoff = {20ms}})).handle([&] {
        if (++counts.billing == 1) throw Invalid{"the first time"};
    });
    broker.subscriber<"orders.x">(pull("audit")).handle([&] { ++counts.audit; });
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a duplicate in the stream is handled once by each subscriber, a failed one again") {
    Counts counts;
    wire(broker, counts, Deduplicate{{.header = "id"}});
    start();
    for (int i = 0; i < 2; ++i) broker.jetstream().publish("orders.x", "", {.headers = {{"id", "a"}}});
    CHECK(pass_until([&] { return counts.billing == 2 && counts.audit == 1; }));
    CHECK(settled("billing"));
    CHECK(settled("audit"));
    CHECK(counts.billing == 2);
    CHECK(counts.audit == 1);
}

TEST_CASE_METHOD(Fixture, "a JetStream message beyond a rate waits for its turn, and uses up no attempt") {
    std::vector<TimePoint> times;
    broker.subscriber<"orders.x">(pull("limited", {.max_attempts = 1, .dead_letter = "dead.orders"}))
        .use(RateLimit{{.messages = 20, .per = 1s, .burst = 1}})
        .handle([&](Context& context) { times.push_back(context.clock().now()); });
    start();
    for (int i = 0; i < 5; ++i) broker.jetstream().publish("orders.x", "");
    CHECK(settled("limited"));
    REQUIRE(times.size() == 5);
    CHECK(times[4] - times[0] >= 190ms);
    CHECK(broker.stats().failed == 0);
}

TEST_CASE_METHOD(Fixture, "while a circuit breaker is open JetStream messages wait; a stop gives them back") {
    std::atomic<int> calls = 0;
    broker.subscriber<"orders.x">(pull("breaker", {.max_attempts = 3, .backoff = {1ms}, .dead_letter = "dead.orders"}))
        .use(CircuitBreaker{{.failures = 2, .open_for = 200ms}})
        .handle([&] {
            if (++calls <= 2) throw Invalid{"down"};
        });
    broker.subscriber<"orders.y">(pull("stops")).use(RateLimit{{.messages = 1, .per = 1h}}).handle([&] { ++calls; });
    start();
    for (int i = 0; i < 3; ++i) broker.jetstream().publish("orders.x", "");
    CHECK(settled("breaker"));
    CHECK(calls == 5);
    CHECK(broker.stats().failed == 2);
    if (!real()) return;  // in memory the time of the wait would pass
    for (int i = 0; i < 2; ++i) broker.jetstream().publish("orders.y", "");
    CHECK(testing::eventually([&] { return calls == 6 && broker.stats().received == 7; }));
    CHECK(broker.stop());  // and not in an hour
    CHECK(calls == 6);
}
