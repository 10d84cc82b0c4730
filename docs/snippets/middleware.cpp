// SPDX-License-Identifier: Apache-2.0
// The code of docs/middleware.md, of docs/exceptions.md#handling-errors and of docs/handlers.md#filters.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/clock.hpp>
#include <freshet/freshet.hpp>
#include <freshet/middleware/circuit_breaker.hpp>
#include <freshet/middleware/deduplicate.hpp>
#include <freshet/middleware/rate_limit.hpp>
#include <freshet/middleware/timeout_warning.hpp>

#include "../../tests/support/wait.hpp"
#include "connected.hpp"
#include "orders.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;

struct Receipt {
    std::string order = {};
};
struct Problem {
    std::string text = {};
};
FRESHET_JSON(Receipt, order);
FRESHET_JSON(Problem, text);

// [class]
/// Counts failures. One object for all handlers, called from all their threads.
class FailureCount {
public:
    freshet::Outcome operator()(freshet::Context& context, freshet::Next next) {
        auto outcome = next(context);
        if (context.failure() != nullptr) ++count_;
        return outcome;
    }
    int count() const { return count_; }

private:
    std::atomic<int> count_ = 0;
};
// [class]

// [error-types]
struct Invalid : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct TooExpensive : Invalid {
    using Invalid::Invalid;
};
// [error-types]

namespace {

using Fixture = snippets::Connected;

}  // namespace

TEST_CASE_METHOD(Fixture, "around deliveries") {
    FailureCount failures;
    // [use]
    broker.use([](freshet::Context& context, freshet::Next next) {
        const auto begin = context.clock().now();
        auto outcome = next(context);
        const std::chrono::duration<double, std::milli> took = context.clock().now() - begin;
        context.logger().debug("handled in {} ms", took.count());
        return outcome;
    });
    broker.use(std::ref(failures));
    broker.subscriber<"orders.take">()
        .use([](freshet::Context& context, freshet::Next next) {
            if (!context.message().header("user")) return context.fail(freshet::RemoteError{401, "who are you?"});
            return next(context);
        })
        .handle([](const Order& order) { return Receipt{order.id}; });
    // [use]
    broker.start();
    CHECK(broker.try_request<Receipt>("orders.take", Order{"1"}).error().remote_code() == 401);
    CHECK(broker.request<Receipt>("orders.take", Order{"1"}, {.headers = {{"user", "ann"}}}).order == "1");
    CHECK(eventually([&] { return failures.count() == 1; }));
}

TEST_CASE_METHOD(Fixture, "around publications") {
    // [publish]
    broker.use_publish([](freshet::Outgoing& out, freshet::NextPublish next) {
        out.headers.set("version", "2");
        if (out.kind == freshet::Outgoing::Kind::reply) return next(out);
        const auto subject = "staging." + std::string{out.subject};
        out.subject = subject;  // lives until next has returned
        return next(out);
    });
    // [publish]
    auto received = broker.subscriber<"staging.orders">().messages();
    broker.start();
    broker.publish("orders", Order{"1"});
    const auto message = received.next(10s);
    REQUIRE(message);
    CHECK(message->header("version") == "2");
}

TEST_CASE_METHOD(Fixture, "on_error") {
    // [on-error]
    broker.on_error<Invalid>([](const Invalid& error, freshet::Logger& log) {
        log.warn("refused: {}", error.what());
        return Problem{error.what()};
    });
    broker.subscriber<"orders.check">()
        .on_error<TooExpensive>([](const TooExpensive&) { return freshet::Outcome::term("too expensive"); })
        .handle([](const Order& order) {
            if (order.id.empty()) throw Invalid{"an order needs an id"};
            if (order.amount > 1000) throw TooExpensive{"more than 1000"};
        });
    // [on-error]
    broker.start();
    CHECK(broker.request<Problem>("orders.check", Order{}).text == "an order needs an id");
    CHECK(broker.try_request<Problem>("orders.check", Order{"1", 2000}).error().remote_code() == 500);
}

TEST_CASE_METHOD(Fixture, "filters") {
    // [filters]
    broker.subscriber<"events">()
        .when(freshet::header_is("type", "order"), [](const Order& order) { return Receipt{order.id}; })
        .when(freshet::content_type_is("text/plain"), [](std::string_view text) { return Receipt{std::string{text}}; })
        .when([](const freshet::Message& message) { return message.payload().empty(); }, [] { return Receipt{"-"}; })
        .handle([](const freshet::Message&) { return Receipt{"something else"}; });
    // [filters]
    // [no-default]
    broker.subscriber<"only.orders">()
        .when(freshet::header_is("type", "order"), [](const Order& order) { return Receipt{order.id}; })
        .handle();
    // [no-default]
    broker.start();
    CHECK(broker.request<Receipt>("events", Order{"7"}, {.headers = {{"type", "order"}}}).order == "7");
    CHECK(broker.request<Receipt>("events", "").order == "-");
    CHECK(broker.request<Receipt>("events", "x").order == "something else");
    CHECK(broker.try_request<Receipt>("only.orders", "x").error().remote_code() == 400);
}

TEST_CASE_METHOD(Fixture, "ready ones") {
    // [ready]
    broker.use(freshet::TimeoutWarning{5s});
    broker.subscriber<"mails.send">()
        .use(freshet::Deduplicate{{.window = 10min}})
        .use(freshet::RateLimit{{.messages = 100, .per = 1s, .burst = 20}})
        .use(freshet::CircuitBreaker{{.failures = 5, .open_for = 30s}})
        .handle([](const Order& order) { return Receipt{order.id}; });
    // [ready]
    broker.start();
    CHECK(broker.request<Receipt>("mails.send", Order{"1"}, {.headers = {{"Nats-Msg-Id", "m1"}}}).order == "1");
}
