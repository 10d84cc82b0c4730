// SPDX-License-Identifier: Apache-2.0
// What becomes of exceptions: answers with codes and bodies, counts, and log lines; in memory and on a nats-server.
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/middleware/access_log.hpp>
#include <freshet/middleware/circuit_breaker.hpp>

#include "../support/types.hpp"
#include "both.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring, Catch::Matchers::StartsWith;

namespace {

struct NotFound : std::runtime_error {
    using runtime_error::runtime_error;
};
struct Locked : NotFound {
    using NotFound::NotFound;
};
struct Plain {};

struct Problem {
    std::string item = {};
    int left = 0;
};
FRESHET_JSON(Problem, item, left);

struct Fixture : testing::Both {
    /// The answer to a request: its code and its text.
    std::string ask(const char* subject, const Headers& headers = {{"correlation_id", "c-1"}}) {
        const auto answer = start_once().try_request<void>(subject, Add{1, 2}, {.headers = headers});
        if (answer) return "an answer";
        return std::to_string(answer.error().remote_code()) + ' ' + std::string{answer.error().remote_description()};
    }
    testing::TestBroker& start_once() {
        if (test == nullptr) test = &start();
        return *test;
    }
    std::size_t lines_with(std::string_view text) const {
        std::size_t count = 0;
        for (const auto& line : log.all()) count += line.find(text) != std::string::npos ? 1 : 0;
        return count;
    }
    std::string errors() const {
        std::string text;
        for (const auto& [code, count] : broker.stats().errors)
            text += std::to_string(code) + "x" + std::to_string(count) + ' ';
        return text;
    }

