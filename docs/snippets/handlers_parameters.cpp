// SPDX-License-Identifier: Apache-2.0
// The code of docs/handlers.md: what a handler may take, and what start() says of mistakes.
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "connected.hpp"
#include "orders.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using snippets::message_of;
using snippets::shown;

// [from-text]
enum class Color { red, green };

template <>
struct freshet::FromText<Color> {
    static std::optional<Color> parse(std::string_view text) {
        if (text == "red") return Color::red;
        if (text == "green") return Color::green;
        return std::nullopt;
    }
};
// [from-text]

// [extractor]
struct Tenant {
    std::string name;
};

template <>
struct freshet::Extractor<Tenant> {
    static freshet::Expected<Tenant> extract(freshet::Context& context) {
        const auto name = context.message().header("tenant");
        if (!name) return std::unexpected{freshet::RemoteError{401, "say who you are: send the header tenant"}};
        return Tenant{std::string{*name}};
    }
};
// [extractor]

// [store]
class Store {  // used from several threads at once, so it locks
public:
    void put(const Order& order) {
        const std::lock_guard lock{mutex_};
        orders_[order.id] = order;
    }
    std::optional<Order> find(std::string_view id) const {
        const std::lock_guard lock{mutex_};
        const auto found = orders_.find(id);
        return found == orders_.end() ? std::nullopt : std::optional{found->second};
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, Order, std::less<>> orders_;
};
// [store]

// [extractor-plan]
struct Known {  // the order that the header `order` names
    Order order;
};

template <>
struct freshet::Extractor<Known> {
    using Plan = Store*;

    static Plan bind(freshet::Binder& binder) { return Extractor<Inject<Store>>::bind(binder); }  // once, at start

