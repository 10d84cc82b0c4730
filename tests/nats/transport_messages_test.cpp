// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/native.hpp>
#include <freshet/transport.hpp>

#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using detail::NatsTransport;
using namespace freshet::testing;
using Texts = std::vector<std::string>;

TEST_CASE("what is published arrives in order, with its subject and reply subject") {
    NatsServer server;
    auto transport = connect(server);
    auto inbox = std::make_shared<Inbox>();
    auto subscription = subscribe(*transport, inbox, {.subject = "orders.eu"});

    value_or_raise(transport->publish({.subject = "orders.eu", .reply_to = "answers.1", .payload = as_bytes("one")}));
    publish(*transport, "orders.eu", "two");
    publish(*transport, "orders.us", "not for us");
    publish(*transport, "orders.eu", "");
    value_or_raise(transport->publish({.subject = "orders.eu", .payload = as_bytes("now"), .flush = Flush::now}));

    REQUIRE(inbox->wait_for(4));
    CHECK(inbox->texts() == Texts{"one", "two", "", "now"});
    const auto first = inbox->entries().front();
    CHECK(first.subject == "orders.eu");
    CHECK(first.reply_to == "answers.1");
    CHECK(inbox->entries().at(1).reply_to.empty());
}

TEST_CASE("subscriptions take the wildcards of NATS") {
    NatsServer server;
    auto transport = connect(server);
    auto one = std::make_shared<Inbox>();
    auto rest = std::make_shared<Inbox>();
    const auto star = subscribe(*transport, one, {.subject = "a.*.c"});
    const auto tail = subscribe(*transport, rest, {.subject = "a.>"});
    for (const auto* subject : {"a.b.c", "a.b", "a.x.c", "a.b.c.d", "b.b.c"}) publish(*transport, subject, subject);
    REQUIRE(rest->wait_for(4));
    REQUIRE(one->wait_for(2));
    value_or_raise(transport->flush(10s));
    CHECK(one->texts() == Texts{"a.b.c", "a.x.c"});
    CHECK(rest->texts() == Texts{"a.b.c", "a.b", "a.x.c", "a.b.c.d"});
}

TEST_CASE("a queue group shares the messages among all its members") {
    constexpr std::size_t count = 600;
    NatsServer server;
    auto transport = connect(server);
    std::vector<std::shared_ptr<Inbox>> members;
    std::vector<std::unique_ptr<TransportSubscription>> subscriptions;
    for (int i = 0; i < 3; ++i) {
        members.push_back(std::make_shared<Inbox>());
        subscriptions.push_back(subscribe(*transport, members.back(), {.subject = "work", .queue = "workers"}));
    }
    for (std::size_t i = 0; i < count; ++i) publish(*transport, "work", std::to_string(i));

    REQUIRE(eventually([&] { return members[0]->size() + members[1]->size() + members[2]->size() >= count; }));
    value_or_raise(transport->flush(10s));
    std::multiset<std::string> seen;
    for (const auto& member : members) {
        CHECK(member->size() > 0);
        for (const auto& text : member->texts()) seen.insert(text);
    }
    CHECK(seen.size() == count);
    CHECK(std::set(seen.begin(), seen.end()).size() == count);
}

TEST_CASE("headers travel with every value, and their names keep their case") {
    NatsServer server;
    auto transport = connect(server);
    Headers got;
    std::string body;
    auto inbox = std::make_shared<Inbox>([&](Message message) {
        got = message.headers();
        body = message.text();
    });
    const auto subscription = subscribe(*transport, inbox, {.subject = "h"});
    const Headers headers{{"Key", "1"}, {"key", "2"}, {"Key", "3"}, {"Text", "a: b, \xe2\x82\xac"}};
    const auto flush = GENERATE(Flush::batched, Flush::now);
    value_or_raise(
        transport->publish({.subject = "h", .payload = as_bytes("body"), .headers = &headers, .flush = flush}));
    REQUIRE(inbox->wait_for(1));
    transport->close(1s);

    CHECK(body == "body");
    CHECK(got.size() == headers.size());
    for (const auto* name : {"Key", "key", "Text"}) CHECK(got.values(name) == headers.values(name));
}

TEST_CASE("a header's value may be empty") {
    if (NATS_VERSION_NUMBER < 0x030b00) SKIP("cnats before 3.11 takes the next line for an empty value");
    NatsServer server;
    auto transport = connect(server);
    Headers got;
    auto inbox = std::make_shared<Inbox>([&](const Message& message) { got = message.headers(); });
    const auto subscription = subscribe(*transport, inbox, {.subject = "h"});
    const Headers headers{{"a", ""}, {"b", ""}, {"c", "1"}};
    value_or_raise(transport->publish({.subject = "h", .headers = &headers}));
    REQUIRE(inbox->wait_for(1));
    transport->close(1s);
    CHECK(got.size() == 3);
    for (const auto* name : {"a", "b", "c"}) CHECK(got.values(name) == headers.values(name));
}

