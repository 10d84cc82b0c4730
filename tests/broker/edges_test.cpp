// SPDX-License-Identifier: Apache-2.0
// Stops and destructors in every place where freshet calls a user's code.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <semaphore>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <freshet/app.hpp>
#include <freshet/freshet.hpp>

#include "../support/ends.hpp"
#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::ends;
using testing::eventually;
using testing::must;
using Kind = ConnectionEvent::Kind;

namespace {

/// The function that the place under test calls, once.
std::function<void()> in_place;
std::atomic<int> places = 0;

void arrive() {
    if (places++ == 0) in_place();
}

struct Extracted {};
struct Guard {
    Guard() = default;
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() { arrive(); }
};
struct Told : Guard {
    void on_outcome(const Outcome&) const { arrive(); }
};

void dependency() { arrive(); }
Guard guard() { return {}; }
Told told() { return {}; }

}  // namespace

template <>
struct freshet::Extractor<Extracted> {
    static Expected<Extracted> extract(Context&) {
        arrive();
        return Extracted{};
    }
};

namespace {

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    std::unique_ptr<Broker> broker = make();

    std::unique_ptr<Broker> make(std::function<void(const ConnectionEvent&)> on_event = {}) const {
        return std::make_unique<Broker>(BrokerOptions{
            .servers = {server.url()}, .stop_timeout = 1h, .on_event = std::move(on_event)});
    }

    using Declare = std::function<void(Broker&)>;
    static std::pair<const char*, Declare> place() {
        static const std::pair<const char*, Declare> all[] = {
            {"handler", [](Broker& own) { own.subscriber<"x">().handle([](std::string_view) { arrive(); }); }},
            {"batch",
             [](Broker& own) {
                 own.subscriber<"x">({.batch = {.size = 1}}).handle([](std::span<const std::string>) { arrive(); });
             }},
            {"middleware",
             [](Broker& own) {
                 own.use([](Context& context, Next next) {
                     arrive();
                     return next(context);
                 });
                 own.subscriber<"x">().handle([](std::string_view) {});
             }},
            {"publish middleware",
             [](Broker& own) {
                 own.subscriber<"x">()
                     .use_publish([](Outgoing& out, NextPublish next) {
                         arrive();
                         return next(out);
                     })
                     .handle([](std::string_view body) { return std::string{body}; });
             }},
            {"extractor", [](Broker& own) { own.subscriber<"x">().handle([](Extracted) {}); }},
            {"dependency", [](Broker& own) { own.subscriber<"x">().handle([](Depends<&dependency>) {}); }},
            {"destructor of a dependency", [](Broker& own) { own.subscriber<"x">().handle([](Depends<&guard>) {}); }},
            {"on_outcome", [](Broker& own) { own.subscriber<"x">().handle([](Depends<&told>) {}); }},
            {"on_error",
             [](Broker& own) {
                 own.on_error<std::runtime_error>([](const std::runtime_error&) { arrive(); });
                 own.subscriber<"x">().handle([](std::string_view) { throw std::runtime_error{"no"}; });
             }},
            {"filter",
             [](Broker& own) {
                 own.subscriber<"x">()
                     .when(
                         [](const Message&) {
                             arrive();
                             return true;
                         },
                         [](std::string_view) {})
                     .handle();
             }},
            {"ordered_by",
             [](Broker& own) {
                 own.subscriber<"x">({.workers = 2,
                                      .ordered_by = [](const Message&) -> std::size_t {
                                          arrive();
                                          return 0;
                                      }})
                     .handle([](std::string_view) {});
             }},
        };
        return all[static_cast<std::size_t>(GENERATE(Catch::Generators::range(0, 11)))];
    }

