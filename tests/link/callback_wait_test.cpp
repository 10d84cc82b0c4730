// SPDX-License-Identifier: Apache-2.0
// Calls that block, in a function that may not: on the thread that brings answers, and on the timer's.
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/server.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}}};
    std::string where = GENERATE("an answer", "a deadline");

    Fixture() {
        broker.subscriber<"echo">().handle([](std::string_view body) { return std::string{body}; });
        broker.subscriber<"mute">().handle([](std::string_view) {});
        broker.start();
    }

    /// Runs `body` in a function that gets an answer, or is told of its deadline; what it threw, as text.
    std::string inside(std::function<void()> body) {
        CAPTURE(where);
        auto said = std::make_shared<std::promise<std::string>>();
        auto future = said->get_future();
        const auto subject = where == "an answer" ? "echo" : "mute";
        broker.client<void(std::string)>(subject).async(
            {.timeout = where == "an answer" ? 20s : 1ms}, "x", [said, body = std::move(body)](const Expected<void>&) {
                try {
                    body();
                    said->set_value("");
                } catch (const Error& error) {
                    said->set_value(std::string{error.code() == Errc::bad_setup ? "" : "another error: "} +
                                    error.what());
                }
            });
        REQUIRE(future.wait_for(20s) == std::future_status::ready);
        return future.get();
    }
};

const auto refused = ContainsSubstring("refused, since a function given to async must not block");

}  // namespace

TEST_CASE_METHOD(Fixture, "a request inside the function of an answer or a deadline is refused") {
    const auto text = inside([&] { broker.request<std::string>("echo", "y", {.timeout = 10s}); });
    CHECK_THAT(text, refused);
    CHECK_THAT(text, ContainsSubstring("request on \"echo\""));
    CHECK(broker.request<std::string>("echo", "later", {.timeout = 20s}) == "later");
}

TEST_CASE_METHOD(Fixture, "reading many answers inside such a function is refused, and ends") {
    CHECK_THAT(inside([&] {
                   for (const auto& one : broker.request_many<std::string>("echo", "y", {.timeout = 10s}))
                       throw Error{Errc::remote, one};
               }),
               refused);
    auto begun =
        std::make_shared<Replies<std::string>>(broker.request_many<std::string>("mute", "y", {.timeout = 30s}));
    CHECK_THAT(inside([&] {
                   auto first = begun->next();
                   if (!first || begun->next()) throw Error{Errc::remote, "it did not end"};
                   value_or_raise(std::move(*first));
               }),
               refused);
}

TEST_CASE_METHOD(Fixture, "a round trip inside such a function is refused") {
    CHECK_THAT(inside([&] { broker.ping(10s); }), refused);
    CHECK_THAT(inside([&] { broker.subscriber<"new">().handle([](std::string_view) {}); }), refused);
    CHECK(broker.stats().subscribers == 2);
    CHECK_THAT(inside([&] {
                   Broker another{{.servers = {server.url()}}};
                   another.start();
               }),
               refused);
}

TEST_CASE_METHOD(Fixture, "what does not block is allowed in such a function") {
    std::promise<std::string> answered;
    CHECK(inside([&] {
              broker.publish("mute", "z");
              broker.client<std::string(std::string)>("echo").async("again", [&](Expected<std::string> answer) {
                  answered.set_value(answer.value_or("none"));
              });
          }).empty());
    CHECK(answered.get_future().get() == "again");
}