TEST_CASE("headers without a payload and with a reply subject travel too") {
    NatsServer server;
    auto transport = connect(server);
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "h"});
    const Headers headers{{"Status", "404"}};
    value_or_raise(transport->publish({.subject = "h", .reply_to = "r", .headers = &headers}));
    REQUIRE(inbox->wait_for(1));
    const auto entry = inbox->entries().front();
    CHECK(entry.text.empty());
    CHECK(entry.reply_to == "r");
    CHECK(entry.status == 404);
}

TEST_CASE("a payload of max_payload passes, one byte more is refused with both sizes") {
    constexpr std::size_t limit = 4'096;
    NatsServer server{{.config = "max_payload: 4096"}};
    auto transport = connect(server);
    CHECK(transport->server().max_payload == limit);
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "big"});

    publish(*transport, "big", std::string(limit, 'x'));
    REQUIRE(inbox->wait_for(1));
    CHECK(inbox->texts().front() == std::string(limit, 'x'));

    const std::string too_large(limit + 1, 'x');
    const auto refused = transport->publish({.subject = "big", .payload = as_bytes(too_large)});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::payload_too_large);
    CHECK_THAT(refused.error().what(),
               ContainsSubstring("\"big\"") && ContainsSubstring("4097") && ContainsSubstring("4096"));

    const Headers headers{{"k", "v"}};
    const auto with_headers =
        transport->publish({.subject = "big", .payload = as_bytes(too_large).first(limit), .headers = &headers});
    REQUIRE_FALSE(with_headers);
    CHECK(with_headers.error().code() == Errc::payload_too_large);
    publish(*transport, "big", "still connected");
    CHECK(inbox->wait_for(2));
}

TEST_CASE("long subjects are no special case") {
    NatsServer server;
    auto transport = connect(server);
    auto inbox = std::make_shared<Inbox>();
    const std::string subject = "a." + std::string(1'000, 'b');
    const std::string reply = "r." + std::string(1'000, 'c');
    const auto subscription = subscribe(*transport, inbox, {.subject = subject, .queue = std::string(300, 'q')});
    value_or_raise(transport->publish({.subject = subject, .reply_to = reply}));
    REQUIRE(inbox->wait_for(1));
    CHECK(inbox->entries().front().subject == subject);
    CHECK(inbox->entries().front().reply_to == reply);
}

TEST_CASE("a payload much larger than every buffer arrives") {
    NatsServer server{{.config = "max_payload: 8MB"}};
    auto transport = connect(server);
    std::string text(7'000'000, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31);
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "big"});
    publish(*transport, "big", text);
    REQUIRE(inbox->wait_for(1));
    CHECK(inbox->texts().front() == text);
}

// In an inbox of one's own, "no responders" is a message, not an error of the client's.
TEST_CASE("no responders is told to a subscription of the replies' lane") {
    NatsServer server;
    auto transport = connect(server);
    auto replies = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, replies, {.subject = "_INBOX.x.*", .lane = Lane::replies});
    value_or_raise(
        transport->publish({.subject = "nobody.listens", .reply_to = "_INBOX.x.1", .payload = as_bytes("?")}));
    REQUIRE(replies->wait_for(1));
    const auto entry = replies->entries().front();
    CHECK(entry.status == 503);
    CHECK(entry.subject == "_INBOX.x.1");
    CHECK(entry.text.empty());
}

TEST_CASE("a handler answers a request over the other connection") {
    NatsServer server;
    auto transport = connect(server);
    auto* publisher = transport.get();
    auto service = std::make_shared<Inbox>([&](const Message& message) {
        publish(*publisher, message.reply_to(), "answer to " + std::string{message.text()});
    });
    auto replies = std::make_shared<Inbox>();
    const auto serving = subscribe(*transport, service, {.subject = "ask"});
    const auto waiting = subscribe(*transport, replies, {.subject = "_INBOX.y.*", .lane = Lane::replies});
    value_or_raise(transport->publish(
        {.subject = "ask", .reply_to = "_INBOX.y.1", .payload = as_bytes("q"), .flush = Flush::now}));
    REQUIRE(replies->wait_for(1));
    CHECK(replies->texts() == Texts{"answer to q"});
    transport->close(1s);
}

TEST_CASE("after a flush the server has seen what was done on both connections") {
    NatsServer server;
    auto transport = connect(server);
    auto other = connect(server);
    for (int i = 0; i < 50; ++i) {
        auto inbox = std::make_shared<Inbox>();
        const auto subject = "flush." + std::to_string(i);
        const auto subscription = value_or_raise(transport->subscribe({.subject = subject}, inbox));
        value_or_raise(transport->flush(10s));
        publish(*other, subject, "seen");
        CHECK(inbox->wait_for(1));
    }
}

