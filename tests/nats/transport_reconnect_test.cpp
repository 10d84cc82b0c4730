// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/native.hpp>
#include <freshet/transport.hpp>

#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = ConnectionEvent::Kind;

namespace {

const ReconnectOptions quick{.min_wait = 10ms, .max_wait = 50ms};

Expected<void> try_publish(Transport& transport, std::string_view subject, std::string_view text) {
    return transport.publish({.subject = subject, .payload = as_bytes(text)});
}

void kill_and_wait(NatsServer& server, const EventLog& events) {
    server.kill();
    REQUIRE(events.wait_for(Kind::disconnected));
}

}  // namespace

TEST_CASE("a killed server that comes back finds its subscribers again, and what was published meanwhile arrives") {
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {.reconnect = quick}, events.sink());
    auto inbox = std::make_shared<Inbox>();
    auto replies = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "x.*", .queue = "q"});
    const auto waiting = subscribe(*transport, replies, {.subject = "_INBOX.r.*", .lane = Lane::replies});
    publish(*transport, "x.before", "before");
    REQUIRE(inbox->wait_for(1));

    kill_and_wait(server, events);
    for (int i = 0; i < 100; ++i) publish(*transport, "x.buffered", std::to_string(i));
    value_or_raise(transport->publish({.subject = "nobody", .reply_to = "_INBOX.r.1"}));
    server.restart();
    REQUIRE(events.wait_for(Kind::reconnected));
    value_or_raise(transport->flush(20s));
    publish(*transport, "x.after", "after");

    // The buffered ones leave as soon as the publishing connection is back, maybe before the other has subscribed
    // again.
    REQUIRE(eventually([&] { return !inbox->texts().empty() && inbox->texts().back() == "after"; }));
    CHECK(replies->wait_for(1));
    CHECK(events.kinds() == std::vector{Kind::connected, Kind::disconnected, Kind::reconnected});
    CHECK_THAT(events.last(Kind::disconnected).detail,
               ContainsSubstring(server.url()) && ContainsSubstring("reconnecting"));
    CHECK(events.last(Kind::reconnected).url == server.url());
    CHECK(transport->stats().reconnects == 1);
}

TEST_CASE("publications buffered while the server is away reach the others") {
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {.reconnect = {.min_wait = 2s, .max_wait = 2s}}, events.sink());
    kill_and_wait(server, events);
    for (int i = 0; i < 1'000; ++i) publish(*transport, "x", std::to_string(i));
    server.restart();
    // Before the transport tries again, which it does after a second at the earliest.
    auto other = connect(server);
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*other, inbox, {.subject = "x"});
    REQUIRE(inbox->wait_for(1'000));
    const auto texts = inbox->texts();
    for (std::size_t i = 0; i < 1'000; ++i) REQUIRE(texts[i] == std::to_string(i));
}

TEST_CASE("traffic goes on after the server was killed in the middle of it") {
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {.reconnect = quick}, events.sink());
    std::atomic<int> highest = -1;
    auto inbox =
        std::make_shared<Inbox>([&](const Message& message) { highest = std::stoi(std::string{message.text()}); });
    const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    std::atomic<bool> stop = false;
    std::atomic<int> sent = 0;
    std::thread publisher{[&] {
        while (!stop) {
            if (try_publish(*transport, "x", std::to_string(sent))) ++sent;
            std::this_thread::sleep_for(20us);
        }
    }};
    for (std::size_t round = 1; round <= 3; ++round) {
        const int seen = highest;
        CHECK(eventually([&] { return highest > seen; }));
        server.kill();
        CHECK(events.wait_for(Kind::disconnected, round));
        server.restart();
        CHECK(events.wait_for(Kind::reconnected, round));
        const int now = sent;
        CHECK(eventually([&] { return highest > now; }));
    }
    stop = true;
    publisher.join();
    CHECK(transport->stats().reconnects == 3);
    CHECK(events.count(Kind::closed) == 0);
    transport->close(1s);
    CHECK(inbox->ends() == 1);
}

// Without SetReconnectOnProtocolError, an error line of the server's that cnats does not know closes for good.
TEST_CASE("a server that is full when the broker reconnects is tried again") {
    if (NATS_VERSION_NUMBER < 0x030e00) SKIP("cnats gives up before 3.14");
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {.reconnect = quick}, events.sink());
    server.restart({.config = "max_connections: 1"});
    REQUIRE(eventually([&] { return server.log().find("maximum connections exceeded") != std::string::npos; }));
    server.restart({});
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(events.count(Kind::closed) == 0);
}

