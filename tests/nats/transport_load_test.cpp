// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/transport.hpp>

#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;

namespace {

/// Counts, and keeps nothing.
class Counter final : public MessageSink {
public:
    void on_message(Message message) noexcept override {
        bytes += message.payload().size();
        ++messages;
    }
    void on_end() noexcept override {}

    std::atomic<std::uint64_t> messages = 0;
    std::atomic<std::uint64_t> bytes = 0;
};

class Burst final : public MessageSink {
public:
    Burst(Transport& transport, int count, std::size_t size, std::string subject = "data", std::string reply_to = {})
        : transport_{&transport},
          count_{count},
          body_(size, 'x'),
          subject_{std::move(subject)},
          reply_to_{std::move(reply_to)} {}

    void on_message(Message) noexcept override {
        for (int i = 0; i < count_; ++i) {
            if (!transport_->publish({.subject = subject_, .reply_to = reply_to_, .payload = as_bytes(body_)}))
                ++refused;
        }
        done = true;
    }
    void on_end() noexcept override {}

    std::atomic<int> refused = 0;
    std::atomic<bool> done = false;

private:
    Transport* transport_;
    int count_;
    std::string body_;
    std::string subject_;
    std::string reply_to_;
};

/// Answers as services do.
class Answering final : public MessageSink {
public:
    Answering(Transport& transport, std::size_t size) : transport_{&transport}, body_(size, 'y') {}

    void on_message(Message message) noexcept override {
        if (!transport_->publish({.subject = message.reply_to(), .payload = as_bytes(body_), .lane = Lane::deliveries}))
            ++refused;
    }
    void on_end() noexcept override {}

    std::atomic<int> refused = 0;

private:
    Transport* transport_;
    std::string body_;
};

SubscriptionSpec with_subject(SubscriptionSpec spec, std::string subject) {
    spec.subject = std::move(subject);
    return spec;
}

}  // namespace

// On one connection of cnats's this deadlocks: the publisher blocks in send() with the lock that the reader needs,
// until the server cuts the client off.
TEST_CASE("a handler publishes a million messages to its own broker") {
    constexpr int count = 1'000'000;
    constexpr std::size_t size = 128;
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {}, events.sink());
    auto counter = std::make_shared<Counter>();
    auto burst = std::make_shared<Burst>(*transport, count, size);
    const auto data =
        subscribe(*transport, counter, {.subject = "data", .max_pending_messages = 0, .max_pending_bytes = 0});
    const auto go = subscribe(*transport, burst, {.subject = "go"});
    publish(*transport, "go", "");

    // Only a standstill fails: nothing published and nothing delivered for ten seconds.
    std::uint64_t seen = 0;
    while (counter->messages < count) {
        REQUIRE(eventually([&] { return counter->messages > seen; }, 10s));
        seen = counter->messages;
    }
    CHECK(burst->done);
    CHECK(burst->refused == 0);
    CHECK(counter->bytes == count * size);
    CHECK(data->dropped() == 0);
    CHECK(events.kinds() == std::vector{ConnectionEvent::Kind::connected});
}

// The answers leave on the connection that delivers, while that is flooded: a full buffer must not keep it from
// reading.
TEST_CASE("a service asks itself a million times as fast as it can, and answers") {
    constexpr int count = 1'000'000;
    constexpr std::size_t size = 128;
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {}, events.sink());
    auto answers = std::make_shared<Counter>();
    auto service = std::make_shared<Answering>(*transport, 4 * size);
    auto burst = std::make_shared<Burst>(*transport, count, size, "ask", "answers");
    const SubscriptionSpec unlimited{.max_pending_messages = 0, .max_pending_bytes = 0};
    const auto asked = subscribe(*transport, service, with_subject(unlimited, "ask"));
    const auto answered = subscribe(*transport, answers, with_subject(unlimited, "answers"));
    const auto go = subscribe(*transport, burst, {.subject = "go"});
    publish(*transport, "go", "");

    std::uint64_t seen = 0;
    while (answers->messages < count) {
        REQUIRE(eventually([&] { return answers->messages > seen; }, 10s));
        seen = answers->messages;
    }
    CHECK(burst->refused == 0);
    CHECK(service->refused == 0);
    CHECK(answers->bytes == count * 4 * size);
    CHECK(events.kinds() == std::vector{ConnectionEvent::Kind::connected});
}

TEST_CASE("many threads publish and subscribe on one transport") {
    constexpr int per_thread = 2'000;
    constexpr int thread_count = 8;
    NatsServer server;
    auto transport = connect(server);
    auto counter = std::make_shared<Counter>();
    const auto all = subscribe(*transport, counter, {.subject = "t.>"});
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < thread_count; ++t) {
        threads.emplace_back([&, t] {
            const auto subject = "t." + std::to_string(t);
            const Headers headers{{"thread", std::to_string(t)}};
            for (int i = 0; i < per_thread; ++i) {
                if (i % 200 == 0) refused += !transport->subscribe({.subject = "t.x"}, std::make_shared<Counter>());
                refused += !transport->publish(
                    {.subject = subject, .payload = as_bytes("x"), .headers = i % 10 == 0 ? &headers : nullptr});
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(refused == 0);
    CHECK(eventually([&] { return counter->messages == thread_count * per_thread; }));
    CHECK(transport->stats().out_messages == thread_count * per_thread);
}