TEST_CASE("a thousand subscriptions on one transport each get their own") {
    constexpr int count = 1'000;
    NatsServer server;
    auto transport = connect(server);
    std::vector<std::shared_ptr<Inbox>> inboxes;
    std::vector<std::unique_ptr<TransportSubscription>> subscriptions;
    for (int i = 0; i < count; ++i) {
        inboxes.push_back(std::make_shared<Inbox>());
        subscriptions.push_back(value_or_raise(transport->subscribe({.subject = "s." + std::to_string(i)},
                                                                    inboxes.back())));
    }
    value_or_raise(transport->flush(10s));
    for (int i = 0; i < count; ++i) publish(*transport, "s." + std::to_string(i), std::to_string(i));
    for (int i = 0; i < count; ++i) {
        const auto& inbox = inboxes[static_cast<std::size_t>(i)];
        REQUIRE(inbox->wait_for(1));
        REQUIRE(inbox->texts() == Texts{std::to_string(i)});
    }
    CHECK(transport->drain_deliveries(20s));
    for (const auto& inbox : inboxes) REQUIRE(inbox->ends() == 1);
}

TEST_CASE("two transports in a process do not disturb each other") {
    NatsServer first_server;
    NatsServer second_server;
    auto first = connect(first_server);
    auto second = connect(second_server);
    auto inbox = std::make_shared<Inbox>();
    auto other = std::make_shared<Inbox>();
    const auto here = subscribe(*first, inbox, {.subject = "x"});
    const auto there = subscribe(*second, other, {.subject = "x"});
    publish(*first, "x", "first");
    publish(*second, "x", "second");
    REQUIRE(inbox->wait_for(1));
    REQUIRE(other->wait_for(1));
    first->close(1s);
    publish(*second, "x", "still there");
    REQUIRE(other->wait_for(2));
    CHECK(inbox->texts() == Texts{"first"});
    CHECK(other->texts() == Texts{"second", "still there"});
}

TEST_CASE("no_echo keeps a broker's own messages from it, and others get them") {
    NatsServer server;
    auto transport = connect(server, {.no_echo = true});
    auto other = connect(server);
    auto own = std::make_shared<Inbox>();
    auto theirs = std::make_shared<Inbox>();
    const auto here = subscribe(*transport, own, {.subject = "x"});
    const auto there = subscribe(*other, theirs, {.subject = "x"});
    publish(*transport, "x", "mine");
    REQUIRE(theirs->wait_for(1));
    publish(*other, "x", "theirs");
    REQUIRE(own->wait_for(1));
    CHECK(own->texts() == Texts{"theirs"});

    CHECK(transport->drain_deliveries(10s));
    CHECK(own->ends() == 1);
    publish(*transport, "x", "publishing goes on while it drains");
    CHECK(theirs->wait_for(3));
    transport->close(1s);
}

TEST_CASE("the transport tells its server and its counts") {
    NatsServer server;
    auto transport = connect(server);
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    for (int i = 0; i < 3; ++i) publish(*transport, "x", "12345");
    REQUIRE(inbox->wait_for(3));
    const auto stats = transport->stats();
    CHECK(stats.out_messages == 3);
    CHECK(stats.out_bytes == 15);
    CHECK(stats.in_messages == 3);
    CHECK(stats.in_bytes == 15);
    CHECK(stats.reconnects == 0);
    const auto info = transport->server();
    CHECK(info.url == server.url());
    CHECK(info.id.size() == 56);
    CHECK(info.max_payload == 1'048'576);
}

TEST_CASE("the server shows both connections by name") {
    NatsServer server{{.arguments = {"-DV"}}};
    auto transport = connect(server, {.name = "billing"});
    const auto log = server.log();
    CHECK_THAT(log,
               ContainsSubstring("\"name\":\"billing\"") && ContainsSubstring("\"name\":\"billing (deliveries)\""));
    auto unnamed = connect(server);
    CHECK_THAT(server.log(), ContainsSubstring("\"name\":\"integration_tra"));
}

TEST_CASE("the connections of cnats can be reached") {
    NatsServer server;
    NatsTransport transport{{.servers = {server.url()}}};
    CHECK(transport.native(Lane::replies) == nullptr);
    value_or_raise(transport.open(10s, {}));
    REQUIRE(transport.native(Lane::replies) != nullptr);
    CHECK(transport.native(Lane::replies) != transport.native(Lane::deliveries));
    CHECK(natsConnection_Status(transport.native(Lane::deliveries)) == NATS_CONN_STATUS_CONNECTED);
}

TEST_CASE("a subject that is none is refused and nothing is sent") {
    NatsServer server;
    auto transport = connect(server);
    const auto published = transport->publish({.subject = ""});
    REQUIRE_FALSE(published);
    CHECK(published.error().code() == Errc::bad_subject);
    const auto subscribed = transport->subscribe({.subject = "a..b"}, std::make_shared<Inbox>());
    REQUIRE_FALSE(subscribed);
    CHECK(subscribed.error().code() == Errc::bad_subject);
    CHECK_THAT(subscribed.error().what(), ContainsSubstring("\"a..b\""));
}
