// SPDX-License-Identifier: Apache-2.0
// Rules about how subscriptions end.
#include "testing/contract/probe.hpp"

namespace freshet::contract::detail {
namespace {

/// Subscribes, and holds the first message in on_message while more arrive behind it, which the handler itself
/// publishes.
Probe& subscribe_and_fill(Peer& peer, const SubscriptionSpec& spec, int behind) {
    return peer.subscribe(spec, [&peer, behind](const Probe::Seen& seen) {
        if (seen.text != "first") return;
        for (int i = 0; i < behind; ++i) peer.publish("x", std::to_string(i));
        value_or_raise(peer->flush(patience));
    });
}

void unsubscribe(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    peer.publish("x", "1");
    wait_for(environment, probe, 1);
    peer.unsubscribe(probe);
    wait_for_end(environment, probe);
    peer.flush();
    peer.publish("x", "too late");
    peer.flush();
    peer->close(patience);
    require_equal(probe.ends(), 1, "calls of on_end");
    require_equal(probe.texts(), Texts{"1"}, "what arrived");
    peer.verify();
}

void auto_unsubscribe(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    value_or_raise(peer.subscription(probe).auto_unsubscribe(3));
    peer.flush();
    for (int i = 0; i < 10; ++i) peer.publish("x", std::to_string(i));
    wait_for_end(environment, probe);
    settle(environment, {&peer});
    require_equal(probe.texts(), Texts{"0", "1", "2"}, "what arrived");
    require_equal(probe.ends(), 1, "calls of on_end");
    peer.verify();
}

void auto_unsubscribe_counts(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    peer.publish("x", "1");
    peer.publish("x", "2");
    wait_for(environment, probe, 2);
    value_or_raise(peer.subscription(probe).auto_unsubscribe(3));
    peer.flush();
    for (const auto* text : {"3", "4", "5"}) peer.publish("x", text);
    wait_for_end(environment, probe);
    settle(environment, {&peer});
    require_equal(probe.texts(), Texts{"1", "2", "3"}, "what arrived");
}

void auto_unsubscribe_bounds(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    require_error(peer.subscription(probe).auto_unsubscribe(0), Errc::bad_setup, "auto_unsubscribe(0)");
    require_error(peer.subscription(probe).auto_unsubscribe(std::uint64_t{1} << 31), Errc::bad_setup,
                  "auto_unsubscribe(2^31)");
}

void drain(Environment& environment) {
    Peer* self = nullptr;
    Probe* filled = nullptr;
    std::atomic<bool> asked = false;
    Peer peer{environment};
    self = &peer;
    filled = &peer.subscribe({.subject = "x"}, [&](const Probe::Seen& seen) {
        if (seen.text != "first") return;
        for (int i = 0; i < 5; ++i) self->publish("x", std::to_string(i));
        value_or_raise((*self)->flush(patience));
        self->subscription(*filled).drain(patience);
        asked = true;
    });
    peer.publish("x", "first");
    require(environment.eventually([&] { return asked.load(); }), "draining inside on_message hangs");
    wait_for_end(environment, *filled);
    peer.flush();
    peer.publish("x", "too late");
    peer.flush();
    peer->close(patience);
    require_equal(filled->texts(), Texts{"first", "0", "1", "2", "3", "4"}, "what arrived");
    require_equal(filled->ends(), 1, "calls of on_end");
    peer.verify();
}

void drain_at_once(Environment& environment) {
    Peer* self = nullptr;
    Probe* filled = nullptr;
    Peer peer{environment};
    self = &peer;
    filled = &peer.subscribe({.subject = "x"}, [&](const Probe::Seen& seen) {
        if (seen.text != "first") return;
        for (int i = 0; i < 5; ++i) self->publish("x", std::to_string(i));
        value_or_raise((*self)->flush(patience));
        self->subscription(*filled).drain(0ms);
    });
    peer.publish("x", "first");
    wait_for_end(environment, *filled);
    require_equal(filled->texts(), Texts{"first"}, "what arrived");
    peer->close(patience);
    peer.verify();
}

void drain_deliveries(Environment& environment) {
    Peer peer{environment};
    Peer other{environment};
    auto& one = peer.subscribe({.subject = "x"});
    auto& two = peer.subscribe({.subject = "x"});
    auto& replies = peer.subscribe({.subject = "_INBOX.d", .lane = Lane::replies});
    auto& theirs = other.subscribe({.subject = "y"});
    for (int i = 0; i < 50; ++i) peer.publish("x", std::to_string(i));
    peer.flush();
    require(peer->drain_deliveries(patience), "drain_deliveries says that something was left");
    for (auto* probe : {&one, &two}) {
        require_equal(probe->size(), 50U, "messages delivered before drain_deliveries returned");
        require_equal(probe->ends(), 1, "calls of on_end");
    }
    peer.publish("y", "publishing goes on");
    wait_for(environment, theirs, 1);
    other.publish("_INBOX.d", "inboxes stay");
    wait_for(environment, replies, 1);
    require(peer->drain_deliveries(patience), "draining again says that something was left");
    peer.verify();
}

void close(Environment& environment) {
    Peer other{environment};
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    auto& replies = peer.subscribe({.subject = "_INBOX.e", .lane = Lane::replies});
    peer.publish("x", "1");
    wait_for(environment, probe, 1);
    peer->close(patience);
    require_equal(probe.ends(), 1, "calls of on_end of a handler's subscription");
    require_equal(replies.ends(), 1, "calls of on_end of an inbox");
    other.publish("x", "too late");
    other.flush();
    require_equal(probe.size(), 1U, "messages");
    require_error(peer->publish({.subject = "x"}), Errc::closed, "publishing after close");
    require_error(peer->subscribe({.subject = "x"}, std::make_shared<Probe>()), Errc::closed,
                  "subscribing after close");
    require_error(peer->flush(1s), Errc::closed, "flushing after close");
    peer->close(patience);
    require_equal(probe.ends(), 1, "calls of on_end after closing again");
    peer.verify();
}

void close_sends(Environment& environment) {
    Peer other{environment};
    auto& probe = other.subscribe({.subject = "x"});
    Peer peer{environment};
    for (int i = 0; i < 100; ++i) peer.publish("x", std::to_string(i));
    peer->close(patience);
    wait_for(environment, probe, 100);
}

void destroyed(Environment& environment) {
    const auto probe = std::make_shared<Probe>();
    {
        const auto transport = environment.connect({});
        value_or_raise(transport->open(patience, {}));
        const auto subscription = value_or_raise(transport->subscribe({.subject = "x"}, probe));
        value_or_raise(transport->flush(patience));
    }
    require_equal(probe->ends(), 1, "calls of on_end when the transport was destroyed");
    require_equal(probe.use_count(), 1L, "owners of the sink afterwards");
}

void pending_limit(Environment& environment) {
    Peer peer{environment};
    auto& probe = subscribe_and_fill(peer, {.subject = "x", .max_pending_messages = 4}, 10);
    auto& other = peer.subscribe({.subject = "x"});
    peer.publish("x", "first");
    wait_for(environment, other, 11);
    settle(environment, {&peer});
    const auto dropped = peer.subscription(probe).dropped();
    require(dropped > 0, "nothing was dropped although more waited than max_pending_messages");
    require_equal(probe.size() + dropped, 11U, "messages delivered or dropped");
    require_equal(probe.texts()[1], std::string{"0"}, "the first that had waited");
    using Kind = ConnectionEvent::Kind;
    require(environment.eventually([&] { return peer.count(Kind::slow_consumer) > 0; }), "no event slow_consumer came");
    for (const auto& event : peer.events()) {
        if (event.kind != Kind::slow_consumer) continue;
        require_equal(event.subject, std::string{"x"}, "the subject of the event");
        require(event.dropped > 0, "the event does not say how many were dropped");
    }
    require_equal(peer.subscription(other).dropped(), 0U, "messages that a subscription with room dropped");
    peer->close(patience);
}

void pending_bytes(Environment& environment) {
    Peer peer{environment};
    const std::string kilobyte(1'000, 'x');
    auto& probe = peer.subscribe({.subject = "x", .max_pending_bytes = 2'500}, [&](const Probe::Seen& seen) {
        if (seen.text != "first") return;
        for (int i = 0; i < 10; ++i) peer.publish("x", kilobyte);
        value_or_raise(peer->flush(patience));
    });
    peer.publish("x", "first");
    wait_for(environment, probe, 2);
    settle(environment, {&peer});
    const auto dropped = peer.subscription(probe).dropped();
    require(dropped > 0, "nothing was dropped although more waited than max_pending_bytes");
    require_equal(probe.size() + dropped, 11U, "messages delivered or dropped");
    peer->close(patience);
}

}  // namespace

std::vector<Rule> lifetime_rules() {
    return {
        {"end.unsubscribe", "destroying a subscription ends it: on_end once, then nothing", unsubscribe},
        {"end.auto_unsubscribe", "a subscription ends after as many messages as auto_unsubscribe was given",
         auto_unsubscribe},
        {"end.auto_unsubscribe_counts", "auto_unsubscribe counts messages from the start of the subscription",
         auto_unsubscribe_counts},
        {"end.auto_unsubscribe_bounds", "auto_unsubscribe takes a number from 1 to 2^31-1", auto_unsubscribe_bounds},
        {"end.drain", "draining a subscription delivers what has arrived, nothing later, then calls on_end", drain},
        {"end.drain_at_once", "draining a subscription with a timeout of 0 drops the messages that wait",
         drain_at_once},
        {"end.drain_deliveries",
         "drain_deliveries drains all subscriptions of Lane::deliveries; inboxes and publishing stay",
         drain_deliveries},
        {"end.close", "after close every subscription has ended, and every call fails with closed", close},
        {"end.close_sends", "close sends what was published before it", close_sends},
        {"end.destroyed", "destroying a transport closes it and lets the sinks go", destroyed},
        {"limit.messages", "messages over max_pending_messages are dropped, counted, and reported as slow_consumer",
         pending_limit},
        {"limit.bytes", "messages over max_pending_bytes are dropped, and counted", pending_bytes},
    };
}

}  // namespace freshet::contract::detail
