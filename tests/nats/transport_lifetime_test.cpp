// SPDX-License-Identifier: Apache-2.0
// Each case names the trap of cnats's that it guards against.
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/transport.hpp>

#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;

namespace {

/// Publishes steadily until it is destroyed. Not at full rate: on Lane::replies a transport must not feed itself so.
class Traffic {
public:
    Traffic(Transport& transport, std::string subject)
        : thread_{[this, &transport, subject = std::move(subject)] {
              while (!stop_) {
                  static_cast<void>(transport.publish({.subject = subject, .payload = as_bytes("x")}));
                  std::this_thread::sleep_for(50us);
              }
          }} {}
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;
    ~Traffic() {
        stop_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

/// A sink that owns something big and counts itself.
class Counted final : public MessageSink {
public:
    explicit Counted(std::chrono::microseconds work) : work_{work} { ++alive; }
    ~Counted() override { --alive; }

    void on_message(Message message) noexcept override {
        std::this_thread::sleep_for(work_);
        if (message.text() != "x" || payload_[500] != 'y') ++wrong;
        ++messages;
    }
    void on_end() noexcept override { ++ends; }

    static inline std::atomic<int> alive = 0;
    static inline std::atomic<int> ends = 0;
    static inline std::atomic<int> wrong = 0;
    static inline std::atomic<long> messages = 0;

private:
    std::chrono::microseconds work_;
    std::string payload_ = std::string(1'000, 'y');
};

}  // namespace

// nats.c #299, #318: destroying a subscription does not end a delivery that has begun, so what the callback uses may be
// freed only in the on-complete callback.
TEST_CASE("a subscription destroyed while its handler runs ends once, and frees its sink then") {
    constexpr int count = 200;
    NatsServer server;
    auto transport = connect(server);
    {
        const Traffic traffic{*transport, "t"};
        for (int i = 0; i < count; ++i) {
            const auto lane = i % 2 == 0 ? Lane::deliveries : Lane::replies;
            auto subscription =
                value_or_raise(transport->subscribe({.subject = "t", .lane = lane}, std::make_shared<Counted>(300us)));
            const auto seen = Counted::messages.load();
            REQUIRE(eventually([&] { return Counted::messages > seen; }));
        }
    }
    CHECK(eventually([] { return Counted::ends == count && Counted::alive == 0; }));
    CHECK(Counted::wrong == 0);
    CHECK(Counted::ends == count);
}

TEST_CASE("on_end comes exactly once, whatever ends a subscription") {
    NatsServer server;
    auto transport = connect(server);
    const auto lane = GENERATE(Lane::deliveries, Lane::replies);
    auto inbox = std::make_shared<Inbox>();
    auto subscription = subscribe(*transport, inbox, {.subject = "x", .lane = lane});
    publish(*transport, "x", "1");
    REQUIRE(inbox->wait_for(1));

    SECTION("destroyed") { subscription.reset(); }
    SECTION("drained") { subscription->drain(10s); }
    SECTION("drained twice, then destroyed") {
        subscription->drain(10s);
        subscription->drain(10s);
        subscription.reset();
    }
    SECTION("drained in no time") { subscription->drain(0ms); }
    SECTION("the number of messages asked for was reached") {
        value_or_raise(subscription->auto_unsubscribe(2));
        publish(*transport, "x", "2");
        publish(*transport, "x", "3");
    }
    SECTION("the transport was drained and closed") {
        if (lane == Lane::deliveries) CHECK(transport->drain_deliveries(10s));
        transport->close(1s);
    }
    SECTION("the transport was closed") { transport->close(1s); }
    SECTION("the transport was destroyed") { transport.reset(); }

    REQUIRE(inbox->wait_for_end());
    if (transport != nullptr) transport->close(1s);
    subscription.reset();
    transport.reset();
    CHECK(inbox->ends() == 1);
    CHECK_FALSE(inbox->heard_after_end());
    CHECK(inbox->size() <= 2);
}

TEST_CASE("a subscription can be destroyed, drained and limited inside its own on_message") {
    NatsServer server;
    auto transport = connect(server);
    const auto how = GENERATE(0, 1, 2);
    const auto lane = GENERATE(Lane::deliveries, Lane::replies);
    std::unique_ptr<TransportSubscription> subscription;
    std::latch stored{1};
    std::atomic<bool> refused = false;
    auto inbox = std::make_shared<Inbox>([&](const Message&) {
        stored.wait();
        if (subscription == nullptr) return;
        if (how == 0) subscription.reset();
        else if (how == 1) subscription->drain(10s);
        else refused = !subscription->auto_unsubscribe(2);
    });
    subscription = subscribe(*transport, inbox, {.subject = "x", .lane = lane});
    for (int i = 0; i < 3; ++i) publish(*transport, "x", std::to_string(i));
    value_or_raise(transport->flush(10s));
    stored.count_down();
    REQUIRE(inbox->wait_for_end());
    CHECK(inbox->ends() == 1);
    CHECK_FALSE(refused);
    if (how == 0) CHECK(inbox->size() == 1);
    else CHECK(inbox->size() >= 2);
    transport->close(1s);
}

TEST_CASE("a subscription outlives its transport without harm") {
    NatsServer server;
    auto transport = connect(server);
    auto inbox = std::make_shared<Inbox>();
    auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    transport.reset();
    CHECK(inbox->ends() == 1);
    CHECK(subscription->pending() == 0);
    CHECK(subscription->dropped() == 0);
    const auto limited = subscription->auto_unsubscribe(1);
    REQUIRE_FALSE(limited);
    CHECK(limited.error().code() == Errc::closed);
    subscription->drain(10s);
}

TEST_CASE("auto_unsubscribe delivers exactly as many and takes no number that cnats cannot count") {
    NatsServer server;
    auto transport = connect(server);
    auto inbox = std::make_shared<Inbox>();
    auto subscription = value_or_raise(transport->subscribe({.subject = "x"}, inbox));
    for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1} << 31}) {
        const auto refused = subscription->auto_unsubscribe(count);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == Errc::bad_setup);
    }
    value_or_raise(subscription->auto_unsubscribe(5));
    value_or_raise(transport->flush(10s));
    for (int i = 0; i < 20; ++i) publish(*transport, "x", std::to_string(i));
    REQUIRE(inbox->wait_for_end());
    CHECK(inbox->size() == 5);
}

