// SPDX-License-Identifier: Apache-2.0
// Rules about the connection itself.
#include "testing/contract/probe.hpp"

namespace freshet::contract::detail {
namespace {

using Kind = ConnectionEvent::Kind;

void not_open(Environment& environment) {
    const auto transport = environment.connect({});
    require_error(transport->publish({.subject = "x"}), Errc::closed, "publishing before open");
    require_error(transport->subscribe({.subject = "x"}, std::make_shared<Probe>()), Errc::closed,
                  "subscribing before open");
    require_error(transport->flush(1s), Errc::closed, "flushing before open");
    require(transport->drain_deliveries(1s), "draining before open says that something was left");
    transport->close(1s);
    require_error(transport->publish({.subject = "x"}), Errc::closed, "publishing when closed before open");
}

void bad_subject(Environment& environment) {
    Peer peer{environment};
    require_error(peer->publish({.subject = ""}), Errc::bad_subject, "publishing on an empty subject");
    for (const auto* subject : {"", "a..b", ".a", "a.", "a b", "a.>.b"})
        require_error(peer->subscribe({.subject = subject}, std::make_shared<Probe>()), Errc::bad_subject,
                      fmt::format("subscribing to \"{}\"", subject));
}

void long_subject(Environment& environment) {
    Peer peer{environment};
    const std::string subject = "a." + std::string(1'000, 'b');
    const std::string reply = "r." + std::string(1'000, 'c');
    auto& probe = peer.subscribe({.subject = subject, .queue = std::string(300, 'q')});
    peer.publish(subject, "x", reply);
    wait_for(environment, probe, 1);
    require_equal(probe.seen().front().subject, subject, "the subject");
    require_equal(probe.seen().front().reply_to, reply, "the reply subject");
}

void flush(Environment& environment) {
    Peer peer{environment};
    Peer other{environment};
    for (int i = 0; i < 20; ++i) {
        const auto subject = fmt::format("flush.{}", i);
        auto& probe = peer.subscribe({.subject = subject});  // it flushes too
        other.publish(subject, "seen");
        wait_for(environment, probe, 1);
    }
}

void told_of_server(Environment& environment) {
    Peer peer{environment};
    const auto server = peer->server();
    require(!server.url.empty(), "server() has no url");
    require_equal(server.id.size(), 56U, "the size of the server's id");
    require(server.max_payload > 0, "server() has no max_payload");
}

void stats(Environment& environment) {
    Peer peer{environment};
    auto& probe = peer.subscribe({.subject = "x"});
    for (int i = 0; i < 3; ++i) peer.publish("x", "12345");
    peer.publish("elsewhere", "1");
    wait_for(environment, probe, 3);
    const auto stats = peer->stats();
    require_equal(stats.out_messages, 4U, "messages out");
    require_equal(stats.out_bytes, 16U, "bytes out");
    require_equal(stats.in_messages, 3U, "messages in");
    require_equal(stats.in_bytes, 15U, "bytes in");
    require_equal(stats.reconnects, 0U, "reconnects");
}

void pending(Environment& environment) {
    std::size_t inside = 0;
    Peer peer{environment};
    Probe* probe = nullptr;
    probe = &peer.subscribe({.subject = "x"}, [&](const Probe::Seen& seen) {
        if (seen.text != "first") return;
        for (int i = 0; i < 5; ++i) peer.publish("x", "x");
        value_or_raise(peer->flush(patience));
        inside = peer.subscription(*probe).pending();
    });
    peer.publish("x", "first");
    wait_for(environment, *probe, 6);
    peer->close(patience);
    require_equal(inside, 5U, "pending() while five wait behind the one being handled");
    require_equal(peer.subscription(*probe).pending(), 0U, "pending() at the end");
}

void events(Environment& environment) {
    Peer peer{environment};
    require_equal(peer.count(Kind::connected), 1U, "events connected after open");
    require(!peer.events().front().url.empty(), "the event connected has no url");
    peer->close(patience);
    require_equal(peer.count(Kind::closed), 1U, "events closed after close");
    require(peer.events().back().kind == Kind::closed, "an event came after closed");
    require_equal(peer.events().size(), 2U, "events in all");
}

void require_interrupt(Environment& environment) {
    if (!environment.interrupt()) throw Skipped{"the environment cannot interrupt connections"};
}

void await(Environment& environment, const Peer& peer, Kind kind) {
    require(environment.eventually([&] { return peer.count(kind) > 0; }),
            fmt::format("no event {} came", to_string(kind)));
}

void reconnect(Environment& environment) {
    Peer peer{environment, {.reconnect = {.min_wait = 1ms, .max_wait = 20ms}}};
    // Uses an inbox: deliveries may be read over another connection, which may come back later.
    auto& inbox = peer.subscribe({.subject = "x", .lane = Lane::replies});
    auto& probe = peer.subscribe({.subject = "after.*"});
    auto& queued = peer.subscribe({.subject = "after.*", .queue = "q"});
    peer.publish("x", "before");
    wait_for(environment, inbox, 1);
    require_interrupt(environment);
    await(environment, peer, Kind::disconnected);
    peer.publish("x", "meanwhile");
    environment.resume();
    await(environment, peer, Kind::reconnected);
    peer.flush();
    peer.publish("x", "after");
    peer.publish("after.x", "after");
    wait_for(environment, inbox, 3);
    wait_for(environment, probe, 1);
    wait_for(environment, queued, 1);
    require_equal(inbox.texts(), Texts{"before", "meanwhile", "after"}, "what arrived");
    require_equal(peer->stats().reconnects, 1U, "reconnects");
    peer.verify();
}

void reconnect_buffer(Environment& environment) {
    Peer peer{environment, {.reconnect = {.min_wait = 1ms, .max_wait = 20ms, .buffer_bytes = 2'000}}};
    auto& probe = peer.subscribe({.subject = "x", .lane = Lane::replies});
    require_interrupt(environment);
    await(environment, peer, Kind::disconnected);
    const std::string text(500, 'x');
    std::size_t kept = 0;
    Expected<void> sent;
    while (kept < 20 && (sent = peer->publish({.subject = "x", .payload = as_bytes(text)}))) ++kept;
    require_error(sent, Errc::buffer_full, "publishing 10000 bytes with a buffer of 2000");
    require(kept > 0, "nothing was kept");
    environment.resume();
    wait_for(environment, probe, kept);
}

void no_reconnect(Environment& environment) {
    Peer peer{environment, {.reconnect = {.enabled = false}}};
    auto& probe = peer.subscribe({.subject = "x"});
    require_interrupt(environment);
    await(environment, peer, Kind::closed);
    wait_for_end(environment, probe);
    require_error(peer->publish({.subject = "x"}), Errc::closed, "publishing when the connection is closed for good");
}

void unreachable(Environment& environment) {
    require_interrupt(environment);
    const auto transport = environment.connect({});
    require_error(transport->open(0ms, {}), Errc::disconnected, "opening when no server is there");
}

}  // namespace

std::vector<Rule> connection_rules() {
    return {
        {"open.before", "before open every call fails with closed", not_open},
        {"open.unreachable", "open fails with disconnected when no server answers in time", unreachable},
        {"subject.bad", "an invalid subject is refused with bad_subject", bad_subject},
        {"subject.long", "subjects and queue groups may be long", long_subject},
        {"flush.seen", "after flush the server knows of all subscriptions", flush},
        {"info.server", "server() tells url, id and max_payload", told_of_server},
        {"info.stats", "stats() counts messages and bytes in and out", stats},
        {"info.pending", "pending() counts the messages that wait", pending},
        {"events.connected_closed", "connected comes with open, closed with close, and nothing after", events},
        {"reconnect.restores", "after a loss subscriptions are restored, and what was published meanwhile is sent",
         reconnect},
        {"reconnect.buffer", "publications wait for the reconnect up to buffer_bytes, then fail with buffer_full",
         reconnect_buffer},
        {"reconnect.disabled", "with reconnecting disabled, a lost connection is closed and stays closed",
         no_reconnect},
    };
}

}  // namespace freshet::contract::detail