    static freshet::Expected<Known> extract(Plan store, freshet::Context& context) {
        const auto id = context.message().header("order").value_or("");
        const auto order = store->find(id);
        if (!order) return std::unexpected{freshet::RemoteError{404, "no order " + std::string{id}}};
        return Known{*order};
    }
};
// [extractor-plan]

using Fixture = snippets::Connected;

TEST_CASE_METHOD(Fixture, "setup mistakes are collected") {
    broker.subscriber("orders..created").handle([] {});
    broker.subscriber("users.{name}").handle([](freshet::Path<"id">) {});
    broker.subscriber("stock.{item}").publish_to("low.{shop}").handle([] { return std::string{"low"}; });
    broker.subscriber<"orders.put">().handle([](const Order& order, freshet::Inject<Store> store) {
        store->put(order);
    });
    CHECK(message_of([&] { broker.start(); }) == shown(R"(
// [problems]
the broker cannot start:
  - "orders..created" is not a subject pattern: empty token; tokens are separated by single dots (position 7)
  - subscriber "users.{name}": a parameter is Path<"id">, but the subject has no {id}
  - subscriber "stock.{item}": publish_to "low.{shop}" names {shop}, which the subject does not have
  - subscriber "orders.put": a parameter is Inject<Store>, but nothing was provided; call broker.provide(std::make_shared<Store>(...)) before start(), or, for an object of a derived type, broker.provide<Store>(object)
// [problems]
)"));
}

TEST_CASE_METHOD(Fixture, "parameters of every kind") {
    // [parameters]
    broker.subscriber<"orders.{id}">().handle([](const Order& order, freshet::Path<"id"> id,
                                                 freshet::Header<"tenant"> tenant, const freshet::Message& message,
                                                 freshet::Context& context, freshet::Logger& log, freshet::Broker& out,
                                                 std::stop_token stop) {
        log.info("{} bytes for {} of {}", message.payload().size(), *id, *tenant);
        if (!stop.stop_requested()) out.publish("audit", order.id);
        return std::string{context.subject()};
    });
    // [parameters]
    // [bytes]
    broker.subscriber<"files.{name}">().handle([](freshet::Bytes content) { return std::to_string(content.size()); });
    // [bytes]
    auto audit = broker.subscriber("audit").messages();
    broker.start();
    CHECK(broker.request<std::string>("orders.a1", Order{"a1", 1}, {.headers = {{"tenant", "acme"}}}) == "orders.a1");
    CHECK(audit.next(20s)->text() == "a1");
    CHECK(broker.request<std::string>("files.x", "12345") == "5");
}

TEST_CASE_METHOD(Fixture, "path") {
    // [path]
    broker.subscriber<"users.{id}.paint.{color}">().handle([](freshet::Path<"id", int> id,
                                                              freshet::Path<"color", Color> color) {
        return std::to_string(id + 1) + (*color == Color::red ? " is red" : " is green");
    });
    // [path]
    broker.start();
    CHECK(broker.request<std::string>("users.41.paint.red", "") == "42 is red");
    const auto refused = broker.try_request<std::string>("users.x.paint.red", "");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remote_code() == 400);
    CHECK(refused.error().message() == shown(R"(
// [bad-path]
"users.x.paint.red" answered with error 400: the token "x" for {id} in subject "users.x.paint.red" is not a valid int
// [bad-path]
)"));
}

TEST_CASE_METHOD(Fixture, "headers") {
    // [headers]
    broker.subscriber<"report">().handle([](freshet::Header<"tenant"> tenant,
                                            freshet::Header<"pages", std::optional<int>> pages) {
        return std::string{*tenant} + " wants " + std::to_string(pages->value_or(1));
    });
    // [headers]
    broker.start();
    CHECK(broker.request<std::string>("report", "", {.headers = {{"tenant", "acme"}}}) == "acme wants 1");
    CHECK(broker.request<std::string>("report", "", {.headers = {{"tenant", "acme"}, {"pages", "3"}}}) ==
          "acme wants 3");
    const auto error_of = [&](const freshet::Headers& headers) {
        return std::string{broker.try_request<std::string>("report", "", {.headers = headers}).error().message()};
    };
    CHECK(error_of({{"tenant", "acme"}, {"pages", "many"}}) + "\n" + error_of({}) == shown(R"(
// [bad-headers]
"report" answered with error 400: the header "pages" of a message on "report" has the value "many", which is not a valid int
"report" answered with error 400: the header "tenant" is missing
// [bad-headers]
)"));
}

TEST_CASE_METHOD(Fixture, "fields") {
    // [fields]
    broker.subscriber<"pay">().handle([](freshet::Field<"to"> to, freshet::Field<"cents", long> cents,
                                         freshet::Field<"note", std::optional<std::string>> note,
                                         freshet::Header<"tenant"> tenant) {
        return std::string{*tenant} + " pays " + *to + " " + std::to_string(cents) + note->value_or("");
    });
    // [fields]
    broker.start();
    const auto pay = [&](const char* body) {
        return broker.try_request<std::string>("pay", body, {.headers = {{"tenant", "acme"}}});
    };
    CHECK(pay(R"({"to":"ann","cents":250,"more":[]})") == "acme pays ann 250");
    const auto error_of = [&](const char* body) { return std::string{pay(body).error().message()}; };
    CHECK(error_of(R"({"to":"ann"})") + "\n" + error_of(R"({"to":"ann","cents":"2"})") == shown(R"(
// [bad-fields]
"pay" answered with error 400: cents: missing
"pay" answered with error 400: cents: expected number, got string
// [bad-fields]
)"));
}

TEST_CASE_METHOD(Fixture, "defaults") {
    // [defaults]
    const auto report = [](freshet::Header<"pages", int, 1> pages, freshet::Field<"unit", std::string, "mm"> unit,
                           freshet::Path<"region", std::string_view, "home"> region) {
        return std::to_string(*pages) + " pages in " + *unit + " for " + std::string{*region};
    };
    broker.subscriber<"report">().handle(report);
    broker.subscriber<"report.{region}">().handle(report);
    // [defaults]
    broker.start();
    CHECK(broker.request<std::string>("report", "{}") == "1 pages in mm for home");
    CHECK(broker.request<std::string>("report.eu", R"({"unit":"cm"})", {.headers = {{"pages", "3"}}}) ==
          "3 pages in cm for eu");
}

TEST_CASE_METHOD(Fixture, "inject") {
    // [inject]
    broker.provide(std::make_shared<Store>());

    broker.subscriber<"orders.put">().handle([](const Order& order, freshet::Inject<Store> store) {
        store->put(order);
        return freshet::Response<>{};
    });
    broker.subscriber<"orders.get.{id}">().handle([](freshet::Path<"id"> id, freshet::Inject<Store> store) {
        return store->find(*id);
    });
    // [inject]
    broker.start();
    broker.request<void>("orders.put", Order{"a1", 7});
    CHECK(broker.request<Order>("orders.get.a1", "").amount == 7);
}

TEST_CASE_METHOD(Fixture, "extractors") {
    // [extracted]
    broker.subscriber<"whoami">().handle([](const Tenant& tenant) { return "you are " + tenant.name; });
    // [extracted]
    auto store = std::make_shared<Store>();
    store->put({"a1", 7});
    broker.provide(store);
    broker.subscriber<"amount">().handle([](const Known& known) { return std::to_string(known.order.amount); });
    broker.start();
    CHECK(broker.request<std::string>("whoami", "", {.headers = {{"tenant", "acme"}}}) == "you are acme");
    CHECK(broker.try_request<std::string>("whoami", "").error().remote_code() == 401);
    CHECK(broker.request<std::string>("amount", "", {.headers = {{"order", "a1"}}}) == "7.000000");
    CHECK(broker.try_request<std::string>("amount", "", {.headers = {{"order", "a2"}}}).error().remote_code() == 404);
}
