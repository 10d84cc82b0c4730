// SPDX-License-Identifier: Apache-2.0
// The code of docs/errors.md.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"
#include "connected.hpp"
#include "orders.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;
using freshet::testing::NatsServer;
using snippets::message_of;
using snippets::shown;

namespace {

struct Fixture : snippets::Connected {
    Order order = {"a1", 10};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "exceptions by condition") {
    std::string said;
    broker.start();
    // [catch]
    try {
        auto invoice = broker.request<Invoice>("invoices.make", order);
        said = invoice.order_id;
    } catch (const freshet::RemoteError& error) {  // the service answered with an error
        said = std::to_string(error.remote_code()) + ": " + std::string{error.remote_description()};
    } catch (const freshet::Error& error) {
        if (error.code() == freshet::Condition::no_responders) said = "no billing service runs";
        else if (error.code() == freshet::Condition::timeout) said = "it is busy";
        else throw;
    }
    // [catch]
    CHECK(said == "no billing service runs");
}

TEST_CASE_METHOD(Fixture, "errors as values") {
    broker.start();
    // [try]
    freshet::Expected<Invoice> invoice = broker.try_request<Invoice>("invoices.make", order);
    if (!invoice) broker.logger().warn("no invoice: {}", invoice.error().what());
    // [try]
    REQUIRE_FALSE(invoice);
    CHECK(invoice.error().code() == freshet::Errc::no_responders);
    CHECK_THROWS_AS(freshet::value_or_raise(std::move(invoice)), freshet::Error);
}

TEST_CASE_METHOD(Fixture, "a handler chooses what its caller gets") {
    // [answer]
    broker.subscriber<"orders.get.{id}">().handle([](freshet::Path<"id"> id) -> Order {
        if (*id != "a1") throw freshet::RemoteError{404, "no such order"};
        return {.id = "a1", .amount = 10};
    });
    broker.subscriber<"orders.try.{id}">().handle([](freshet::Path<"id"> id) -> freshet::Expected<Order> {
        if (*id != "a1") return std::unexpected{freshet::RemoteError{404, "no such order"}};
        return Order{.id = "a1", .amount = 10};
    });
    // [answer]
    broker.start();
    for (const std::string subject : {"orders.get.a2", "orders.try.a2"}) {
        const auto refused = broker.try_request<Order>(subject, "");
        REQUIRE_FALSE(refused);
        CHECK(refused.error().remote_code() == 404);
        CHECK(refused.error().message() == "\"" + subject + "\" answered with error 404: no such order");
    }
    auto copies = broker.subscriber("copies").messages();
    broker.publish("orders.get.a2", "", {.reply_to = "copies"});
    const auto copy = copies.next(20s);
    REQUIRE(copy);
    CHECK(copy->payload().empty());
    CHECK(copy->header("Nats-Service-Error") == "no such order");
    CHECK(copy->header("Nats-Service-Error-Code") == "404");
}

TEST_CASE_METHOD(Fixture, "what becomes of a handler's failure") {
    broker.subscriber<"fails.body">().handle([](const Order& body) { return body; });
    broker.subscriber<"fails.std">().handle([](const Order&) -> Order {
        throw std::runtime_error{"the disk is full"};
    });
    broker.subscriber<"fails.other">().handle([](const Order&) -> Order { throw 42; });
    broker.subscriber<"fails.large">().handle([](const Order&, freshet::Broker& self) {
        return std::string(self.server().max_payload + 1, 'x');
    });
    broker.subscriber<"fails.void">().handle([](const Order&) { throw std::runtime_error{"the disk is full"}; });
    broker.start();
    const auto answer = [&](const char* subject, const auto& body) {
        const auto reply = broker.try_request<void>(subject, body, {.headers = {{"correlation_id", "c-1"}}});
        return reply ? std::string{"an answer"} : std::string{reply.error().message()};
    };
    CHECK(answer("fails.body", "{}") == R"("fails.body" answered with error 400: id: missing)");
    CHECK(answer("fails.std", order) == R"("fails.std" answered with error 500: internal error; correlation id c-1)");
    CHECK(answer("fails.other", order) ==
          R"("fails.other" answered with error 500: internal error; correlation id c-1)");
    CHECK(answer("fails.large", order).starts_with(R"("fails.large" answered with error 500: )"));
    CHECK(answer("fails.void", order) == R"("fails.void" answered with error 500: internal error; correlation id c-1)");

    broker.publish("fails.body", "{}");
    broker.publish("fails.std", order);
    REQUIRE(eventually([&] { return broker.stats().received == 7; }));
    CHECK(broker.stop());
    CHECK(broker.stats().rejected == 2);
    CHECK(broker.stats().failed == 5);
}

TEST_CASE_METHOD(Fixture, "a remote error that a handler does not catch goes on to its caller") {
    broker.subscriber<"stock">({.dedicated = true}).handle([](const Order&) -> Order {
        throw freshet::RemoteError{409, "sold out"};
    });
    broker.subscriber<"buy">({.dedicated = true}).handle([](const Order& wanted, freshet::Broker& self) {
        return self.request<Order>("stock", wanted);
    });
    broker.start();
    const auto refused = broker.try_request<Order>("buy", order);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remote_code() == 409);
    CHECK(refused.error().message() == R"("buy" answered with error 409: sold out)");
}

TEST_CASE("connection events") {
    NatsServer server;
    std::atomic<int> disconnected = 0;
    std::atomic<int> reconnected = 0;
    // [events]
    freshet::Broker broker{{.servers = {server.url()}, .on_event = [&](const freshet::ConnectionEvent& event) {
                                using Kind = freshet::ConnectionEvent::Kind;
                                if (event.kind == Kind::disconnected) ++disconnected;
                                if (event.kind == Kind::reconnected) ++reconnected;
                            }}};
    // [events]
    broker.start();
    server.restart();
    CHECK(eventually([&] { return disconnected > 0 && reconnected > 0; }));
}
