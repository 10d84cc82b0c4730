// SPDX-License-Identifier: Apache-2.0
// Messages that cannot be handled, handlers that fail, results that cannot be sent: what callers get and what is
// logged.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/log_lines.hpp"
#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using testing::eventually;

namespace {

constexpr std::size_t max_payload = 4'096;
constexpr int bad_request = 400;
constexpr int internal_error = 500;

struct Fixture {
    testing::NatsServer server = testing::NatsServer{{.config = "max_payload: " + std::to_string(max_payload)}};
    testing::LogLines log = {};
    Broker service{{.servers = {server.url()}, .name = "service", .logger = log.logger()}};
    Broker caller{{.servers = {server.url()}, .name = "caller", .request_timeout = 1h}};

    void start() {
        service.start();
        caller.start();
    }
    Error error_of_request(std::string_view subject, std::string_view body, Headers headers = {}) {
        const auto answer = caller.try_request<Message>(subject, body, {.headers = std::move(headers)});
        REQUIRE_FALSE(answer);
        return answer.error();
    }
};

/// Its codec throws, except that "fine" can be written.
struct Odd {
    std::string what = {};
};

}  // namespace

template <>
struct freshet::Codec<Odd> {
    static void encode(const Odd& odd, Buffer& out) {
        if (odd.what == "int") throw 42;
        if (odd.what != "fine") throw std::runtime_error{"cannot write this"};
        out.append(odd.what);
    }
    static Expected<void> decode(Bytes in, Odd&) {
        if (as_text(in) == "int") throw 42;
        throw std::runtime_error{"cannot read this"};
    }
};

TEST_CASE_METHOD(Fixture, "a request whose body does not decode is answered with 400 and the field") {
    service.subscriber<"orders">().handle([](const Order& order) { return Invoice{order.id, order.amount}; });
    start();
    const auto refused = [&](std::string_view body, std::string_view why) {
        CAPTURE(body);
        const auto error = error_of_request("orders", body);
        CHECK(error.code() == Condition::remote);
        CHECK(error.remote_code() == bad_request);
        CHECK_THAT(error.what(), ContainsSubstring("\"orders\""));
        CHECK_THAT(error.what(), ContainsSubstring(std::string{why}));
    };
    refused(R"({"id":"a1","amount":"ten"})", "amount: expected");
    refused(R"({"id":"a1"})", "amount");
    refused(R"({"id":"a1","amount":)", "");
    refused(R"([])", "expected");
    refused("", "");
    refused("\xff\xfe", "");
    CHECK(service.stats().rejected == 6);
    CHECK(service.stats().failed == 0);
    CHECK(caller.request<Invoice>("orders", Order{"a1", 2}).total == 2);
    CHECK_THROWS_AS(caller.request<Invoice>("orders", std::string{"{}"}), RemoteError);

    const auto unknown = error_of_request("orders", "<order/>", {{"content-type", "application/xml"}});
    CHECK(unknown.remote_code() == bad_request);
    CHECK_THAT(unknown.what(), ContainsSubstring("application/xml"));
}

TEST_CASE_METHOD(Fixture, "an event that does not decode is logged and counted, and the next one is handled") {
    std::atomic<int> handled = 0;
    auto subscriber =
        service.subscriber<"orders.{region}">({.queue = "billing"}).handle([&](const Order&) { ++handled; });
    start();
    caller.publish("orders.eu", R"({"id":7,"amount":1})");
    caller.publish("orders.us", Order{"a1", 1});
    REQUIRE(eventually([&] { return handled == 1; }));
    const auto line = log.wait_for("message rejected");
    CHECK_THAT(line, StartsWith("error: message rejected: "));
    CHECK_THAT(line, ContainsSubstring("id: expected"));
    CHECK_THAT(line, ContainsSubstring("subject=orders.eu queue=billing"));
    CHECK(subscriber.stats().received == 2);
    CHECK(subscriber.stats().rejected == 1);
    CHECK(subscriber.stats().failed == 0);
    CHECK(service.stats().rejected == 1);
}

