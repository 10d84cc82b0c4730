// SPDX-License-Identifier: Apache-2.0
// The code of docs/exceptions.md.
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"
#include "orders.hpp"
#include "plain_log.hpp"
#include "support.hpp"

using freshet::testing::eventually;
using freshet::testing::NatsServer;
using snippets::shown;

// [types]
struct NotFound : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct OutOfStock : std::runtime_error {
    explicit OutOfStock(int left_over) : std::runtime_error{"sold out"}, left{left_over} {}
    int left;
};
struct Problem {  // the body of an error
    std::string item = {};
    int left = 0;
};
FRESHET_JSON(Problem, item, left);
// [types]

struct Receipt {
    std::string order_id = {};
};
FRESHET_JSON(Receipt, order_id);

namespace {

struct Fixture : snippets::PlainLog {
    NatsServer server = NatsServer{};
    freshet::Broker broker{{.servers = {server.url()}, .logger = plain}};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "one line for an exception") {
    // [code]
    broker.on_error<NotFound>(404);
    broker.subscriber<"orders.get.{id}">().handle([](freshet::Path<"id"> id) -> Order {
        throw NotFound{"there is no order " + std::string{*id}};
    });
    // [code]
    broker.start();
    const auto refused = broker.try_request<Order>("orders.get.a7", "", {.headers = {{"correlation_id", "c-1"}}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remote_code() == 404);
    CHECK(refused.error().remote_description() == "there is no order a7");
    CHECK(broker.stop());
    CHECK(broker.stats().declined == 1);
    CHECK(broker.stats().failed == 0);
    INFO(written.str());
    CHECK(logged(R"(
// [declined]
info: answered 404: NotFound: there is no order a7 handler=orders.get.{id} subject=orders.get.a7 correlation_id=c-1
// [declined]
)"));
}

TEST_CASE_METHOD(Fixture, "an answer with a body, and a caller that reads it") {
    // [body]
    broker.on_error<OutOfStock>([](const OutOfStock& error, const Order& order) {
        return freshet::RemoteError{409, "sold out", Problem{.item = order.id, .left = error.left}};
    });
    broker.subscriber<"orders.buy">().handle([](const Order& order) -> Receipt {
        if (order.amount > 3) throw OutOfStock{3};
        return {order.id};
    });
    // [body]
    broker.start();
    std::string said;
    // [read]
    auto buy = broker.client<Receipt(const Order&)>("orders.buy");
    try {
        said = buy({.id = "tea", .amount = 5}).order_id;
    } catch (const freshet::RemoteError& error) {
        if (error.remote_code() != 409) throw;
        const auto problem = error.body<Problem>();
        said = "only " + std::to_string(problem.left) + " of " + problem.item + " are left";
    }
    // [read]
    CHECK(said == "only 3 of tea are left");
    const auto refused = buy.try_call({.id = "tea", .amount = 5});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().body<Problem>().left == 3);
}

TEST_CASE_METHOD(Fixture, "what nobody mapped") {
    broker.subscriber<"orders.save">().handle([](const Order&) -> Receipt {
        throw std::runtime_error{"the disk is full"};
    });
    broker.start();
    const auto failed =
        broker.try_request<Receipt>("orders.save", Order{"a7", 10}, {.headers = {{"correlation_id", "c-1"}}});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().remote_code() == 500);
    CHECK(failed.error().message() == shown(R"(
// [internal]
"orders.save" answered with error 500: internal error; correlation id c-1
// [internal]
)"));
    CHECK(broker.stop());
    INFO(written.str());
    CHECK(logged(R"(
// [failed]
error: handler failed: std::runtime_error: the disk is full; answered 500 subject=orders.save correlation_id=c-1
// [failed]
)"));
}

TEST_CASE_METHOD(Fixture, "counts by code") {
    broker.subscriber<"orders.check">().handle([](const Order& order) -> Receipt {
        if (order.amount < 0) throw freshet::RemoteError{422, "the amount is negative"};
        return {order.id};
    });
    broker.start();
    std::ignore = broker.try_request<Receipt>("orders.check", Order{"a1", -1});
    std::ignore = broker.try_request<Receipt>("orders.check", Order{"a1", -1});
    std::ignore = broker.try_request<Receipt>("orders.check", "{}");
    REQUIRE(eventually([&] { return broker.stats().received == 3; }));
    std::string text;
    // [counts]
    for (const auto& [code, count] : broker.stats().errors)
        text += std::to_string(code) + ": " + std::to_string(count) + "\n";
    // [counts]
    CHECK(text == "400: 1\n422: 2\n");
}
