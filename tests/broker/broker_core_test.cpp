// SPDX-License-Identifier: Apache-2.0
// What a broker does when the transport below it misbehaves.
#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/native.hpp>
#include <freshet/testing/virtual_clock.hpp>

#include "broker/broker_core.hpp"
#include "delivery/message_queue.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using detail::BrokerCore;

namespace {

/// What the scripted transport does, and what came to it.
struct Script {
    std::function<Expected<void>(const Publication&)> publish = [](const Publication&) { return Expected<void>{}; };
    std::function<Expected<void>(const SubscriptionSpec&)> subscribe = [](const SubscriptionSpec&) {
        return Expected<void>{};
    };
    std::function<void()> drain = [] {};
    std::atomic<int> ended_subscriptions = 0;
    std::vector<std::shared_ptr<MessageSink>> sinks = {};
    EventSink events = {};
};

class ScriptedTransport final : public Transport {
public:
    explicit ScriptedTransport(Script& script) : script_{script} {}

    Expected<void> open(std::chrono::milliseconds, EventSink events) override {
        script_.events = std::move(events);
        return {};
    }
    Expected<void> publish(const Publication& publication) override { return script_.publish(publication); }
    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink) override {
        if (auto refused = script_.subscribe(spec); !refused) return std::unexpected{refused.error()};
        script_.sinks.push_back(std::move(sink));
        return std::make_unique<Subscription>(script_);
    }
    Expected<void> flush(std::chrono::milliseconds) override { return {}; }
    bool drain_deliveries(std::chrono::milliseconds) override {
        script_.drain();
        close({});
        return true;
    }
    void close(std::chrono::milliseconds) override {
        for (const auto& sink : std::exchange(script_.sinks, {})) sink->on_end();
    }
    ServerInfo server() const override { return {}; }
    TransportStats stats() const override { return {}; }

private:
    class Subscription final : public TransportSubscription {
    public:
        explicit Subscription(Script& script) : script_{script} {}
        void drain(std::chrono::milliseconds) override { ++script_.ended_subscriptions; }
        Expected<void> auto_unsubscribe(std::uint64_t) override { return {}; }
        std::size_t pending() const override { return 0; }
        std::uint64_t dropped() const override { return 0; }

    private:
        Script& script_;
    };

    Script& script_;
};

struct Fixture {
    Script script = {};
    Broker owner = Broker{};
    BrokerCore core{owner, {}, [this](const BrokerOptions&) { return std::make_unique<ScriptedTransport>(script); }};
};

Message message(std::string_view subject, const char* header, const char* value) {
    auto message = Message::make(subject);
    REQUIRE(natsMsgHeader_Set(message.native(), header, value) == NATS_OK);
    return message;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "what sending a request throws is its error, and nothing stays in flight") {
    core.start();
    script.publish = [](const Publication&) -> Expected<void> { throw std::bad_alloc{}; };

    const auto answer = core.link().request("orders.make", {}, {.timeout = 1h});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == std::errc::not_enough_memory);

    std::vector<std::string> answers;
    core.link().request_async("orders.make", {}, {.timeout = 1h}, [&](const Expected<Message>& reply) {
        answers.emplace_back(reply ? "an answer" : reply.error().what());
    });
    CHECK(answers == std::vector<std::string>{"out of memory"});

    const auto many = core.link().request_many("orders.make", {}, {.timeout = 1h});
    CHECK_FALSE(many->next().value());
    CHECK_FALSE(many->next());
    CHECK(core.stats().requests_in_flight == 0);
}

TEST_CASE_METHOD(Fixture, "what publishing throws is its error") {
    core.start();
    script.publish = [](const Publication&) -> Expected<void> { throw 42; };
    const auto sent = core.link().publish("orders", {}, {});
    REQUIRE_FALSE(sent);
    CHECK_THAT(sent.error().what(), ContainsSubstring("not a std::exception"));
    CHECK(core.link().publish("orders", {.content_type = "a\nb"}, {}).error().code() == Errc::bad_header);
}

TEST_CASE_METHOD(Fixture, "a request that cannot even be asked ends") {
    const auto many = core.link().request_many("orders.make", {}, {});
    CHECK(many->next().value().error().code() == Errc::closed);
    CHECK_FALSE(many->next());

    core.start();
    script.subscribe = [](const SubscriptionSpec&) -> Expected<void> { throw std::bad_alloc{}; };
    CHECK_THROWS_AS(core.link().request_many("orders.make", {}, {}), std::bad_alloc);
    CHECK_THROWS_AS(core.link().request("orders.make", {}, {}), std::bad_alloc);
    CHECK_THROWS_AS(core.link().request_async("orders.make", {}, {}, [](const Expected<Message>&) {}), std::bad_alloc);
    CHECK(core.stats().requests_in_flight == 0);
}

TEST_CASE_METHOD(Fixture, "a stream whose subscription failed ends") {
    script.subscribe = [](const SubscriptionSpec&) { return failure(Errc::disconnected, "gone"); };
    auto [subscriber, queue] = detail::open_stream(core, {.subject = "orders"});
    CHECK_THROWS_AS(core.start(), Error);
    CHECK_FALSE(queue->pop());
}