    testing::TestBroker* test = nullptr;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "on_error with a code answers with it: on a broker, a router and a subscriber") {
    broker.on_error<NotFound>(404).on_error<Plain>(410, "gone for good").on_error<std::logic_error>(503);
    Router<"shop."> shop;
    shop.on_error<NotFound>(410).subscriber<"find">().handle([](const Add&) -> Sum { throw NotFound{"no tea"}; });
    broker.include(shop);
    broker.subscriber<"find">().handle([](const Add&) -> Sum { throw NotFound{"no order a7"}; });
    broker.subscriber<"lock">().on_error<Locked>(423).handle([](const Add&) -> Sum { throw Locked{"a7 is locked"}; });
    broker.subscriber<"plain">().handle([](const Add&) -> Sum { throw Plain{}; });
    broker.subscriber<"logic">().handle([](const Add&) -> Sum { throw std::logic_error{"table users"}; });
    CHECK(ask("find") == "404 no order a7");
    CHECK(ask("shop.find") == "410 no tea");
    CHECK(ask("lock") == "423 a7 is locked");
    CHECK(ask("plain") == "410 gone for good");
    CHECK(ask("logic") == "503 service unavailable; correlation id c-1");
    CHECK(log.wait_for("no order a7").find("info: answered 404: ") == 0);
    CHECK_THAT(log.wait_for("users"), StartsWith("error: handler failed: std::logic_error: table users; answered 503"));
    CHECK(testing::eventually([&] { return broker.stats().received == 5; }));
    CHECK(broker.stats().declined == 4);
    CHECK(broker.stats().failed == 1);
    CHECK(errors() == "404x1 410x2 423x1 503x1 ");
}

TEST_CASE_METHOD(Fixture, "a code for every exception leaves the answers that handlers chose as they are") {
    broker.on_error<std::exception>(500, "we are looking into it");
    broker.subscriber<"throw">().handle([](const Add&) -> Sum { throw RemoteError{404, "none"}; });
    broker.subscriber<"other">().handle([](const Add&) -> Sum { throw std::logic_error{"table users"}; });
    broker.on_error<Error>(400);
    broker.subscriber<"value">().handle([](const Add&) -> Expected<Sum> {
        return std::unexpected{RemoteError{410, "gone"}};
    });
    CHECK(ask("throw") == "404 none");
    CHECK(ask("value") == "410 gone");
    CHECK(ask("other") == "500 we are looking into it");
}

TEST_CASE_METHOD(Fixture, "an on_error function returns or throws the answer; the cause stays in the log") {
    broker.on_error<Locked>([](const Locked&) { return RemoteError{423, "come back tomorrow"}; })
        .on_error<NotFound>([](const NotFound& error) { throw RemoteError{404, error.what()}; })
        .on_error<Plain>([](const Plain&) { throw Reject{"no"}; })
        .on_error<std::logic_error>([](const std::logic_error&) { return RemoteError{503, "we are moving"}; });
    broker.subscriber<"lock">().handle([](const Add&) -> Sum { throw Locked{"row 7"}; });
    broker.subscriber<"find">().handle([](const Add&) -> Sum { throw NotFound{"no order a7"}; });
    broker.subscriber<"plain">().handle([](const Add&) -> Sum { throw Plain{}; });
    broker.subscriber<"logic">().handle([](const Add&) -> Sum { throw std::logic_error{"table users"}; });
    CHECK(ask("lock") == "423 come back tomorrow");
    CHECK(ask("find") == "404 no order a7");
    CHECK(ask("plain").starts_with("500 "));
    CHECK(ask("logic") == "503 we are moving");
    const auto locked = log.wait_for("answered 423");
    CHECK_THAT(locked,
               StartsWith("info: answered 423: come back tomorrow; the cause: ") && ContainsSubstring("Locked: row 7"));
    CHECK(lines_with("no order a7") == 1);
    CHECK_THAT(
        log.wait_for("we are moving"),
        StartsWith("error: handler failed: we are moving; the cause: std::logic_error: table users; answered 503"));
    CHECK(lines_with("the on_error function threw") == 0);
}

TEST_CASE_METHOD(Fixture, "the body of an error arrives, in the format of the request") {
    broker.subscriber<"buy">().handle([](const Add& add) -> Sum {
        if (add.a == 3) throw RemoteError{409, "sold out", "no tea at all"};
        if (add.a == 2) throw RemoteError{409, "sold out"};
        throw RemoteError{409, "sold out", Problem{.item = "tea", .left = add.b}};
    });
    auto& test = start_once();
    for (const auto format : {Format::json, Format::messagepack, Format::cbor}) {
        const auto refused = test.try_request<Sum>("buy", Add{1, 5}, {.format = format});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().remote_code() == 409);
        CHECK(refused.error().has_body());
        CHECK(refused.error().body<Problem>().item == "tea");
        CHECK(refused.error().try_body<Problem>()->left == 5);
        CHECK_FALSE(refused.error().try_body<std::vector<int>>());
    }
    CHECK(test.try_request<Sum>("buy", Add{3, 0}).error().body<std::string>() == "no tea at all");
    const auto plain = test.try_request<Sum>("buy", Add{2, 0}).error();
    CHECK_FALSE(plain.has_body());
    CHECK_THROWS_AS(plain.body<Problem>(), Error);
    auto& caller = test.client();
    try {
        std::ignore = caller.client<Sum(const Add&)>("buy")(Add{1, 6});
        FAIL("no error");
    } catch (const RemoteError& error) { CHECK(error.body<Problem>().left == 6); }
    auto replies = caller.request_many<Sum>("buy", Add{1, 7}, {.max_replies = 1});
    const auto reply = replies.next();
    REQUIRE(reply);
    CHECK(reply->error().body<Problem>().left == 7);
    const RemoteError here{409, "sold out", Problem{.item = "tea", .left = 8}};  // read where it was made
    CHECK(here.body<Problem>().left == 8);
}