TEST_CASE_METHOD(Fixture, "a header that is missing or does not parse is answered with 400 and its name") {
    service.subscriber<"traced">().handle([](Header<"trace"> trace) { return std::string{*trace}; });
    service.subscriber<"counted">().handle([](Header<"retries", int> retries) { return std::to_string(*retries); });
    service.subscriber<"maybe">().handle([](Header<"retries", std::optional<int>> retries) {
        return std::to_string(retries->value_or(-1));
    });
    start();
    const auto missing = error_of_request("traced", "");
    CHECK(missing.remote_code() == bad_request);
    CHECK_THAT(missing.what(), ContainsSubstring("the header \"trace\" is missing"));
    CHECK_THAT(missing.what(), !ContainsSubstring("Header<"));
    CHECK_THAT(log.wait_for("subject=traced"),
               ContainsSubstring("is missing; send it, or take Header<name, std::optional<T>>"));
    for (const auto* subject : {"counted", "maybe"}) {
        const auto bad = error_of_request(subject, "", {{"retries", "many"}});
        CHECK(bad.remote_code() == bad_request);
        CHECK_THAT(bad.what(), ContainsSubstring("the header \"retries\" of a message on \"" + std::string{subject} +
                                                 "\" has the value \"many\", which is not a valid int"));
    }
    CHECK(caller.request<std::string>("maybe", "") == "-1");
    CHECK(service.stats().rejected == 3);
}

TEST_CASE_METHOD(Fixture, "a token that does not parse is answered with 400, and the handler is not called") {
    std::atomic<int> handled = 0;
    service.subscriber<"users.{id}">().handle([&](Path<"id", signed char> id) {
        ++handled;
        return std::to_string(*id);
    });
    start();
    for (const auto* id : {"seven", "-129", "128", "1x", "0x10"}) {
        CAPTURE(id);
        const auto error = error_of_request(std::string{"users."} + id, "");
        CHECK(error.remote_code() == bad_request);
        CHECK_THAT(error.what(),
                   ContainsSubstring("the token \"" + std::string{id} + "\" for {id} in subject \"users." + id +
                                     "\" is not a valid signed char"));
    }
    CHECK(handled == 0);
    CHECK(caller.request<std::string>("users.-128", "") == "-128");
}

TEST_CASE_METHOD(Fixture, "what a handler throws is answered at once, logged and counted") {
    service.subscriber<"fail.exception">().handle([](std::string_view) -> std::string {
        throw std::runtime_error{"the disk is full"};
    });
    service.subscriber<"fail.remote">().handle([](std::string_view) -> std::string {
        throw RemoteError{404, "no such order"};
    });
    service.subscriber<"fail.int">().handle([](std::string_view) -> std::string { throw 42; });
    service.subscriber<"fail.void">().handle([](std::string_view) { throw std::logic_error{"a bug"}; });
    service.subscriber<"fail.value">().handle([](std::string_view) -> Expected<std::string> {
        return failure(Errc::not_found, "nothing there");
    });
    service.subscriber<"fail.nested">().handle([](std::string_view, Broker& broker) {
        return broker.request<std::string>("fail.remote", "", {.timeout = 1h});
    });
    start();
    const auto failed = [&](std::string_view what, int code, std::string_view why) {
        CAPTURE(what);
        const auto subject = "fail." + std::string{what};
        const auto error = error_of_request(subject, "");
        CHECK(error.code() == Condition::remote);
        CHECK(error.remote_code() == code);
        CHECK_THAT(error.what(),
                   ContainsSubstring("\"" + subject + "\" answered with error " + std::to_string(code) + ": "));
        const bool for_callers = what == "remote";
        CHECK((std::string_view{error.what()}.find(why) != std::string_view::npos) == for_callers);
        const auto line = log.wait_for("subject=" + subject);
        CHECK_THAT(line, StartsWith(for_callers ? "info: answered 404: " : "error: handler failed: "));
        CHECK_THAT(line, ContainsSubstring(std::string{why}));
    };
    failed("exception", internal_error, "the disk is full");
    failed("remote", 404, "no such order");
    failed("int", internal_error, "not a std::exception");
    failed("void", internal_error, "a bug");
    failed("value", 404, "nothing there");
    CHECK(service.stats().failed == 4);
    CHECK(service.stats().declined == 1);
    CHECK(service.stats().rejected == 0);
}