TEST_CASE("a slow subscriber is reported by its declared subject, once a second at most") {
    Script script;
    std::vector<ConnectionEvent> events;
    Broker owner;
    auto clock = std::make_shared<testing::VirtualClock>();
    const auto transport = [&](const BrokerOptions&) { return std::make_unique<ScriptedTransport>(script); };
    BrokerCore core{owner, {.on_event = [&](const ConnectionEvent& event) { events.push_back(event); }}, transport};
    core.prepare({.make_transport = transport, .clock = clock, .observer = nullptr});
    auto [subscriber, queue] =
        detail::open_stream(core, {.subject = "orders.{id}", .options = {.max_pending_messages = 1}});
    core.start();
    auto& sink = *script.sinks.front();
    CHECK(sink.on_dropped(7));  // by the transport
    REQUIRE(events.size() == 1);
    CHECK(events.front().kind == ConnectionEvent::Kind::slow_consumer);
    CHECK(events.front().subject == "orders.{id}");
    CHECK(sink.on_dropped(8));
    for (int i = 0; i < 5; ++i) sink.on_message(Message::make("orders.1"));  // by the stream, of which 4
    CHECK(events.size() == 1);

    clock->advance(1s);
    sink.on_message(Message::make("orders.1"));
    REQUIRE(events.size() == 2);
    CHECK(events.back().dropped == 5);
    sink.on_message(Message::make("orders.1"));
    CHECK(events.size() == 2);
    CHECK(subscriber->stats().dropped == 6);
    CHECK(core.stop(1s));
}

TEST_CASE_METHOD(Fixture, "a correlation id that cannot be sent on is not") {
    std::vector<std::optional<std::string>> sent;
    script.publish = [&](const Publication& publication) -> Expected<void> {
        const auto id = publication.headers == nullptr ? std::nullopt : publication.headers->get("correlation_id");
        sent.emplace_back(id);
        return {};
    };
    core.start();
    std::string made;
    detail::SubscriberSpec spec{.subject = "orders"};
    spec.handler = detail::make_handler<detail::RuntimeSubject, false>([&](Context& context) {
        CHECK(core.link().publish("noted", {}, {}));
        made = context.correlation_id();
        CHECK(core.link().publish("noted", {}, {}));
    });
    core.add(std::move(spec));
    script.sinks.front()->on_message(message("orders", "correlation_id", "a\nb"));
    CHECK_FALSE(made.empty());
    CHECK(sent == std::vector<std::optional<std::string>>{std::nullopt, made});

    script.sinks.front()->on_message(message("orders", "correlation_id", "c-1"));
    CHECK(sent.back() == "c-1");
    CHECK(made == "c-1");
    CHECK(core.stop(1s));
}

TEST_CASE_METHOD(Fixture, "a subscriber that is declared while a stop waits for start() is refused") {
    std::optional<Error> refused;
    script.subscribe = [&](const SubscriptionSpec& spec) -> Expected<void> {
        if (spec.subject != "orders") return {};
        {
            const detail::CallbackScope scope;
            CHECK(core.stop(0ms));
        }
        try {
            std::ignore = detail::open_stream(core, {.subject = "late"});
        } catch (const Error& error) { refused = error; }
        return {};
    };
    auto [subscriber, queue] = detail::open_stream(core, {.subject = "orders"});
    core.start();
    CHECK(core.stop(1s));
    REQUIRE(refused);
    CHECK(refused->code() == Errc::closed);
    CHECK_THAT(refused->what(), ContainsSubstring("late") && ContainsSubstring("the broker was stopped"));
}

TEST_CASE_METHOD(Fixture, "a stop whose winding down is held up stops the broker all the same") {
    std::binary_semaphore held{0};
    script.drain = [&] { held.acquire(); };
    core.start();
    CHECK_FALSE(core.stop(0ms));
    const auto sent = core.link().publish("orders", {}, {});
    CHECK_FALSE(sent);
    CHECK_FALSE(core.stop(0ms));
    held.release();
    core.end(0ms);
    CHECK_FALSE(core.stop(0ms));
    CHECK_FALSE(core.ended_clean());
}

TEST_CASE_METHOD(Fixture, "a stop that gives up while start() still works ends the subscriptions that were made") {
    std::binary_semaphore reached{0};
    std::binary_semaphore held{0};
    script.subscribe = [&](const SubscriptionSpec& spec) -> Expected<void> {
        if (spec.subject != "slow") return {};
        reached.release();
        held.acquire();
        return {};
    };
    auto [first, orders] = detail::open_stream(core, {.subject = "orders"});
    auto [second, slow] = detail::open_stream(core, {.subject = "slow"});
    std::thread starting{[&] { core.start(); }};
    reached.acquire();
    CHECK_FALSE(core.stop(0ms));
    CHECK(script.ended_subscriptions == 1);
    held.release();
    starting.join();
}

TEST_CASE_METHOD(Fixture, "a stop while the subscribers start ends those that were not reached") {
    std::vector<std::string> subscribed;
    script.subscribe = [&](const SubscriptionSpec& spec) -> Expected<void> {
        subscribed.push_back(spec.subject);
        const detail::CallbackScope scope;
        CHECK(core.stop(1h));
        return {};
    };
    auto [first, reached] = detail::open_stream(core, {.subject = "first"});
    auto [second, unreached] = detail::open_stream(core, {.subject = "second"});
    core.start();
    CHECK(core.stop(1h));
    CHECK(subscribed == std::vector<std::string>{"first"});
    CHECK_FALSE(reached->pop());
    CHECK_FALSE(unreached->pop());
    CHECK(second->finished());
}