TEST_CASE_METHOD(Fixture, "callers read what was written for them, and not what the log has") {
    broker.subscriber<"std">().handle([](const Add&) -> Sum { throw std::runtime_error{"disk sda1"}; });
    broker.subscriber<"int">().handle([](const Add&) -> Sum { throw 42; });
    broker.subscriber<"kv">().handle([](const Add&) -> Expected<Sum> {
        return failure(Errc::not_found, "bucket \"users\" has no key \"7\"");
    });
    broker.subscriber<"body">().handle([](const Invoice&) { return Sum{}; });
    broker.subscriber<"head">().handle([](const Add&, Header<"tenant">) { return Sum{}; });
    broker.subscriber<"term">().handle([](const Add&) { return Outcome::term("too late"); });
    broker.subscriber<"filter">().when(has_header("kind"), [] { return Sum{}; }).handle();
    CHECK(ask("std") == "500 internal error; correlation id c-1");
    CHECK(ask("int") == "500 internal error; correlation id c-1");
    CHECK(ask("kv") == "404 not found; correlation id c-1");
    CHECK(ask("body").starts_with("400 "));
    CHECK(ask("head") == "400 the header \"tenant\" is missing");
    CHECK(ask("head", {{"Tenant", "a"}}) ==
          "400 the header \"tenant\" is missing; the message has \"Tenant\", which is another name");
    CHECK(ask("term") == "500 too late");
    CHECK(ask("filter") == "400 no handler takes this message on \"filter\"");
    CHECK_THAT(log.wait_for("sda1"), StartsWith("error: handler failed: std::runtime_error: disk sda1; answered 500"));
    CHECK_THAT(log.wait_for("not a std::exception"), StartsWith("error: handler failed: int: "));
    CHECK(log.wait_for("bucket").find("answered 404") != std::string::npos);
    CHECK(log.wait_for("Header<name, std::optional<T>>") != "");

    const auto made = ask("std", {});  // an id is made, and the log has it
    const auto id = made.substr(made.rfind(' ') + 1);
    CHECK(id.size() > 8);
    CHECK(log.wait_for("correlation_id=" + id).find("sda1") != std::string::npos);
}

TEST_CASE("with expose_errors the caller reads everything") {
    Broker broker{{.expose_errors = true}};
    broker.subscriber<"std">().handle([](const Add&) -> Sum { throw std::runtime_error{"disk sda1"}; });
    testing::TestBroker test{broker};
    CHECK(test.try_request<Sum>("std", Add{}).error().remote_description() == "disk sda1");
}

TEST_CASE_METHOD(Fixture, "the error of another service keeps code and text, but is a failure here") {
    broker.subscriber<"stock">({.dedicated = true}).handle([](const Add&) -> Sum {
        throw RemoteError{409, "sold out", Problem{}};
    });
    broker.subscriber<"buy">({.dedicated = true}).handle([](const Add& add, Broker& self) {
        return self.request<Sum>("stock", add);
    });
    broker.subscriber<"polite">({.dedicated = true})
        .on_error<RemoteError>([](const RemoteError& error) {
            return RemoteError{error.remote_code(), std::string{error.remote_description()}};
        })
        .handle([](const Add& add, Broker& self) { return self.try_request<Sum>("stock", add); });
    if (!real()) return;  // handlers that ask need threads
    CHECK(ask("buy") == "409 sold out");
    CHECK(log.wait_for("handler failed").find("\"stock\" answered with error 409: sold out; answered 409") !=
          std::string::npos);
    CHECK(ask("polite") == "409 sold out");
    CHECK(testing::eventually([&] { return broker.stats().declined == 3; }));  // "stock" twice, "polite"
    CHECK(broker.stats().failed == 1);
}

