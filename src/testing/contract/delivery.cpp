// SPDX-License-Identifier: Apache-2.0
// Rules about which messages arrive at which subscription.
#include <map>
#include <set>

#include "testing/contract/probe.hpp"

namespace freshet::contract::detail {
namespace {

void literal(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "orders.eu"});
    peer.publish("orders.eu", "one", "answers.1");
    peer.publish("orders.us", "not for us");
    peer.publish("orders.eu.more", "not for us");
    peer.publish("orders.eu", "");
    peer.publish("orders.eu", "three");
    wait_for(environment, probe, 3);
    settle(environment, {&peer});
    require_equal(probe.texts(), Texts{"one", "", "three"}, "what arrived");
    const auto seen = probe.seen();
    require_equal(seen[0].subject, std::string{"orders.eu"}, "the subject");
    require_equal(seen[0].reply_to, std::string{"answers.1"}, "the reply subject");
    require_equal(seen[1].reply_to, std::string{}, "the reply subject of a message without one");
    peer.verify();
}

void wildcards(Environment& environment) {
    Peer peer{environment};
    auto& star = peer.subscribe({.subject = "a.*.c"});
    auto& tail = peer.subscribe({.subject = "a.>"});
    for (const auto* subject : {"a.b.c", "a.b", "a.x.c", "a.b.c.d", "b.b.c", "a"}) peer.publish(subject, subject);
    wait_for(environment, tail, 4);
    wait_for(environment, star, 2);
    settle(environment, {&peer});
    require_equal(star.texts(), Texts{"a.b.c", "a.x.c"}, "a.*.c");
    require_equal(tail.texts(), Texts{"a.b.c", "a.b", "a.x.c", "a.b.c.d"}, "a.>");
}

void delivered_order(Environment& environment) {
    constexpr int count = 2'000;
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    Texts sent;
    for (int i = 0; i < count; ++i) peer.publish("x", sent.emplace_back(std::to_string(i)));
    wait_for(environment, probe, sent.size());
    require_equal(probe.texts(), sent, "the messages");
    peer.verify();
}

void every_subscription(Environment& environment) {
    Peer first{environment};
    Peer second{environment};
    auto& a = first.subscribe({.subject = "x"});
    auto& b = first.subscribe({.subject = "x"});
    auto& c = second.subscribe({.subject = ">"});
    first.publish("x", "to all");
    for (auto* probe : {&a, &b, &c}) wait_for(environment, *probe, 1);
    settle(environment, {&first, &second});
    for (auto* probe : {&a, &b, &c}) require_equal(probe->texts(), Texts{"to all"}, "what each got");
}

void one_at_a_time(Environment& environment) {
    Peer* self = nullptr;
    Peer peer{environment};
    self = &peer;
    auto& probe = peer.subscribe({.subject = "x"}, [&](const Probe::Seen& seen) {
        if (seen.text == "go")
            for (int i = 0; i < 50; ++i) self->publish("x", std::to_string(i));
    });
    peer.publish("x", "go");
    wait_for(environment, probe, 51);
    value_or_raise(peer->flush(patience));
    peer->close(patience);
    peer.verify();
}

void inside_handler(Environment& environment) {
    Probe* inner = nullptr;
    Peer* self = nullptr;
    std::atomic<bool> ready = false;
    Peer peer{environment};
    self = &peer;
    auto& outer = peer.subscribe({.subject = "outer"}, [&](const Probe::Seen&) {
        inner = &self->subscribe({.subject = "inner"});
        self->publish("inner", "from inside");
        ready = true;
    });
    peer.publish("outer", "x");
    wait_for(environment, outer, 1);
    require(environment.eventually([&] { return ready.load(); }), "subscribing and publishing inside on_message hang");
    wait_for(environment, *inner, 1);
    require_equal(inner->texts(), Texts{"from inside"}, "the subscription made inside on_message");
}