// An exception in a callback would unwind through C frames. The type forbids it: what escapes ends the program, here
// and not somewhere inside cnats.
TEST_CASE("a sink cannot throw into cnats") {
    STATIC_CHECK(noexcept(std::declval<MessageSink&>().on_message(Message{})));
    STATIC_CHECK(noexcept(std::declval<MessageSink&>().on_end()));
}

TEST_CASE("an event sink that throws does no harm") {
    NatsServer server;
    std::atomic<int> called = 0;
    auto transport = connect(server, {}, [&](const ConnectionEvent&) {
        ++called;
        throw std::runtime_error{"from the event sink"};
    });
    CHECK(called == 1);
    transport->close(1s);
    CHECK(called == 2);
}

TEST_CASE("draining delivers everything that was taken, of all subscriptions at once") {
    constexpr std::size_t subscriptions = 20;
    constexpr std::size_t each = 50;
    NatsServer server;
    auto transport = connect(server);
    std::vector<std::shared_ptr<Inbox>> inboxes;
    std::vector<std::unique_ptr<TransportSubscription>> held;
    std::latch begin{1};
    for (std::size_t i = 0; i < subscriptions; ++i) {
        inboxes.push_back(std::make_shared<Inbox>([&](const Message&) {
            begin.wait();
            std::this_thread::sleep_for(100us);
        }));
        held.push_back(subscribe(*transport, inboxes.back(), {.subject = "d." + std::to_string(i)}));
    }
    for (std::size_t n = 0; n < each; ++n) {
        for (std::size_t i = 0; i < subscriptions; ++i)
            publish(*transport, "d." + std::to_string(i), std::to_string(n));
    }
    value_or_raise(transport->flush(10s));
    begin.count_down();
    CHECK(transport->drain_deliveries(20s));
    for (const auto& inbox : inboxes) {
        CHECK(inbox->size() == each);
        CHECK(inbox->ends() == 1);
    }
}