TEST_CASE_METHOD(Fixture, "a request that is acknowledged without an answer is logged once for each subscriber") {
    broker.subscriber<"void">().handle([](const Add&) {});
    broker.subscriber<"skip">().use([](Context&, Next) { return Outcome{Outcome::ack}; }).handle([](const Add&) {
        return Sum{};
    });
    broker.subscriber<"others">({.no_reply = true}).handle([](const Add&) {});
    broker.subscriber<"confirms">().handle([](const Add&) { return Response<>{}; });
    broker.subscriber<"batch">({.batch = {.size = 1}}).handle([](std::span<const Add>) {});
    auto& test = start_once();
    for (const auto* subject : {"void", "void", "skip", "skip", "others", "confirms", "batch", "batch"})
        test.publish(subject, Add{}, {.reply_to = "somebody"});
    test.publish("void", Add{});
    CHECK(testing::eventually([&] { return broker.stats().received == 9; }));
    CHECK(lines_with("a request got no answer") == 3);
    for (const auto* subject : {"void", "skip", "batch"}) CHECK(lines_with(std::string{"subject="} + subject) == 1);
    CHECK(log.find("a request got no answer").starts_with("warning: "));
}

TEST_CASE_METHOD(Fixture, "events without a reply subject warn of nothing") {
    broker.subscriber<"void">().handle([](const Add&) {});
    start_once().publish("void", Add{});
    CHECK(lines_with("a request got no answer") == 0);
}

TEST_CASE_METHOD(Fixture, "the access log has a line for each delivery") {
    broker.use(AccessLog{});
    broker.subscriber<"orders.{id}">().handle([](const Add& add) -> Sum {
        if (add.a == 0) throw std::runtime_error{"no"};
        if (add.a < 0) throw RemoteError{422, "negative"};
        return {add.a};
    });
    broker.subscriber<"batch">({.batch = {.size = 1}}).handle([](std::span<const Add>) {});
    auto& test = start_once();
    CHECK(test.publish("orders.1", Add{1, 0}) == Outcome::ack);
    CHECK(test.publish("orders.1", Add{}) == Outcome::nack());
    CHECK(test.publish("orders.1", Add{-1, 0}) == Outcome::term());
    CHECK(test.publish("orders.1", "{}") == Outcome::term());
    CHECK(test.publish("batch", Add{1, 0}) == Outcome::ack);
    CHECK(lines_with("info: delivery: ack in ") == 2);
    CHECK(log.find("delivery: ack in ").ends_with(" ms handler=orders.{id} subject=orders.1"));
    CHECK_THAT(log.find("delivery: nack"), ContainsSubstring(" ms, code 500 handler="));
    CHECK(lines_with("delivery: term") == 2);
    CHECK(lines_with("code 422") == 1);
    CHECK(lines_with("code 400") == 1);
}

TEST_CASE_METHOD(Fixture, "the access log is there while the logger writes debug, and only then") {
    const bool middleware = GENERATE(false, true);
    if (middleware) broker.use([](Context& context, Next next) { return next(context); });
    broker.subscriber<"a">().handle([](const Add& add, Context& context) {
        if (add.a == 0) context.nack();
    });
    auto& test = start_once();
    test.publish("a", Add{1, 0});
    CHECK(lines_with("delivery: ") == 0);
    log.logger()->set_level(spdlog::level::debug);
    test.publish("a", Add{1, 0});
    CHECK(lines_with("debug: delivery: ack in ") == 1);
    test.publish("a", Add{});
    CHECK(lines_with("debug: delivery: nack in ") == 1);
    log.logger()->set_level(spdlog::level::info);
    test.publish("a", Add{1, 0});
    CHECK(lines_with("delivery: ") == 2);
}

TEST_CASE_METHOD(Fixture, "answers of 400 to 499 do not open a circuit breaker") {
    broker.use(CircuitBreaker{{.failures = 1, .open_for = 1min}});
    broker.subscriber<"find">().handle([](const Add& add) -> Sum {
        if (add.a == 1) throw RemoteError{404, "none"};
        throw RemoteError{429, "later"};
    });
    for (int i = 0; i < 3; ++i) CHECK(ask("find") == "404 none");
    CHECK(start_once().try_request<Sum>("find", Add{2, 0}).error().remote_code() == 429);
    CHECK(ask("find") == "404 none");
}
