// SPDX-License-Identifier: Apache-2.0
// A child that fork() made of a process with a broker: nothing works there, and that is said at once.
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <freshet/freshet.hpp>

#include "../support/server.hpp"
#include "../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

/// What `function` returns in a forked child; "hangs" when it does not come back.
std::string in_child(const std::function<std::string()>& function) {
    constexpr int timeout = 20'000;  // milliseconds
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        std::string text;
        try {
            text = function();
        } catch (const std::exception& error) { text = error.what(); }
        (void)!::write(ends[1], text.data(), text.size());
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string text;
    std::array<char, 4096> part{};
    pollfd ready{ends[0], POLLIN, 0};
    while (true) {
        if (::poll(&ready, 1, timeout) != 1) {
            text = "hangs";
            break;
        }
        const auto size = ::read(ends[0], part.data(), part.size());
        if (size <= 0) break;
        text.append(part.data(), static_cast<std::size_t>(size));
    }
    ::close(ends[0]);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return text;
}

template <class Call>
std::string error_of(Call call) {
    try {
        call();
    } catch (const Error& error) { return error.what(); }
    return "no error";
}

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    std::unique_ptr<Broker> broker =
        std::make_unique<Broker>(BrokerOptions{.servers = {server.url()}, .stop_timeout = 1h});

    void start() {
        broker->subscriber<"add">().handle([](const Add& add) { return Sum{add.a + add.b}; });
        broker->subscriber<"work">({.workers = 2}).handle([](std::string_view) {});
        broker->start();
        REQUIRE(broker->request<Sum>("add", Add{1, 2}, {.timeout = 20s}).value == 3);
    }
};

constexpr auto advice =
    "this process was forked after its parent had started a broker, and has none of the threads that "
    "a broker needs; fork first, then start the brokers";

}  // namespace

// First: it needs a process that has not used NATS.
TEST_CASE("a broker may be made before fork and started after it") {
    testing::NatsServer server;
    Broker broker{{.servers = {server.url()}}};
    const auto started = in_child([&] {
        broker.start();
        broker.publish("orders", "x");
        return std::string{broker.stop() ? "stopped" : "not stopped"};
    });
    CHECK(started == "stopped");
}

TEST_CASE_METHOD(Fixture, "in a forked child publish, request, subscribe and ping say that it was forked") {
    start();
    const auto publish = in_child([&] { return error_of([&] { broker->publish("work", "x"); }); });
    CHECK_THAT(publish, ContainsSubstring("\"work\": ") && ContainsSubstring(advice));
    const auto request =
        in_child([&] { return error_of([&] { broker->request<Sum>("add", Add{}, {.timeout = 1h}); }); });
    CHECK_THAT(request, ContainsSubstring("\"add\": ") && ContainsSubstring(advice));
    const auto async = in_child([&] {
        return error_of([&] { broker->client<Sum(const Add&)>("add", {.timeout = 1h}).async(Add{}).get(); });
    });
    CHECK_THAT(async, ContainsSubstring(advice));
    const auto many =
        in_child([&] { return std::string{broker->request_many<Sum>("add", Add{}).next()->error().what()}; });
    CHECK_THAT(many, ContainsSubstring(advice));
    const auto subscribe =
        in_child([&] { return error_of([&] { broker->subscriber("new").handle([](std::string_view) {}); }); });
    CHECK_THAT(subscribe, ContainsSubstring(advice));
    const auto ping = in_child([&] { return error_of([&] { broker->ping(20s); }); });
    CHECK_THAT(ping, ContainsSubstring(advice));

    CHECK(broker->request<Sum>("add", Add{3, 4}, {.timeout = 20s}).value == 7);  // the parent goes on
}

TEST_CASE_METHOD(Fixture, "in a forked child messages may be made and let go, however many") {
    start();
    const auto made = in_child([&] {
        for (int i = 0; i < 1'000; ++i) {
            if (Message::make("work").subject() != "work") return std::string{"broken"};
        }
        return std::string{"made"};
    });
    CHECK(made == "made");
}

TEST_CASE_METHOD(Fixture, "in a forked child a new broker does not start, and says why") {
    start();
    const auto started = in_child([&] {
        Broker another{{.servers = {server.url()}}};
        another.subscriber<"add">().handle([](const Add&) {});
        return error_of([&] { another.start(); });
    });
    CHECK_THAT(started, ContainsSubstring(advice));
}

TEST_CASE_METHOD(Fixture,
                 "in a forked child stopping and destroying the broker does nothing, and the parent's goes on") {
    start();
    const auto stopped = in_child([&] {
        broker->stop();
        return error_of([&] { broker->publish("work", "x"); });
    });
    CHECK_THAT(stopped, ContainsSubstring(advice));
    const auto destroyed = in_child([&] {
        broker.reset();
        return std::string{"destroyed"};
    });
    CHECK(destroyed == "destroyed");
    CHECK(broker->request<Sum>("add", Add{3, 4}, {.timeout = 20s}).value == 7);
    CHECK(broker->stop());
}
