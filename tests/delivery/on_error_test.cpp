// SPDX-License-Identifier: Apache-2.0
// on_error and filters over a real server.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../support/log_lines.hpp"
#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;

namespace {

struct Problem {
    std::string what = {};
};
FRESHET_JSON(Problem, what);

struct Invalid : std::runtime_error {
    using runtime_error::runtime_error;
};
struct TooLong : Invalid {
    using Invalid::Invalid;
};
struct Plain {
    int number;
};

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    testing::LogLines log = {};
    Broker broker{{.servers = {server.url()}, .logger = log.logger()}};

    std::string ask(const char* subject) { return broker.request<Problem>(subject, Add{1, 2}).what; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the function for the most derived type answers, in whatever order they were declared") {
    broker.on_error<std::exception>([](const std::exception&) { return Problem{"exception"}; })
        .on_error<TooLong>([](const TooLong& error) { return Problem{std::string{"too long: "} + error.what()}; })
        .on_error<Invalid>([](const Invalid&) { return Problem{"invalid"}; })
        .on_error<Plain>([](const Plain& plain) { return Problem{"plain " + std::to_string(plain.number)}; });
    broker.subscriber<"long">().handle([](const Add&) -> Problem { throw TooLong{"9 of 8"}; });
    broker.subscriber<"invalid">().handle([](const Add&) -> Problem { throw Invalid{"?"}; });
    broker.subscriber<"other">().handle([](const Add&) -> Problem { throw std::logic_error{"?"}; });
    broker.subscriber<"plain">().handle([](const Add&) -> Problem { throw Plain{7}; });
    broker.start();
    CHECK(ask("long") == "too long: 9 of 8");
    CHECK(ask("invalid") == "invalid");
    CHECK(ask("other") == "exception");
    CHECK(ask("plain") == "plain 7");
    CHECK(broker.stats().failed == 0);
}

TEST_CASE_METHOD(Fixture, "the other parameters are checked at start like a handler's") {
    broker.on_error<TooLong>([](const TooLong&, Path<"tenant"> tenant) { return Problem{std::string{*tenant}}; });
    broker.subscriber<"near">().handle([] {});
    CHECK_THROWS_AS(broker.start(), Error);
}

TEST_CASE_METHOD(Fixture, "nearest first; parameters are filled; the answer is not published") {
    std::atomic<int> published = 0;
    broker.on_error<TooLong>([](const TooLong&) { return Problem{"broker"}; });
    broker.subscriber<"near.{id}">()
        .on_error<std::exception>([](const std::exception&, Path<"id"> id, Context& context, const Add& add) {
            testing::must(context.subject() == "near.5");
            return Response<Problem>{{.what = std::string{*id} + std::to_string(add.b)}, {{"x", "y"}}};
        })
        .publish_to<"out">()
        .handle([](const Add&) -> Problem { throw TooLong{"?"}; });
    broker.subscriber<"far">()
        .on_error<Plain>([](const Plain&) { return Problem{"?"}; })
        .handle([](const Add&) -> Problem { throw TooLong{"?"}; });
    broker.subscriber<"out">().handle([&](Bytes) { ++published; });
    broker.subscriber<"end">().handle([] { return Sum{1}; });
    broker.start();
    CHECK(ask("near.5") == "52");
    CHECK(ask("far") == "broker");
    std::ignore = broker.request<Sum>("end", "");
    CHECK(broker.stop());
    CHECK(published == 0);
}

TEST_CASE_METHOD(Fixture, "Error is also what was returned, and what could not be decoded") {
    broker.on_error<Error>([](const Error& error) { return Problem{std::string{to_string(*error.condition())}}; });
    broker.subscriber<"returned">().handle([](const Add&) -> Expected<Problem> {
        return failure(Errc::not_found, "none");
    });
    broker.subscriber<"body">().handle([](const Order&, Header<"absent">) { return Problem{"handled"}; });
    broker.start();
    CHECK(ask("returned") == "not found");
    CHECK(ask("body") == "bad payload");
    CHECK(broker.stats().rejected == 0);
}

TEST_CASE_METHOD(Fixture,
                 "it may choose the outcome; void means dealt with; who asked is told of the error all the same") {
    broker.on_error<TooLong>([](const TooLong&) { return Outcome::term("never"); })
        .on_error<Invalid>([](const Invalid&) { return Outcome::nack(); })
        .on_error<Plain>([](const Plain&) {});
    broker.subscriber<"term">().handle([](const Add&) -> Problem { throw TooLong{"over"}; });
    broker.subscriber<"nack">().handle([](const Add&) -> Problem { throw Invalid{"later"}; });
    broker.subscriber<"void">().handle([](const Add&) { throw Plain{1}; });
    broker.start();
    CHECK(broker.try_request<Problem>("term", Add{}).error().remote_code() == 500);
    CHECK(broker.try_request<Problem>("nack", Add{}).error().remote_code() == 500);
    broker.publish("void", Add{});
    CHECK(eventually([&] {
        const auto stats = broker.stats();
        return stats.received == 3 && stats.failed == 2 && stats.rejected == 0;
    }));
}

TEST_CASE_METHOD(Fixture, "a function that throws itself leaves the failure as it was") {
    broker.on_error<Invalid>([](const Invalid&) { throw std::logic_error{"worse"}; });
    broker.subscriber<"a">().handle([](const Add&) -> Problem { throw Invalid{"first"}; });
    broker.start();
    CHECK(broker.try_request<Problem>("a", Add{}).error().remote_code() == 500);
    CHECK(log.wait_for("first").find("handler failed: ") != std::string::npos);
    CHECK(log.wait_for("worse").find("the on_error function threw: std::logic_error: worse") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "errors of middlewares and dependencies count, too; Ack and its like are no errors") {
    broker.on_error<Plain>([](const Plain& plain) { return Problem{std::to_string(plain.number)}; });
    std::atomic<bool> asked = false;
    broker.on_error<Ack>([&](const Ack&) { asked = true; });
    broker.subscriber<"a">().use([](Context&, Next) -> Outcome { throw Plain{3}; }).handle([](const Add&) {
        return Problem{"handled"};
    });
    broker.subscriber<"ack">().handle([](const Add&) { throw Ack{}; });
    broker.start();
    CHECK(ask("a") == "3");
    broker.publish("ack", Add{});
    CHECK(eventually([&] { return broker.stats().received == 2; }));
    CHECK(broker.stop());
    CHECK_FALSE(asked);
}

TEST_CASE_METHOD(Fixture, "the first filter that matches takes the message, else the default") {
    broker.subscriber<"events">()
        .when(header_is("kind", "add"), [](const Add& add) { return Problem{"add " + std::to_string(add.a)}; })
        .when(has_header("kind"), [](Header<"kind"> kind) { return Problem{"some " + std::string{*kind}}; })
        .when(content_type_is("text/plain"), [](std::string_view text) { return Problem{std::string{text}}; })
        .when([](Context& context) { return context.message().payload().empty(); }, [] { return Problem{"empty"}; })
        .handle([] { return Problem{"default"}; });
    broker.start();
    const auto ask = [&](std::string_view body, Headers headers) {
        return broker.request<Problem>("events", body, {.headers = std::move(headers)}).what;
    };
    CHECK(ask(R"({"a":4,"b":0})", {{"kind", "add"}}) == "add 4");
    CHECK(ask("", {{"kind", "other"}}) == "some other");
    CHECK(ask("text", {{"content-type", "text/plain; charset=utf-8"}}) == "text");
    CHECK(ask("", {}) == "empty");
    CHECK(ask("x", {}) == "default");
}

TEST_CASE_METHOD(Fixture, "without a default, what nothing matches is rejected") {
    broker.subscriber<"events">().when(has_header("kind"), [] { return Problem{"kind"}; }).handle();
    broker.start();
    const auto answer = broker.try_request<Problem>("events", "");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().remote_code() == 400);
    CHECK(eventually([&] { return broker.stats().rejected == 1; }));
}

TEST_CASE_METHOD(Fixture, "a filter that throws fails the message") {
    broker.subscriber<"events">()
        .when([](const Message&) -> bool { throw std::runtime_error{"?"}; }, [] { return Problem{"kind"}; })
        .handle([] { return Problem{"default"}; });
    broker.start();
    CHECK(broker.try_request<Problem>("events", "").error().remote_code() == 500);
}
