// SPDX-License-Identifier: Apache-2.0
// The code of docs/requests.md.
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "connected.hpp"
#include "orders.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using snippets::message_of;
using snippets::shown;

struct Status {
    std::string name = {};
    int load = 0;
};
FRESHET_JSON(Status, name, load);

namespace {

struct Fixture : snippets::Connected {
    freshet::Broker service{{.servers = {server.url()}}};
    Order order = {"a1", 10};

    void start() {
        // [service]
        service.subscriber<"invoices.make">({.queue = "billing"}).handle([](const Order& asked) -> Invoice {
            if (asked.amount < 0) throw freshet::RemoteError{422, "the amount is negative"};
            return {.order_id = asked.id, .total = asked.amount * 1.2};
        });
        // [service]
        service.subscriber<"ping">().handle([] { return freshet::Response<>{}; });
        service.subscriber<"mute">().handle([] {});
        service.start();
        broker.start();
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "request") {
    start();
    // [request]
    auto invoice = broker.request<Invoice>("invoices.make", order);
    broker.request<void>("ping", "");                                      // any answer will do
    auto reply = broker.request<freshet::Message>("invoices.make", order,  // the whole message: headers, bytes
                                                  {.timeout = 500ms, .headers = {{"tenant", "acme"}}});
    // [request]
    CHECK(invoice.total == 12);
    CHECK(freshet::decode<Invoice>(reply).total == 12);
}

TEST_CASE_METHOD(Fixture, "a request that decodes and is wrong") {
    // [validate]
    service.subscriber<"orders.place">({.queue = "billing"})
        .handle([](const Order& asked) -> freshet::Expected<Invoice> {
            if (asked.id.empty()) return std::unexpected{freshet::RemoteError{422, "an order needs an id"}};
            if (asked.amount <= 0) return std::unexpected{freshet::RemoteError{422, "the amount must be positive"}};
            return Invoice{.order_id = asked.id, .total = asked.amount * 1.2};
        });
    // [validate]
    start();
    CHECK(broker.request<Invoice>("orders.place", order).total == 12);
    CHECK(broker.try_request<Invoice>("orders.place", Order{"", 10}).error().remote_code() == 422);
    CHECK(broker.try_request<Invoice>("orders.place", Order{"a1", 0}).error().remote_description() ==
          "the amount must be positive");
}

TEST_CASE_METHOD(Fixture, "client") {
    start();
    // [client]
    auto make = broker.client<Invoice(const Order&)>("invoices.make", {.timeout = 500ms});
    Invoice invoice = make(order);

    auto ping = broker.client<void()>("ping");  // sends an empty body
    ping();
    // [client]
    CHECK(invoice.total == 12);
    // [client-options]
    Invoice theirs = make({.timeout = 2s, .headers = {{"tenant", "acme"}}}, order);
    // [client-options]
    CHECK(theirs.total == 12);
}

TEST_CASE_METHOD(Fixture, "a subject with parameters") {
    service.subscriber<"invoices.{region}.make">().handle([](freshet::Path<"region"> region) {
        return Invoice{.order_id = std::string{*region}};
    });
    start();
    // [template]
    const freshet::SubjectTemplate subject{"invoices.{region}.make"};
    auto make_in = [&](std::string_view region, const Order& asked) {
        std::string filled;
        freshet::value_or_raise(subject.format_values(filled, region));  // refuses "a.b", which is no token
        return broker.request<Invoice>(filled, asked);
    };
    // [template]
    CHECK(make_in("eu", order).order_id == "eu");
    CHECK_THROWS_AS(make_in("a.b", order), freshet::Error);
}

TEST_CASE_METHOD(Fixture, "without exceptions") {
    start();
    auto make = broker.client<Invoice(const Order&)>("invoices.make");
    std::string said;
    // [try]
    auto maybe = make.try_call(order);  // Expected<Invoice>; broker.try_request<Invoice>(...) alike
    if (maybe) said = maybe->order_id;
    else if (maybe.error().code() == freshet::Condition::no_responders) said = "no billing service runs";
    else said = maybe.error().message();
    // [try]
    CHECK(said == "a1");
}

TEST_CASE_METHOD(Fixture, "what a caller may get") {
    start();
    const auto message = [&](const char* subject, const Order& asked) {
        return std::string{broker.try_request<Invoice>(subject, asked, {.timeout = 200ms}).error().message()};
    };
    CHECK(message("invoices.make", {"a1", -1}) == shown(R"(
// [remote]
"invoices.make" answered with error 422: the amount is negative
// [remote]
)"));
    CHECK(message("invoices.print", order) == shown(R"(
// [no-responders]
nobody listens on "invoices.print"; start the service, or check the subject and the account
// [no-responders]
)"));
    CHECK(message("mute", order) == shown(R"(
// [timeout]
no answer from "mute" within 200 ms
// [timeout]
)"));
    CHECK(broker.try_request<Invoice>("ping", "").error().code() == freshet::Errc::bad_payload);
}

TEST_CASE_METHOD(Fixture, "async") {
    start();
    const std::vector<Order> orders(1000, order);
    auto make = broker.client<Invoice(const Order&)>("invoices.make", {.timeout = 20s});
    // [async]
    std::vector<freshet::Future<Invoice>> answers;
    for (const auto& one : orders) answers.push_back(make.async(one));  // all in flight at once

    double sum = 0;
    for (auto& answer : answers) sum += answer.get().total;  // or throws what make(one) would
    // [async]
    CHECK(sum == 12'000);

    std::promise<double> done;
    // [callback]
    make.async(order, [&](freshet::Expected<Invoice> invoice) { done.set_value(invoice ? invoice->total : 0); });
    // [callback]
    CHECK(done.get_future().get() == 12);
}

TEST_CASE_METHOD(Fixture, "many answers") {
    for (int load = 1; load <= 3; ++load) {
        service.subscriber<"status.all">().handle([load] { return Status{"worker", load}; });
    }
    start();
    int load = 0;
    // [many]
    for (const Status& status : broker.request_many<Status>("status.all", "", {.timeout = 2s, .stall = 500ms})) {
        load += status.load;
    }
    // [many]
    CHECK(load == 6);

    std::vector<std::string> failures;
    // [many-next]
    auto replies = broker.request_many<Status>("status.all", "", {.timeout = 2s, .max_replies = 3});
    while (auto status = replies.next()) {
        if (*status) load += (*status)->load;
        else failures.emplace_back(status->error().message());  // this answer is an error; others may follow
    }
    // [many-next]
    CHECK(load == 12);
    CHECK(failures.empty());
}

TEST_CASE_METHOD(Fixture, "stop ends what is in flight") {
    start();
    auto ask = broker.client<void()>("mute", {.timeout = 20s});
    auto answer = ask.async();
    broker.stop();
    CHECK(message_of([&] { answer.get(); }) == shown(R"(
// [stopped]
no answer from "mute": the broker was stopped
// [stopped]
)"));
}
