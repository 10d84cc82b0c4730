// SPDX-License-Identifier: Apache-2.0
// What only the memory server promises; what every transport does is in tests/contract.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>

#include "../support/sinks.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

std::unique_ptr<Transport> open(MemoryServer& server, const BrokerOptions& options = {}, EventSink events = {}) {
    auto transport = server.connect(options);
    value_or_raise(transport->open(0ms, std::move(events)));
    return transport;
}

void send(Transport& transport, std::string_view subject, std::string_view text) {
    value_or_raise(transport.publish({.subject = subject, .payload = as_bytes(text)}));
}

}  // namespace

TEST_CASE("nothing arrives before the clock runs, then all of it in the order of publication") {
    MemoryServer server;
    const auto transport = open(server);
    std::vector<std::string> order;
    const auto note = [&](const Message& message) { order.emplace_back(message.text()); };
    const auto a = value_or_raise(transport->subscribe({.subject = "a"}, std::make_shared<Inbox>(note)));
    const auto b = value_or_raise(transport->subscribe({.subject = "b"}, std::make_shared<Inbox>(note)));
    send(*transport, "b", "1");
    send(*transport, "a", "2");
    send(*transport, "b", "3");
    CHECK(order.empty());
    CHECK(b->pending() == 2);
    server.clock().run();
    CHECK(order == Texts{"1", "2", "3"});
}

TEST_CASE("the members of a queue group take turns, on whatever connection") {
    MemoryServer server;
    const auto first = open(server);
    const auto second = open(server);
    const auto one = std::make_shared<Inbox>();
    const auto two = std::make_shared<Inbox>();
    const auto a = value_or_raise(first->subscribe({.subject = "work.*", .queue = "q"}, one));
    const auto b = value_or_raise(second->subscribe({.subject = "work.>", .queue = "q"}, two));
    for (int i = 0; i < 4; ++i) send(*first, "work.x", std::to_string(i));
    server.clock().run();
    CHECK(one->texts() == Texts{"0", "2"});
    CHECK(two->texts() == Texts{"1", "3"});
}

TEST_CASE("a message can be lost, doubled and delayed") {
    MemoryServer server;
    const auto transport = open(server);
    const auto inbox = std::make_shared<Inbox>();
    const auto subscription = value_or_raise(transport->subscribe({.subject = ">"}, inbox));
    server.intercept([](const Passage& passage) -> Fate {
        if (passage.subject == "lost") return {.copies = 0};
        if (passage.subject == "twice") return {.copies = 2};
        if (passage.subject == "late") return {.delay = 2s};
        return {};
    });
    for (const auto* subject : {"late", "lost", "twice", "other"}) send(*transport, subject, subject);
    server.clock().run();
    CHECK(inbox->texts() == Texts{"twice", "twice", "other"});
    server.clock().advance(2s);
    CHECK(inbox->texts().back() == "late");
}

TEST_CASE("while the server is interrupted publications wait, up to the limit, and nothing arrives") {
    MemoryServer server;
    EventLog events;
    const auto transport = open(server, {.reconnect = {.buffer_bytes = 200}}, events.sink());
    const auto other = open(server);
    const auto inbox = std::make_shared<Inbox>();
    const auto subscription = value_or_raise(transport->subscribe({.subject = "x"}, inbox));
    server.interrupt();
    send(*transport, "x", "kept");
    const std::string big(300, 'x');
    const auto refused = transport->publish({.subject = "x", .payload = as_bytes(big)});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::buffer_full);
    const auto unanswered = transport->flush(1s);
    REQUIRE_FALSE(unanswered);
    CHECK(unanswered.error().code() == Errc::timeout);
    server.clock().run();
    CHECK(inbox->size() == 0);
    server.resume();
    server.clock().run();
    CHECK(inbox->texts() == Texts{"kept"});
    using Kind = ConnectionEvent::Kind;
    CHECK(events.kinds() == std::vector{Kind::connected, Kind::disconnected, Kind::reconnected});
    CHECK(transport->stats().reconnects == 1);
}

TEST_CASE("without reconnecting a lost connection is closed for good") {
    MemoryServer server;
    EventLog events;
    const auto transport = open(server, {.reconnect = {.enabled = false}}, events.sink());
    const auto inbox = std::make_shared<Inbox>();
    const auto subscription = value_or_raise(transport->subscribe({.subject = "x"}, inbox));
    server.interrupt();
    server.clock().run();
    CHECK(inbox->ends() == 1);
    CHECK(events.kinds().back() == ConnectionEvent::Kind::closed);
    CHECK(transport->publish({.subject = "x"}).error().code() == Errc::closed);
}

TEST_CASE("open waits for a server that is interrupted, in its own time") {
    MemoryServer server;
    server.interrupt();
    std::vector<ConnectionEvent::Kind> kinds;
    const EventSink sink = [&](const ConnectionEvent& event) { kinds.push_back(event.kind); };
    const auto refused = server.connect()->open(3s, sink);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::disconnected);

    const auto start = server.clock().now();
    server.clock().schedule(start + 2s, [&] { server.resume(); });
    const auto transport = server.connect();
    CHECK(transport->open(1h, sink));
    CHECK(server.clock().now() == start + 2s);
    using Kind = ConnectionEvent::Kind;
    CHECK(kinds == std::vector{Kind::waiting, Kind::waiting, Kind::connected});
}

TEST_CASE("brokers share a memory server") {
    MemoryServer server;
    Broker service;
    service.subscriber<"sum">().handle([](std::string_view body) { return std::string{body} + "!"; });
    Broker caller;
    caller.subscriber<"ask">().handle([](std::string_view body, Broker& self) {
        return self.request<std::string>("sum", body);
    });
    TestBroker first{service, server};
    TestBroker second{caller, server};
    CHECK(second.request<std::string>("ask", "hello") == "hello!");
    CHECK(first.deliveries("sum") == Outcome::ack);
}

TEST_CASE("a connection may end while the server comes back") {
    MemoryServer server;
    const auto reader = open(server);
    const auto inbox = std::make_shared<Inbox>();
    const auto subscription = value_or_raise(reader->subscribe({.subject = "work"}, inbox));
    const auto first = open(server);
    auto second = open(server);
    server.interrupt();
    send(*first, "work", "1");
    send(*second, "work", "2");
    server.intercept([&](const Passage&) {
        second = nullptr;
        return Fate{};
    });
    server.resume();
    server.clock().run();
    CHECK(inbox->texts() == Texts{"1"});
    server.intercept({});
}