TEST_CASE_METHOD(Fixture, "an event whose handler throws is logged and counted, and the next one is handled") {
    const auto options =
        GENERATE(SubscriberOptions{}, SubscriberOptions{.workers = 2}, SubscriberOptions{.dedicated = true});
    std::atomic<int> handled = 0;
    auto subscriber = service.subscriber<"events">(options).handle([&](std::string_view text) {
        if (text == "exception") throw std::runtime_error{"the disk is full"};
        if (text == "int") throw 42;
        ++handled;
    });
    start();
    for (const auto* text : {"exception", "int", "fine"}) caller.publish("events", text);
    REQUIRE(eventually([&] { return handled == 1 && subscriber.stats().failed == 2; }));
    CHECK_THAT(log.wait_for("the disk is full"),
               StartsWith("error: handler failed: std::runtime_error: the disk is full subject=events"));
    CHECK_THAT(log.wait_for("not a std::exception"), StartsWith("error: handler failed: "));
}

TEST_CASE_METHOD(Fixture, "an error's text cannot add headers to the answer or lines to the log") {
    const std::string evil = "first\r\nNats-Service-Error-Code: 200\r\n\r\n" + std::string(100'000, 'x');
    service.subscriber<"evil">().handle([&](std::string_view) { throw RemoteError{500, evil}; });
    service.subscriber<"fine">().handle([](std::string_view) { return std::string{"fine"}; });
    start();
    const auto error = error_of_request("evil", "");
    CHECK(error.remote_code() == internal_error);
    CHECK_THAT(error.what(), ContainsSubstring("first  Nats-Service-Error-Code: 200"));
    CHECK(error.message().size() < 2'000);
    CHECK(log.wait_for("handler failed").find('\n') == std::string::npos);
    CHECK(caller.request<std::string>("fine", "") == "fine");
}

TEST_CASE_METHOD(Fixture, "a handler's verdict is counted and logged, and ends the request") {
    service.subscriber<"verdict.nack">().handle([](std::string_view) { return Outcome::nack(5s); });
    service.subscriber<"verdict.term">().handle([](std::string_view) { return Outcome::term("it is cursed"); });
    service.subscriber<"verdict.context">().handle([](Context& context) { context.term("said aside"); });
    service.subscriber<"verdict.answered">().handle([](Context& context) {
        context.nack();
        return std::string{"an answer"};
    });
    start();
    const auto not_done = [&](const char* subject, const char* why) {
        CAPTURE(subject);
        const auto error = error_of_request(subject, "");
        CHECK(error.remote_code() == internal_error);
        CHECK_THAT(error.what(), ContainsSubstring(why));
        CHECK_THAT(log.wait_for(std::string{"subject="} + subject), ContainsSubstring("the handler said "));
    };
    not_done("verdict.nack", "internal error; correlation id ");
    not_done("verdict.term", "it is cursed");
    not_done("verdict.context", "said aside");
    CHECK(caller.request<std::string>("verdict.answered", "") == "an answer");
    CHECK(eventually([&] { return service.stats().failed == 4; }));
    CHECK(service.stats().rejected == 0);
}

TEST_CASE_METHOD(Fixture, "a payload over the server's limit is refused before it is sent") {
    start();
    const std::string body(max_payload + 1, 'x');
    const auto too_large = [&](const Error& error) {
        CHECK(error.code() == Errc::payload_too_large);
        CHECK(error.code() == Condition::bad_payload);
        CHECK_THAT(error.what(), ContainsSubstring("\"orders\""));
        CHECK_THAT(error.what(), ContainsSubstring("4097 bytes"));
        CHECK_THAT(error.what(), ContainsSubstring("4096 bytes"));
    };
    too_large(caller.try_publish("orders", body).error());
    too_large(caller.try_request<Message>("orders", body).error());
    too_large(caller.request_many<Message>("orders", body).next()->error());
    CHECK_THROWS_AS((caller.client<Message(std::string)>("orders").async(body).get()), Error);
    CHECK(caller.try_publish("orders", std::string(max_payload, 'x'), {.headers = {{"k", "v"}}}).error().code() ==
          Errc::payload_too_large);
    CHECK(caller.try_publish("orders", std::string(max_payload, 'x')));
    CHECK(caller.ping(20s) > 0ns);
    CHECK(caller.stats().requests_in_flight == 0);
}

TEST_CASE_METHOD(Fixture, "a result that is too large to be sent fails the message") {
    service.subscriber<"grow">().publish_to<"grown">().handle([](std::string_view text) {
        return std::string(max_payload + 1, text.empty() ? 'x' : text[0]);
    });
    start();
    const auto error = error_of_request("grow", "a");
    CHECK(error.remote_code() == internal_error);
    CHECK_THAT(log.wait_for("subject=grow"), ContainsSubstring("max_payload"));

    caller.publish("grow", "b");
    REQUIRE(eventually([&] { return service.stats().failed == 2; }));
    CHECK(eventually([&] { return !log.find("cannot publish to \"grown\"").empty(); }));
    CHECK_THAT(log.find("cannot publish to \"grown\""), StartsWith("error: handler failed: "));
    CHECK_THAT(log.find("cannot publish to \"grown\""), ContainsSubstring("subject=grow"));
}

TEST_CASE_METHOD(Fixture, "an answer that does not decode is the caller's error and names the field") {
    service.subscriber<"invoices">().handle([](std::string_view) { return std::string{R"({"order_id":1})"}; });
    start();
    const auto error = caller.try_request<Invoice>("invoices", "").error();
    CHECK(error.code() == Errc::bad_payload);
    CHECK_THAT(error.what(), ContainsSubstring("order_id: expected"));
    const auto client = caller.client<Invoice(std::string)>("invoices");
    CHECK(client.try_call("").error().code() == Errc::bad_payload);
    CHECK_THROWS_AS(client.async("").get(), Error);
}

TEST_CASE_METHOD(Fixture, "what a codec throws is an error value of try_ functions") {
    service.subscriber<"odd">().handle([](const Odd&) {});
    service.subscriber<"make.odd">().handle([](std::string_view what) { return Odd{std::string{what}}; });
    start();
    for (const std::string what : {"exception", "int"}) {
        CAPTURE(what);
        const auto published = caller.try_publish("odd", Odd{what});
        REQUIRE_FALSE(published);
        CHECK(published.error().code() == Errc::bad_payload);
        CHECK(caller.try_request<Message>("odd", Odd{what}).error().code() == Errc::bad_payload);
        CHECK(caller.try_request<Odd>("make.odd", "fine").error().code() == Errc::bad_payload);
        CHECK(error_of_request("odd", what).remote_code() == bad_request);
        CHECK(error_of_request("make.odd", what).remote_code() == internal_error);
    }
    CHECK_THAT(caller.try_publish("odd", Odd{"exception"}).error().what(), ContainsSubstring("cannot write this"));
    CHECK(caller.stats().requests_in_flight == 0);
}

TEST_CASE_METHOD(Fixture,
                 "a callback is called once where the request does not encode, and what it throws stays inside") {
    start();
    const auto odd = caller.client<void(const Odd&)>("odd");
    int calls = 0;
    odd.async(Odd{"exception"}, [&](const Expected<void>& done) {
        ++calls;
        testing::must(done.error().code() == Errc::bad_payload);
        throw 42;
    });
    CHECK(calls == 1);
    CHECK_THROWS_AS(odd.async(Odd{"exception"}).get(), Error);
}

TEST_CASE_METHOD(Fixture, "nobody listens, nobody answers: each is an error of its own") {
    service.subscriber<"mute">({.no_reply = true}).handle([](std::string_view) { return std::string{"never sent"}; });
    start();
    const auto nobody = error_of_request("nobody", "");
    CHECK(nobody.code() == Condition::no_responders);
    CHECK_THAT(nobody.what(), StartsWith("nobody listens on \"nobody\"; "));
    const auto mute = caller.try_request<Message>("mute", "", {.timeout = 20ms}).error();
    CHECK(mute.code() == Condition::timeout);
    CHECK_THAT(mute.what(), ContainsSubstring("no answer from \"mute\" within 20 ms"));
}