    void arrive_with(std::function<void()> function, Broker& through) {
        places = 0;
        in_place = std::move(function);
        through.publish("x", "x", {.reply_to = "nobody"});
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a broker is stopped wherever freshet calls a user's code") {
    const auto [name, declare] = place();
    CAPTURE(name);
    declare(*broker);
    broker->start();
    std::atomic<bool> said = false;
    arrive_with([&] { said = broker->stop(); }, *broker);
    REQUIRE(eventually([] { return places > 0; }));
    CHECK(ends([&] { must(broker->stop()); }));
    CHECK(said);
}

TEST_CASE_METHOD(Fixture, "a broker is destroyed wherever another one calls a user's code") {
    const auto [name, declare] = place();
    CAPTURE(name);
    declare(*broker);
    auto other = make();
    for (int n = 0; n < 64; ++n) other->subscriber("many." + std::to_string(n)).handle([](std::string_view) {});
    other->start();
    broker->start();
    std::atomic<bool> gone = false;
    arrive_with(
        [&] {
            other.reset();
            gone = true;
        },
        *broker);
    CHECK(eventually([&] { return gone.load(); }));
    CHECK(ends([&] { broker.reset(); }));
}

TEST_CASE_METHOD(Fixture, "a handler's stop_callback may stop the broker again") {
    std::binary_semaphore waits{0};
    broker->subscriber<"x">({.dedicated = true}).handle([&](std::string_view, std::stop_token stop) {
        std::binary_semaphore go{0};
        const std::stop_callback asked{stop, [&] {
                                           must(broker->stop());
                                           go.release();
                                       }};
        waits.release();
        go.acquire();
    });
    broker->start();
    broker->publish("x", "");
    waits.acquire();
    CHECK(ends([&] { must(broker->stop()); }));
}

TEST_CASE_METHOD(Fixture, "a broker is stopped or destroyed inside its on_event while it starts") {
    const auto when = GENERATE(Kind::waiting, Kind::connected);
    const bool destroys = GENERATE(false, true);
    if (when == Kind::waiting) server.stop();
    std::atomic<bool> called = false;
    broker = make([&](const ConnectionEvent& event) {
        if (event.kind != when) return;
        if (destroys) broker.reset();
        else broker->stop();
        called = true;
    });
    broker->subscriber<"x">().handle([](std::string_view) {});
    auto& own = *broker;
    CHECK(ends([&] {
        try {
            own.start();
            must(false);
        } catch (const Error& error) { must(error.code() == Errc::closed); }
    }));
    CHECK(called);
}

TEST_CASE_METHOD(Fixture, "a run that is refused does not stop the broker") {
    broker->start();
    CHECK_THROWS_AS(broker->run(), Error);
    CHECK(broker->running());
    CHECK(broker->ping() > 0ns);
}

TEST_CASE_METHOD(Fixture, "an App that was told to exit before it ran does not start") {
    App app{*broker};
    app.exit(7);
    CHECK(ends([&] { must(app.run() == 7); }));
    CHECK(!broker->running());
}

TEST_CASE_METHOD(Fixture, "two threads start a broker: one of them does, the other is told") {
    std::atomic<int> started = 0;
    std::atomic<int> refused = 0;
    {
        const auto start = [&] {
            try {
                broker->start();
                ++started;
            } catch (const Error& error) {
                must(error.code() == Errc::bad_setup);
                ++refused;
            }
        };
        const std::jthread first{start};
        const std::jthread second{start};
    }
    CHECK(started == 1);
    CHECK(refused == 1);
    CHECK(broker->ping() > 0ns);
}

TEST_CASE_METHOD(Fixture, "threads that stop a broker with other timeouts wait no longer than theirs") {
    std::binary_semaphore go{0};
    std::binary_semaphore in{0};
    broker->subscriber<"x">({.dedicated = true}).handle([&](std::string_view) {
        in.release();
        go.acquire();
    });
    broker->start();
    broker->publish("x", "");
    in.acquire();
    auto patient = std::async(std::launch::async, [&] { return broker->stop(1h); });
    REQUIRE(eventually([&] { return !broker->running(); }));
    CHECK(ends([&] { must(!broker->stop(0ms)); }));
    go.release();
    CHECK(patient.get());
    CHECK(broker->stop(0ms));
}