void bytes(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    std::string all(70'000, '\0');
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(i * 7);
    peer.publish("x", all);
    wait_for(environment, probe, 1);
    require(probe.texts().front() == all, "70000 bytes of every value did not arrive as they were");
}

void header_values(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    const Headers headers{{"Key", "1"}, {"key", "2"}, {"Key", "3"}, {"Text", "a: b, \xe2\x82\xac"}};
    peer.publish("x", "body", {}, &headers);
    peer.publish("x", "plain");
    wait_for(environment, probe, 2);
    const auto seen = probe.seen();
    require_equal(seen[0].text, std::string{"body"}, "the body beside headers");
    require_equal(seen[0].headers.size(), headers.size(), "the number of headers");
    for (const auto* name : {"Key", "key", "Text"})
        require(seen[0].headers.values(name) == headers.values(name),
                fmt::format("the values of {} are not what was sent, in that order", name));
    require(seen[1].headers.empty(), "a message without headers arrived with some");
}

void headers_without_body(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    const Headers headers{{"Status", "404"}, {"k", "v"}};
    peer.publish("x", "", "answers", &headers);
    wait_for(environment, probe, 1);
    const auto seen = probe.seen().front();
    require_equal(seen.text, std::string{}, "the body");
    require_equal(seen.reply_to, std::string{"answers"}, "the reply subject");
    require_equal(seen.status, 404, "the status");
    require(seen.headers.get("k") == "v", "the header is missing");
}

void max_payload(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    const auto limit = peer->server().max_payload;
    require(limit > 0, "server() tells no max_payload");
    const std::string largest(limit, 'x');
    peer.publish("x", largest);
    wait_for(environment, probe, 1);
    require(probe.texts().front() == largest, "a body of max_payload did not arrive");
    require_error(peer->publish({.subject = "x", .payload = as_bytes(largest + "x")}), Errc::payload_too_large,
                  "a body of max_payload and one byte");
    const Headers headers{{"k", "v"}};
    require_error(peer->publish({.subject = "x", .payload = as_bytes(largest), .headers = &headers}),
                  Errc::payload_too_large, "a body of max_payload with headers");
    peer.publish("x", "still connected");
    wait_for(environment, probe, 2);
}

void queue_one_member(Environment& environment) {
    constexpr std::size_t count = 300;
    Peer first{environment};
    Peer second{environment};
    const std::vector<Probe*> members{&first.subscribe({.subject = "work", .queue = "q"}),
                                      &first.subscribe({.subject = "work", .queue = "q"}),
                                      &second.subscribe({.subject = "work", .queue = "q"})};
    for (std::size_t i = 0; i < count; ++i) first.publish("work", std::to_string(i));
    const auto total = [&] { return members[0]->size() + members[1]->size() + members[2]->size(); };
    environment.eventually([&] { return total() >= count; });
    settle(environment, {&first, &second});
    std::set<std::string> different;
    for (auto* member : members) {
        require(member->size() > 0, "a member of the queue group got nothing of 300 messages");
        for (const auto& text : member->texts()) different.insert(text);
    }
    require_equal(total(), count, "messages that the group got");
    require_equal(different.size(), count, "different messages among them");
}

void queue_beside_others(Environment& environment) {
    Peer peer{environment};
    auto& plain = peer.subscribe({.subject = "work"});
    auto& one = peer.subscribe({.subject = "work", .queue = "one"});
    auto& two = peer.subscribe({.subject = "work", .queue = "two"});
    peer.publish("work", "x");
    for (auto* probe : {&plain, &one, &two}) wait_for(environment, *probe, 1);
    settle(environment, {&peer});
    for (auto* probe : {&plain, &one, &two}) require_equal(probe->size(), 1U, "copies for each group and subscription");
}

void queue_by_name(Environment& environment) {
    constexpr std::size_t count = 40;
    Peer peer{environment};
    auto& literal_member = peer.subscribe({.subject = "work.x", .queue = "q"});
    auto& star_member = peer.subscribe({.subject = "work.*", .queue = "q"});
    for (std::size_t i = 0; i < count; ++i) peer.publish("work.x", std::to_string(i));
    environment.eventually([&] { return literal_member.size() + star_member.size() >= count; });
    settle(environment, {&peer});
    require_equal(literal_member.size() + star_member.size(), count,
                  "messages that members of one group with two patterns got");
}

void queue_member_left(Environment& environment) {
    Peer peer{environment};
    auto& gone = peer.subscribe({.subject = "work", .queue = "q"});
    auto& stays = peer.subscribe({.subject = "work", .queue = "q"});
    peer.unsubscribe(gone);
    peer.flush();
    for (int i = 0; i < 20; ++i) peer.publish("work", "x");
    wait_for(environment, stays, 20);
    require_equal(gone.size(), 0U, "messages that a member got after it had left");
}

void request_reply(Environment& environment) {
    Peer* self = nullptr;
    Peer caller{environment};
    Peer service{environment};
    self = &service;
    service.subscribe({.subject = "ask"},
                      [&](const Probe::Seen& seen) { self->publish(seen.reply_to, "answer to " + seen.text); });
    auto& replies = caller.subscribe({.subject = "_INBOX.c.*", .lane = Lane::replies});
    caller.publish("ask", "1", "_INBOX.c.1");
    wait_for(environment, replies, 1);
    require_equal(replies.texts(), Texts{"answer to 1"}, "the answer");
    require_equal(replies.seen().front().subject, std::string{"_INBOX.c.1"}, "its subject");
    require_equal(replies.seen().front().status, 0, "its status");
    service->close(patience);
}

void no_responders(Environment& environment) {
    Peer peer{environment};
    Peer other{environment};
    auto& replies = peer.subscribe({.subject = "_INBOX.c.*", .lane = Lane::replies});
    auto& others = other.subscribe({.subject = "_INBOX.c.*", .lane = Lane::replies});
    peer.publish("nobody.listens", "?", "_INBOX.c.1");
    wait_for(environment, replies, 1);
    settle(environment, {&peer, &other});
    const auto seen = replies.seen();
    require_equal(seen.size(), 1U, "messages in the inbox");
    require_equal(seen[0].status, 503, "the status");
    require_equal(seen[0].subject, std::string{"_INBOX.c.1"}, "the subject");
    require_equal(seen[0].text, std::string{}, "the body");
    require_equal(others.size(), 0U, "messages in the inbox of somebody else");
}

void responders(Environment& environment) {
    Peer peer{environment};
    auto& replies = peer.subscribe({.subject = "_INBOX.c.*", .lane = Lane::replies});
    auto& silent = peer.subscribe({.subject = "ask", .queue = "q"});
    peer.publish("ask", "?", "_INBOX.c.1");
    wait_for(environment, silent, 1);
    settle(environment, {&peer});
    require_equal(replies.size(), 0U, "messages in the inbox of a request that somebody got");
}

void echo(Environment& environment) {
    Peer peer{environment, {.no_echo = true}};
    Peer other{environment};
    auto& own = peer.subscribe({.subject = "x"});
    auto& theirs = other.subscribe({.subject = "x"});
    peer.publish("x", "mine");
    wait_for(environment, theirs, 1);
    other.publish("x", "theirs");
    wait_for(environment, own, 1);
    settle(environment, {&peer, &other});
    require_equal(own.texts(), Texts{"theirs"}, "what a transport with no_echo got");
}

void many_subscriptions(Environment& environment) {
    constexpr int count = 200;
    Peer peer{environment};
    std::vector<Probe*> probes;
    for (int i = 0; i < count; ++i) probes.push_back(&peer.subscribe({.subject = fmt::format("s.{}", i)}));
    for (int i = 0; i < count; ++i) peer.publish(fmt::format("s.{}", i), std::to_string(i));
    for (int i = 0; i < count; ++i) {
        auto& probe = *probes[static_cast<std::size_t>(i)];
        wait_for(environment, probe, 1);
        require_equal(probe.texts(), Texts{std::to_string(i)}, "what each of 200 subscriptions got");
    }
}

}  // namespace