TEST_CASE("while it drains, handlers publish and get replies, and new subscriptions are refused") {
    NatsServer server;
    auto transport = connect(server);
    auto other = connect(server);
    auto answers =
        std::make_shared<Inbox>([&](const Message& message) { publish(*other, message.reply_to(), "answer"); });
    const auto service = subscribe(*other, answers, {.subject = "ask"});
    auto replies = std::make_shared<Inbox>();
    const auto waiting = subscribe(*transport, replies, {.subject = "_INBOX.z.*", .lane = Lane::replies});
    std::latch draining{1};
    std::atomic<bool> worked = false;
    auto handler = std::make_shared<Inbox>([&](const Message&) {
        draining.wait();
        worked = transport->publish({.subject = "ask", .reply_to = "_INBOX.z.1", .flush = Flush::now}) &&
                 replies->wait_for(1) &&
                 transport->publish({.subject = "after", .payload = as_bytes("published while draining")}) &&
                 transport->flush(10s);
    });
    const auto subscription = subscribe(*transport, handler, {.subject = "work"});
    auto after = std::make_shared<Inbox>();
    const auto listening = subscribe(*other, after, {.subject = "after"});
    publish(*transport, "work", "1");
    value_or_raise(transport->flush(10s));

    bool refused = false;
    std::thread release{[&] {
        refused = eventually([&] {
            const auto tried = transport->subscribe({.subject = "more"}, std::make_shared<Inbox>());
            return !tried && tried.error().code() == Errc::closed;
        });
        draining.count_down();
    }};
    CHECK(transport->drain_deliveries(20s));
    release.join();
    CHECK(refused);
    CHECK(worked);
    CHECK(handler->ends() == 1);
    CHECK(after->wait_for(1));
    CHECK(transport->drain_deliveries(20s));  // again: nothing is left to do
    transport->close(1s);
    other->close(1s);
}

TEST_CASE("draining ends at its deadline and says that something was left") {
    NatsServer server;
    auto transport = connect(server);
    std::latch go_on{1};
    auto inbox = std::make_shared<Inbox>([&](const Message&) { go_on.wait(); });
    const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    for (int i = 0; i < 10; ++i) publish(*transport, "x", std::to_string(i));
    REQUIRE(inbox->wait_for(1));
    CHECK_FALSE(transport->drain_deliveries(50ms));
    CHECK(inbox->ends() == 0);
    go_on.count_down();
    transport->close(1s);
    CHECK(inbox->ends() == 1);
    CHECK(inbox->size() == 1);  // the others were dropped
}

// cnats puts the same control message into its queue twice when a connection is drained over a subscription that
// drains.
TEST_CASE("a transport can be drained while one of its subscriptions drains") {
    NatsServer server;
    auto transport = connect(server);
    std::latch begin{1};
    std::vector<std::shared_ptr<Inbox>> inboxes;
    std::vector<std::unique_ptr<TransportSubscription>> held;
    for (int i = 0; i < 4; ++i) {
        inboxes.push_back(std::make_shared<Inbox>([&](const Message&) { begin.wait(); }));
        held.push_back(subscribe(*transport, inboxes.back(), {.subject = "x"}));
    }
    for (int i = 0; i < 100; ++i) publish(*transport, "x", std::to_string(i));
    value_or_raise(transport->flush(10s));
    held[0]->drain(20s);
    held[1]->drain(20s);
    value_or_raise(transport->flush(10s));
    std::thread release{[&] {
        std::this_thread::sleep_for(50ms);  // so that the drain is under way; the result is the same if it is not
        begin.count_down();
    }};
    CHECK(transport->drain_deliveries(20s));
    release.join();
    for (const auto& inbox : inboxes) {
        CHECK(inbox->size() == 100);
        CHECK(inbox->ends() == 1);
    }
}

// nats.c #735, #331: callbacks run after natsConnection_Destroy has returned.
TEST_CASE("no callback runs once close has returned") {
    NatsServer server;
    auto publisher = connect(server);
    const Traffic traffic{*publisher, "t"};
    for (int round = 0; round < 20; ++round) {
        EventLog events;
        auto transport = connect(server, {}, events.sink());
        std::atomic<bool> closed = false;
        std::atomic<int> late = 0;
        const auto count_late = [&](const Message&) {
            if (closed) ++late;
            std::this_thread::sleep_for(50us);
        };
        std::vector<std::shared_ptr<Inbox>> inboxes;
        std::vector<std::unique_ptr<TransportSubscription>> held;
        for (int i = 0; i < 8; ++i) {
            inboxes.push_back(std::make_shared<Inbox>(count_late));
            held.push_back(value_or_raise(transport->subscribe(
                {.subject = "t", .lane = i % 2 == 0 ? Lane::deliveries : Lane::replies}, inboxes.back())));
        }
        REQUIRE(inboxes.back()->wait_for(1));
        transport->close(1s);
        closed = true;
        const auto events_at_close = events.all().size();
        for (const auto& inbox : inboxes) {
            REQUIRE(inbox->ends() == 1);
            REQUIRE(inbox.use_count() == 1);
        }
        REQUIRE(events.kinds().back() == ConnectionEvent::Kind::closed);
        if (round % 2 == 0) transport.reset();
        std::this_thread::yield();
        REQUIRE(late == 0);
        REQUIRE(events.all().size() == events_at_close);
    }
}

