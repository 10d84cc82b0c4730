// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/headers.hpp>
#include <freshet/testing/virtual_clock.hpp>

#include "jetstream/consume/push_flow.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::detail;
using freshet::testing::VirtualClock;

namespace {

/// A flow and the server's side of it.
struct Push {
    explicit Push(std::chrono::nanoseconds heartbeat = 5s) {
        flow.begin({.consumer = "ORDERS.audit", .deliver_subject = "deliver", .heartbeat = heartbeat}, clock.now());
    }

    void receive(std::size_t count = 1, std::size_t bytes = 10) {
        const std::string body(bytes, 'x');
        const auto message = Message::make("orders.eu", as_bytes(body), {}, "$JS.ACK.ORDERS.audit.1.1.1.1.0");
        for (std::size_t i = 0; i < count; ++i) flow.received(message, *message.metadata(), clock.now());
    }
    void handle(std::size_t count = 1, std::size_t bytes = 10) {
        flow.handled({.count = count, .bytes = count * bytes, .since = clock.now()}, clock.now());
    }
    DeliveryVerdict status(int code, std::string_view text, const Headers& more = {}, std::string_view reply_to = {}) {
        auto headers = more;
        headers.set("Status", std::to_string(code));
        headers.set("Description", text);
        return flow.status(Message::make("deliver", {}, headers, reply_to), clock.now());
    }
    /// Where the server is told to go on; empty: it is not told now.
    std::string told() {
        const auto signal = flow.next(clock.now());
        return signal ? signal->subject : "";
    }

    VirtualClock clock = {};
    PushFlow flow = {};
};

constexpr std::string_view question = "$JS.FC.ORDERS.audit.7";

}  // namespace

TEST_CASE("a push consumer is listened to on its deliver subject, in its group") {
    PushFlow flow;
    const auto inbox = flow.open_inbox({.deliver_subject = "deliver", .deliver_group = "members"});
    CHECK(inbox.subject == "deliver");
    CHECK(inbox.queue == "members");
}

TEST_CASE("the server is told to go on, once for each question") {
    Push push;
    CHECK(push.told().empty());
    push.receive();
    CHECK(push.status(100, "FlowControl Request", {}, question) == DeliveryVerdict::go_on);
    CHECK(push.told() == question);
    CHECK(push.told().empty());
}

TEST_CASE("while many messages are in hand, or many bytes, the server is told to wait") {
    const auto [count, bytes] =
        GENERATE(std::pair{std::size_t{257}, std::size_t{10}}, std::pair{std::size_t{9}, std::size_t{1} << 20});
    Push push;
    push.receive(count, bytes);
    push.status(100, "FlowControl Request", {}, question);
    CHECK(push.told().empty());
    push.handle(1, bytes);
    CHECK(push.told() == question);
}

TEST_CASE("a heartbeat of a server that waits repeats its question") {
    Push push;
    push.status(100, "Idle Heartbeat");
    CHECK(push.told().empty());
    push.status(100, "Idle Heartbeat", {{"Nats-Consumer-Stalled", question}});
    CHECK(push.told() == question);
}

TEST_CASE("only questions of flow control are answered") {
    Push push;
    push.status(100, "FlowControl Request", {}, "orders.eu");
    CHECK(push.told().empty());
    push.status(100, "Idle Heartbeat", {{"Nats-Consumer-Stalled", "orders.eu"}});
    CHECK(push.told().empty());
}

TEST_CASE("silence is noticed after two heartbeats, messages and statuses are signs of life") {
    Push push;
    push.clock.advance(9s);
    CHECK(push.flow.deadline() == push.clock.now() + 1s);
    push.receive();
    push.clock.advance(9s);
    push.status(100, "Idle Heartbeat");
    push.clock.advance(9s);
    CHECK_FALSE(push.flow.overdue(push.clock.now()));
    push.clock.advance(1s);
    CHECK(push.flow.overdue(push.clock.now()));
    push.flow.begin({.heartbeat = 1s}, push.clock.now());
    CHECK_FALSE(push.flow.overdue(push.clock.now()));
    CHECK(push.flow.deadline() == push.clock.now() + 2s);
}

TEST_CASE("silence is no wonder without heartbeats, without a connection, and after the stop") {
    Push push{0s};
    CHECK_FALSE(push.flow.deadline());
    push.clock.advance(1h);
    CHECK_FALSE(push.flow.overdue(push.clock.now()));

    Push gone;
    gone.flow.disconnected();
    gone.clock.advance(1h);
    CHECK_FALSE(gone.flow.overdue(gone.clock.now()));
    CHECK_FALSE(gone.flow.deadline());

    Push stopped;
    stopped.flow.stop();
    stopped.clock.advance(1h);
    CHECK_FALSE(stopped.flow.overdue(stopped.clock.now()));
}

TEST_CASE("what the server says of a push consumer that is gone, or that it does not know") {
    Push push;
    CHECK(push.status(409, "Consumer Deleted") == DeliveryVerdict::lost);
    CHECK(push.status(503, "No Responders") == DeliveryVerdict::lost);
    CHECK(push.status(409, "Leadership Change") == DeliveryVerdict::go_on);
    CHECK(push.status(400, "Bad Request") == DeliveryVerdict::refused);
    CHECK(push.status(500, "Something new") == DeliveryVerdict::warn);
}