std::vector<Rule> delivery_rules() {
    return {
        {"subject.literal", "a message arrives once, in order, with its subject and reply subject, and nowhere else",
         literal},
        {"subject.wildcards", "* stands for one token, > for one or more at the end", wildcards},
        {"delivery.order", "what one transport publishes arrives at a subscription in that order", delivered_order},
        {"delivery.every_subscription", "each subscription that matches gets a copy", every_subscription},
        {"delivery.one_at_a_time", "on_message is called one message at a time", one_at_a_time},
        {"delivery.inside_handler", "publish and subscribe may be called inside on_message", inside_handler},
        {"delivery.many_subscriptions", "each of many subscriptions gets its own", many_subscriptions},
        {"delivery.no_echo", "with no_echo a transport does not get its own messages, but those of others", echo},
        {"payload.bytes", "a body is any bytes", bytes},
        {"payload.max", "a message over max_payload is refused with payload_too_large, headers count", max_payload},
        {"headers.values", "headers travel with every value, in order, and their names keep their case", header_values},
        {"headers.without_body", "headers travel without a body, and with a status", headers_without_body},
        {"queue.one_member", "each message goes to one member of a queue group, and every member gets some",
         queue_one_member},
        {"queue.beside_others", "each queue group and each subscription without one gets a copy", queue_beside_others},
        {"queue.by_name", "members of one group may have different patterns", queue_by_name},
        {"queue.member_left", "a member that unsubscribed gets nothing more", queue_member_left},
        {"request.reply", "an answer reaches the inbox of the requester", request_reply},
        {"request.no_responders",
         "a request that nobody listens to is answered by the server: status 503 in its own inbox, and in no other",
         no_responders},
        {"request.responders", "a request that somebody gets is not answered with 503", responders},
    };
}

}  // namespace freshet::contract::detail