TEST_CASE("close waits for a handler that runs") {
    NatsServer server;
    auto transport = connect(server);
    std::latch go_on{1};
    std::atomic<bool> finished = false;
    auto inbox = std::make_shared<Inbox>([&](const Message&) {
        go_on.wait();
        finished = true;
    });
    const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    publish(*transport, "x", "1");
    REQUIRE(inbox->wait_for(1));
    bool refused = false;
    std::thread release{[&] {
        refused =
            eventually([&] { return !transport->publish({.subject = "x"}); });  // it is closed, and close still waits
        go_on.count_down();
    }};
    transport->close(0ms);
    CHECK(finished);
    release.join();
    CHECK(refused);
}

TEST_CASE("after close everything says so, and closing again does nothing") {
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {}, events.sink());
    auto inbox = std::make_shared<Inbox>();
    auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    transport->close(1s);
    transport->close(1s);
    CHECK(events.count(ConnectionEvent::Kind::closed) == 1);
    CHECK(events.kinds() == std::vector{ConnectionEvent::Kind::connected, ConnectionEvent::Kind::closed});

    const Headers headers{{"k", "v"}};
    for (const auto* with : {static_cast<const Headers*>(nullptr), &headers}) {
        const auto published = transport->publish({.subject = "x", .headers = with});
        REQUIRE_FALSE(published);
        CHECK(published.error().code() == Errc::closed);
        CHECK(published.error().code() == Condition::disconnected);
    }
    const auto subscribed = transport->subscribe({.subject = "x"}, std::make_shared<Inbox>());
    REQUIRE_FALSE(subscribed);
    CHECK(subscribed.error().code() == Errc::closed);
    const auto flushed = transport->flush(1s);
    REQUIRE_FALSE(flushed);
    CHECK(flushed.error().code() == Errc::closed);
    CHECK(transport->drain_deliveries(1s));
    CHECK(transport->server().url.empty());
    CHECK(transport->stats().reconnects == 0);
}

TEST_CASE("what was published before close arrives") {
    NatsServer server;
    auto reader = connect(server);
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*reader, inbox, {.subject = "x"});
    auto transport = connect(server);
    for (int i = 0; i < 5'000; ++i) publish(*transport, "x", std::to_string(i));
    transport.reset();
    CHECK(inbox->wait_for(5'000));
}

TEST_CASE("closing inside a callback does not wait for itself") {
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {}, events.sink());
    auto inbox = std::make_shared<Inbox>([&](const Message&) { transport->close(1s); });
    const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    publish(*transport, "x", "1");
    REQUIRE(inbox->wait_for_end());
    CHECK(events.wait_for(ConnectionEvent::Kind::closed));
    transport->close(1s);
}

TEST_CASE("a transport destroyed inside its own handler is gone afterwards") {
    NatsServer server;
    auto transport = connect(server);
    auto* raw = transport.get();
    auto inbox = std::make_shared<Inbox>([&](const Message&) { transport.reset(); });
    auto subscription = subscribe(*raw, inbox, {.subject = "x"});
    publish(*raw, "x", "1");
    REQUIRE(inbox->wait_for_end());
    CHECK(eventually([&] { return inbox.use_count() == 1; }));
}

TEST_CASE("subscribing races with closing and loses nothing but the subscription") {
    NatsServer server;
    for (int round = 0; round < 30; ++round) {
        auto transport = connect(server);
        std::vector<std::shared_ptr<Inbox>> inboxes;
        std::vector<std::unique_ptr<TransportSubscription>> held;
        std::shared_ptr<Inbox> refused;
        std::thread subscriber{[&] {
            while (refused == nullptr) {
                auto inbox = std::make_shared<Inbox>();
                auto subscription = transport->subscribe({.subject = "x"}, inbox);
                if (subscription) {
                    inboxes.push_back(std::move(inbox));
                    held.push_back(*std::move(subscription));
                } else refused = std::move(inbox);
            }
        }};
        std::this_thread::yield();
        transport->close(1s);
        subscriber.join();
        transport.reset();
        REQUIRE(refused->ends() == 0);
        REQUIRE(refused.use_count() == 1);
        for (const auto& inbox : inboxes) REQUIRE(inbox->ends() == 1);
    }
}