// cnats buffers up to ReconnectOptions::buffer_bytes and then refuses.
TEST_CASE("while disconnected, publishing is refused once the buffer is full") {
    NatsServer server;
    EventLog events;
    auto transport =
        connect(server, {.reconnect = {.min_wait = 10ms, .max_wait = 50ms, .buffer_bytes = 10'000}}, events.sink());
    kill_and_wait(server, events);
    const std::string kilobyte(1'000, 'x');
    int accepted = 0;
    auto published = try_publish(*transport, "x", kilobyte);
    while (published && accepted < 100) {
        ++accepted;
        published = try_publish(*transport, "x", kilobyte);
    }
    REQUIRE_FALSE(published);
    CHECK(accepted >= 9);
    CHECK(accepted <= 11);
    CHECK(published.error().code() == Errc::buffer_full);
    CHECK(published.error().code() == Condition::disconnected);
    CHECK_THAT(published.error().what(), ContainsSubstring("\"x\"") && ContainsSubstring("10000 bytes"));
    const Headers headers{{"k", "v"}};
    CHECK(transport->publish({.subject = "x", .headers = &headers}).error().code() == Errc::buffer_full);

    server.restart();
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(try_publish(*transport, "x", kilobyte));
}

TEST_CASE("a broker that is not to reconnect closes when the server goes") {
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {.reconnect = {.enabled = false}}, events.sink());
    auto inbox = std::make_shared<Inbox>();
    auto replies = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    const auto waiting = subscribe(*transport, replies, {.subject = "y", .lane = Lane::replies});
    server.kill();
    REQUIRE(events.wait_for(Kind::closed));
    CHECK(inbox->wait_for_end());
    CHECK(replies->wait_for_end());
    CHECK(try_publish(*transport, "x", "1").error().code() == Errc::closed);
    CHECK(events.count(Kind::reconnected) == 0);
    CHECK(events.kinds().back() == Kind::closed);
    transport->close(1s);
    CHECK(events.count(Kind::closed) == 1);
}

TEST_CASE("closing while the server is away ends, and so do its subscriptions") {
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {.reconnect = {.min_wait = 60s, .max_wait = 60s}}, events.sink());
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    kill_and_wait(server, events);
    SECTION("at once") {}
    SECTION("after draining") { CHECK(transport->drain_deliveries(60s)); }
    transport->close(60s);
    CHECK(inbox->ends() == 1);
    CHECK(events.kinds().back() == Kind::closed);
}

TEST_CASE("what was taken before the server went away is still handled when draining") {
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {.reconnect = quick}, events.sink());
    std::latch begin{1};
    auto inbox = std::make_shared<Inbox>([&](const Message&) { begin.wait(); });
    const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    for (int i = 0; i < 100; ++i) publish(*transport, "x", std::to_string(i));
    value_or_raise(transport->flush(10s));
    REQUIRE(inbox->wait_for(1));
    REQUIRE(eventually([&] { return subscription->pending() == 99; }));
    kill_and_wait(server, events);
    std::thread release{[&] { begin.count_down(); }};
    CHECK(transport->drain_deliveries(20s));
    release.join();
    CHECK(inbox->size() == 100);
    CHECK(inbox->ends() == 1);
}

// natsConnection_Destroy blocks up to 500 ms for a server that does not answer; without a write deadline a publish may
// block for ever.
TEST_CASE("a frozen server does not hang closing, draining or flushing") {
    NatsServer server;
    auto transport = connect(server);
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    server.pause();
    publish(*transport, "x", "1");
    const auto flushed = transport->flush(50ms);
    REQUIRE_FALSE(flushed);
    CHECK(flushed.error().code() == Errc::timeout);
    SECTION("drain, then close") {
        CHECK_FALSE(transport->drain_deliveries(50ms));
        transport->close(50ms);
    }
    SECTION("close") { transport->close(50ms); }
    SECTION("destroy") { transport.reset(); }
    CHECK(inbox->ends() == 1);
}

TEST_CASE("publishing to a frozen server blocks for the write timeout at most") {
    NatsServer server;
    EventLog events;
    auto transport =
        connect(server, {.reconnect = quick, .connect_timeout = 200ms, .write_timeout = 300ms}, events.sink());
    server.pause();
    const std::string text(100'000, 'x');
    auto published = try_publish(*transport, "x", text);
    // The sockets' buffers take a few MB, then the write blocks; after that the reconnect's buffer fills up.
    for (int i = 0; i < 10'000 && published; ++i) published = try_publish(*transport, "x", text);
    REQUIRE_FALSE(published);
    CHECK(published.error().code() == Condition::disconnected);
    CHECK_THAT(published.error().what(), ContainsSubstring("300 ms of BrokerOptions::write_timeout"));
    CHECK(events.wait_for(Kind::disconnected));
    server.resume();
    CHECK(events.wait_for(Kind::reconnected));
}

TEST_CASE("a server in lame duck mode is reported once") {
    NatsServer server{{.config = "lame_duck_duration: 30s, lame_duck_grace_period: 1s"}};
    EventLog events;
    auto transport = connect(server, {.reconnect = quick}, events.sink());
    server.lame_duck();
    REQUIRE(events.wait_for(Kind::lame_duck));
    CHECK(events.last(Kind::lame_duck).url == server.url());
    REQUIRE(events.wait_for(Kind::disconnected));
    CHECK(events.count(Kind::lame_duck) == 1);
}

// A client that is too slow loses the newest messages, silently but for the first report.
TEST_CASE("a handler that is too slow is reported with its subject and what was dropped") {
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {}, events.sink());
    std::latch begin{1};
    auto inbox = std::make_shared<Inbox>([&](const Message&) { begin.wait(); });
    const auto subscription = subscribe(*transport, inbox, {.subject = "slow", .max_pending_messages = 10});
    publish(*transport, "slow", "held");
    REQUIRE(inbox->wait_for(1));
    for (int i = 0; i < 100; ++i) publish(*transport, "slow", std::to_string(i));
    value_or_raise(transport->flush(10s));

    REQUIRE(events.wait_for(Kind::slow_consumer));
    REQUIRE(eventually([&] { return subscription->dropped() == 90; }));
    CHECK(subscription->pending() == 10);
    CHECK(events.count(Kind::slow_consumer) == 1);
    const auto event = events.last(Kind::slow_consumer);
    CHECK(event.subject == "slow");
    CHECK(event.dropped >= 1);
    CHECK(event.dropped <= 90);
    CHECK_THAT(event.detail, ContainsSubstring(std::to_string(event.dropped) + " messages dropped"));
    begin.count_down();
    CHECK(inbox->wait_for(11));
    transport->close(1s);
    CHECK(subscription->dropped() == 90);
}

TEST_CASE("each of two slow sinks on one subject is told that messages were dropped, and then no event is") {
    class Told final : public Inbox {
    public:
        using Inbox::Inbox;
        bool on_dropped(std::uint64_t count) noexcept override {
            dropped = count;
            ++times;
            return true;
        }
        std::atomic<std::uint64_t> dropped = 0;
        std::atomic<int> times = 0;
    };
    NatsServer server;
    EventLog events;
    auto transport = connect(server, {}, events.sink());
    std::latch begin{1};
    const auto wait = [&](const Message&) { begin.wait(); };
    const std::array sinks{std::make_shared<Told>(wait), std::make_shared<Told>(wait)};
    const SubscriptionSpec spec{.subject = "slow", .max_pending_messages = 1};
    const auto one = subscribe(*transport, sinks[0], spec);
    const auto other = subscribe(*transport, sinks[1], spec);
    publish(*transport, "slow", "held");
    for (const auto& sink : sinks) REQUIRE(sink->wait_for(1));
    for (int i = 0; i < 20; ++i) publish(*transport, "slow", std::to_string(i));
    for (const auto& sink : sinks) {
        CHECK(eventually([&] { return sink->times > 0; }));
        CHECK(sink->dropped > 0);
    }
    begin.count_down();
    transport->close(1s);
    CHECK(events.count(Kind::slow_consumer) == 0);
}

TEST_CASE("the limit of pending bytes counts too, and zero is no limit") {
    NatsServer server;
    auto transport = connect(server);
    std::latch begin{1};
    const auto wait = [&](const Message&) { begin.wait(); };
    auto limited = std::make_shared<Inbox>(wait);
    auto unlimited = std::make_shared<Inbox>(wait);
    const auto first = subscribe(*transport, limited, {.subject = "x", .max_pending_bytes = 1'000});
    const auto second =
        subscribe(*transport, unlimited, {.subject = "x", .max_pending_messages = 0, .max_pending_bytes = 0});
    for (int i = 0; i < 50; ++i) publish(*transport, "x", std::string(100, 'x'));
    value_or_raise(transport->flush(10s));
    CHECK(eventually([&] { return first->dropped() >= 39; }));
    begin.count_down();
    CHECK(unlimited->wait_for(50));
    CHECK(second->dropped() == 0);
}

TEST_CASE("a refused permission is an error event with the subject, and the connection stays") {
    NatsServer server{
        {.config = "authorization { users: [ { user: u, password: p, permissions: { publish: [\"ok\", \"_INBOX.>\"], "
                   "subscribe: \"ok\" } } ] }"}};
    EventLog events;
    auto transport = connect(server, {.credentials = UserPassword{"u", "p"}}, events.sink());
    publish(*transport, "secret", "x");
    REQUIRE(events.wait_for(Kind::error));
    CHECK(events.last(Kind::error).subject == "secret");
    CHECK_THAT(events.last(Kind::error).detail, ContainsSubstring("Permissions Violation for Publish"));
    const auto refused = value_or_raise(transport->subscribe({.subject = "secret.in"}, std::make_shared<Inbox>()));
    REQUIRE(events.wait_for(Kind::error, 2));
    CHECK(events.last(Kind::error).subject == "secret.in");
    CHECK_THAT(events.last(Kind::error).detail, ContainsSubstring("Permissions Violation for Subscription"));

    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "ok"});
    publish(*transport, "ok", "x");
    CHECK(inbox->wait_for(1));
    CHECK(events.count(Kind::disconnected) == 0);
}
