// SPDX-License-Identifier: Apache-2.0
// Rules about the messages that consumers deliver, and about their receivers.
#include <atomic>

#include "testing/contract/jetstream.hpp"

namespace freshet::contract::detail {
namespace {

void fill(JsPeer& js, int count, std::string_view subject = "s.a") {
    for (int i = 1; i <= count; ++i) js.stored(subject, std::to_string(i));
}

void pull_batch(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer();
    fill(js, 3);
    require_equal(texts_of(js.fetch(2)), Texts{"1", "2"}, "two messages");
    const auto waiting = js.pull({{"batch", 2}, {"expires", 5'000'000'000}});
    js.wait_for(waiting, 1);
    js.stored("s.a", "4");
    js.wait_for(waiting, 2);
    require_equal(texts_of(js.received(waiting)), Texts{"3", "4"}, "what was there, and what came");
}

void metadata(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stored("s.b");
    fill(js, 3);
    js.consumer({{"filter_subject", "s.a"}});
    const auto got = js.fetch(2);
    const auto second = metadata_of(got[1]);
    require_equal(second.stream, std::string_view{"S"}, "the stream");
    require_equal(second.consumer, std::string_view{"C"}, "the consumer");
    require_equal(second.stream_sequence, 3U, "the stream's sequence");
    require_equal(second.consumer_sequence, 2U, "the consumer's sequence");
    require_equal(second.deliveries, 1U, "the deliveries");
    require_equal(second.pending, 1U, "what is pending");
}

void no_wait(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer();
    fill(js, 1);
    const auto some = js.pull({{"batch", 2}, {"no_wait", true}});
    js.wait_for_status(some, 404);
    require_equal(js.received(some).front().text, std::string{"1"}, "what was there");
}

void expires(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer();
    const auto inbox = js.pull({{"batch", 3}, {"expires", 300'000'000}});
    js.wait_for_status(inbox, 408);
    require_equal(std::string{js.received(inbox).back().headers.get("Nats-Pending-Messages").value_or("")},
                  std::string{"3"}, "Nats-Pending-Messages");
    fill(js, 1);
    js.pass(100ms);
    require_equal(js.received(inbox).size(), 1U, "what came to a request that had expired");
}

void heartbeat(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer();
    js.wait_for_status(js.pull({{"expires", 5'000'000'000}, {"idle_heartbeat", 200'000'000}}), 100);
}

void pull_bytes(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer();
    for (int i = 0; i < 3; ++i) js.stored("s.a", std::string(1'000, 'x'));
    const auto inbox = js.pull({{"batch", 3}, {"max_bytes", 1'500}, {"expires", 5'000'000'000}});
    js.wait_for_status(inbox, 409);
    require_equal(js.received(inbox).size(), 2U, "one message of 1000 bytes, and the status");
}

void pull_limits(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"max_batch", 5}, {"max_expires", 2'000'000'000}, {"max_waiting", 1}});
    js.wait_for_status(js.pull({{"batch", 6}, {"expires", 1'000'000'000}}), 409);
    js.wait_for_status(js.pull({{"batch", 1}, {"expires", 3'000'000'000}}), 409);
    js.pull({{"batch", 1}, {"expires", 2'000'000'000}});
    js.wait_for_status(js.pull({{"batch", 1}, {"expires", 2'000'000'000}}), 409);
    require_equal(js.ask("$JS.API.CONSUMER.MSG.NEXT.S.NONE", "1").status, 503, "the status of asking no consumer");
}

void deliver_policies(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    for (const auto* subject : {"s.a", "s.b", "s.a", "s.b", "s.c"}) js.stored(subject, subject);
    const auto begins = [&](std::string_view policy, Json more, const Texts& wanted) {
        more["name"] = policy;
        more["deliver_policy"] = policy;
        const auto pending = js.consumer(more).value("num_pending", std::size_t{99});
        require_equal(pending, wanted.size(), fmt::format("num_pending with {}", policy));
        if (wanted.empty()) return;
        require_equal(texts_of(js.fetch(wanted.size(), policy)), wanted, policy);
    };
    begins("all", Json::object(), {"s.a", "s.b", "s.a", "s.b", "s.c"});
    begins("last", Json::object(), {"s.c"});
    begins("last_per_subject", {{"filter_subject", "s.*"}}, {"s.a", "s.b", "s.c"});
    begins("by_start_sequence", {{"opt_start_seq", 4}}, {"s.b", "s.c"});
    begins("new", Json::object(), {});
    js.stored("s.d", "fresh");
    require_equal(texts_of(js.fetch(1, "new")), Texts{"fresh"}, "what came");
    js.pass(50ms);
    js.stored("s.e", "then");
    const auto time = js.call("STREAM.MSG.GET.S", {{"seq", 7}})["message"].value("time", "");
    begins("by_start_time", {{"opt_start_time", time}}, {"then"});
}

void filters(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"filter_subjects", {"s.a", "s.b.*"}}});
    for (const auto* subject : {"s.a", "s.b", "s.b.x", "s.c"}) js.stored(subject, subject);
    require_equal(texts_of(js.fetch(2)), Texts{"s.a", "s.b.x"}, "what the filters match");
    require_equal(js.consumer_info().value("num_pending", 9U), 0U, "num_pending");
    const Json overlapping{
        {"name", "D"}, {"durable_name", "D"}, {"filter_subjects", {"s.*", "s.a"}}, {"ack_policy", "none"}};
    require_equal(js.refusal("CONSUMER.CREATE.S.D", {{"stream_name", "S"}, {"config", overlapping}}), 10138,
                  "the error of filters that overlap");
}

void headers_only(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stored("s.a", "12345", {{"k", "v"}});
    js.consumer({{"headers_only", true}});
    const auto got = js.fetch(1).front();
    require_equal(got.text, std::string{}, "the body");
    require_equal(std::string{got.headers.get("Nats-Msg-Size").value_or("")}, std::string{"5"}, "Nats-Msg-Size");
    require_equal(std::string{got.headers.get("k").value_or("")}, std::string{"v"}, "a header");
}

void inactive(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"inactive_threshold", 500'000'000}});
    js.consumer_info();
    js.pass(1'500ms);
    require_equal(js.refusal("CONSUMER.INFO.S.C", Json::object()), 10014, "the error of a consumer that nobody used");
}

void consumer_exists(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer();
    js.consumer();  // declaring it again with the same settings is not an error
    const Json other{{"name", "C"}, {"durable_name", "C"}, {"ack_policy", "explicit"}, {"max_deliver", 3}};
    require_equal(js.refusal("CONSUMER.CREATE.S.C", {{"stream_name", "S"}, {"config", other}, {"action", "create"}}),
                  10148, "the error of another consumer with the name");
    js.call("CONSUMER.CREATE.S.C", {{"stream_name", "S"}, {"config", other}, {"action", "update"}});
    require_equal(js.consumer_info()["config"].value("max_deliver", 0), 3, "max_deliver after an update");
    const auto waiting = js.pull({{"batch", 1}, {"expires", 5'000'000'000}});
    js.call("CONSUMER.DELETE.S.C");
    js.wait_for_status(waiting, 409);
    require_equal(js.refusal("CONSUMER.INFO.S.C", Json::object()), 10014, "the error of a missing consumer");
}

void pause(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"pause_until", "2100-01-01T00:00:00Z"}});
    fill(js, 1);
    const auto inbox = js.pull({{"batch", 1}, {"expires", 5'000'000'000}});
    js.pass(200ms);
    require_equal(js.received(inbox).size(), 0U, "messages of a paused consumer");
    require_equal(js.consumer_info().value("paused", false), true, "paused");
    js.call("CONSUMER.PAUSE.S.C");
    // Asks again, because nats-server looks again only then.
    const auto next = js.pull({{"batch", 1}, {"expires", 5'000'000'000}});
    require(js.eventually([&] { return js.messages(inbox) + js.messages(next) > 0; }),
            "a consumer that was resumed delivers nothing");
}

void overflow(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"priority_policy", "overflow"}, {"priority_groups", {"g"}}});
    js.wait_for_status(js.pull({{"batch", 1}, {"expires", 1'000'000'000}}), 400);
    const auto inbox = js.pull({{"batch", 1}, {"expires", 5'000'000'000}, {"group", "g"}, {"min_pending", 3}});
    fill(js, 2);
    js.pass(200ms);
    require_equal(js.received(inbox).size(), 0U, "messages for a client that wants three to wait");
    fill(js, 1);
    js.wait_for(inbox, 1);
}

void pinned(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer(
        {{"priority_policy", "pinned_client"}, {"priority_groups", {"g"}}, {"priority_timeout", 60'000'000'000}});
    const Json request{{"batch", 5}, {"expires", 5'000'000'000}, {"group", "g"}};
    const auto first = js.pull(request);
    const auto second = js.pull(request);
    fill(js, 3);
    js.wait_for(first, 3);
    require_equal(js.received(second).size(), 0U, "messages for a client that is not pinned");
    require(js.received(first).front().headers.contains("Nats-Pin-Id"), "there is no Nats-Pin-Id");
    js.wait_for_status(js.pull({{"batch", 1}, {"expires", 1'000'000'000}, {"group", "g"}, {"id", "other"}}), 423);
    js.call("CONSUMER.UNPIN.S.C", {{"group", "g"}});
    js.stored("s.a", "4");
    require(js.eventually([&] { return js.messages(first) + js.messages(second) >= 4; }),
            "nobody gets anything when the client was unpinned");
}

void push(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stored("s.a", "before");
    js.consumer({{"deliver_subject", "to"}});
    require_equal(js.consumer_info().value("push_bound", false), false, "push_bound without a subscriber");
    auto& probe = js.peer().subscribe({.subject = "to"});
    wait_for(environment, probe, 1);
    js.stored("s.a", "after");
    wait_for(environment, probe, 2);
    require_equal(probe.texts(), Texts{"before", "after"}, "what was sent");
    require_equal(probe.seen()[1].subject, std::string{"s.a"}, "the subject");
    require_equal(metadata_of(probe.seen()[1]).consumer_sequence, 2U, "the consumer's sequence");
    require_equal(js.consumer_info().value("push_bound", false), true, "push_bound");
    js.wait_for_status(js.pull({{"batch", 1}, {"expires", 1'000'000'000}}), 409);
}

void push_queue(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"deliver_subject", "to"}, {"deliver_group", "g"}});
    auto& one = js.peer().subscribe({.subject = "to", .queue = "g"});
    auto& two = js.peer().subscribe({.subject = "to", .queue = "g"});
    fill(js, 40);
    require(js.eventually([&] { return one.size() + two.size() == 40; }),
            "members of a queue do not get what there is");
    require(one.size() > 0 && two.size() > 0, "one member of a queue gets everything");
}

void push_heartbeat(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"deliver_subject", "to"}, {"idle_heartbeat", 200'000'000}});
    auto& probe = js.peer().subscribe({.subject = "to"});
    fill(js, 1);
    wait_for(environment, probe, 2);
    const auto beat = probe.seen().back();
    require_equal(beat.status, 100, "the status");
    require_equal(std::string{beat.headers.get("Nats-Last-Consumer").value_or("")}, std::string{"1"},
                  "Nats-Last-Consumer");
}

void flow_control(Environment& environment) {
    constexpr std::size_t count = 400;
    JsPeer js{environment};
    js.stream();
    js.consumer(
        {{"deliver_subject", "to"}, {"idle_heartbeat", 500'000'000}, {"flow_control", true}, {"ack_policy", "none"}});
    std::string question;
    std::atomic<std::size_t> messages = 0;
    js.peer().subscribe({.subject = "to"}, [&](const Probe::Seen& seen) {
        if (seen.status == 0) ++messages;
        else if (!seen.reply_to.empty()) js.peer().publish(question = seen.reply_to, "");
    });
    const std::string body(50'000, 'x');
    for (std::size_t i = 0; i < count; ++i) js.peer().publish("s.a", body);
    require(js.eventually([&] { return messages >= count; }), "what goes beyond the window does not come");
    js.peer()->close(patience);
    require(!question.empty(), "20 MB came without a question of flow control");
    require_equal(messages.load(), count, "messages");
}

}  // namespace

std::vector<Rule> consumer_rules() {
    return {
        {"pull.batch", "a request gets as many as it asks for, those that are there and those that come", pull_batch},
        {"pull.metadata", "the reply subject tells stream, consumer, sequences, deliveries and what is pending",
         metadata},
        {"pull.no_wait", "a request that does not wait gets what there is, and 404", no_wait},
        {"pull.expires", "a request ends with 408 when it expires", expires},
        {"pull.heartbeat", "a request that waits gets heartbeats", heartbeat},
        {"pull.max_bytes", "a request gets no more than its bytes, and 409", pull_bytes},
        {"pull.limits", "requests beyond the consumer's limits are refused with 409", pull_limits},
        {"consumer.deliver", "delivery begins where the policy says", deliver_policies},
        {"consumer.filters", "a message that no filter matches is not delivered", filters},
        {"consumer.headers_only", "with headers_only, messages come without their bodies", headers_only},
        {"consumer.inactive", "a consumer that nobody uses for its inactive_threshold is removed", inactive},
        {"consumer.exists", "a consumer is created, updated and deleted, and requests that wait for it are ended",
         consumer_exists},
        {"consumer.pause", "a paused consumer delivers nothing until it is resumed", pause},
        {"consumer.overflow", "with an overflow group, a client gets messages only while at least min_pending wait",
         overflow},
        {"consumer.pinned", "with a pinned group, one client gets everything until it is unpinned", pinned},
        {"push.delivers", "a push consumer sends as soon as somebody listens", push},
        {"push.queue", "members of a queue share the messages of a push consumer", push_queue},
        {"push.heartbeat", "a push consumer that has nothing to send sends heartbeats", push_heartbeat},
        {"push.flow_control",
         "a push consumer asks whether its messages were handled, and goes on when that is confirmed", flow_control},
    };
}

}  // namespace freshet::contract::detail
