// SPDX-License-Identifier: Apache-2.0
// Rules about the options of a publication.
#include "testing/contract/jetstream.hpp"

#include "jetstream/api/rfc3339.hpp"

namespace freshet::contract {
namespace {

void dedupe(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"duplicate_window", 1'000'000'000}});
    require_equal(js.stored("s.a", "1", {{"Nats-Msg-Id", "id"}}), 1U, "the sequence");
    const auto again = js.publish("s.a", "2", {{"Nats-Msg-Id", "id"}});
    require_equal(again.value("duplicate", false), true, "duplicate of the same id");
    require_equal(again.value("seq", 0U), 1U, "the sequence of a duplicate");
    require_equal(js.stored("s.a", "3", {{"Nats-Msg-Id", "other"}}), 2U, "the sequence of another id");
    js.pass(1'500ms);
    require_equal(js.stored("s.a", "4", {{"Nats-Msg-Id", "id"}}), 3U, "the sequence when the window has passed");
}

void acknowledgement(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    const auto text = js.ask("s.a", "x").text;
    require(text.starts_with(R"({"stream":"S")"),
            "an acknowledgement does not begin with the name of its stream: " + text);
}

void last_sequence(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stored("s.a");
    const auto expected = [](std::string_view last) { return Headers{{"Nats-Expected-Last-Sequence", last}}; };
    require_equal(js.publish_refusal("s.a", "x", expected("7")), 10071, "the error of another last sequence");
    require_equal(js.stored("s.a", "x", expected("1")), 2U, "the sequence as expected");
}

void last_subject_sequence(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stored("s.a");
    js.stored("s.b");
    const auto expected = [](std::string_view last) { return Headers{{"Nats-Expected-Last-Subject-Sequence", last}}; };
    require_equal(js.publish_refusal("s.a", "x", expected("2")), 10071, "the error of another last sequence");
    require_equal(js.publish_refusal("s.a", "x", expected("0")), 10071, "the error of a subject that is not empty");
    require_equal(js.stored("s.a", "x", expected("1")), 3U, "the sequence as expected");
    require_equal(js.stored("s.new", "x", expected("0")), 4U, "the sequence of a new subject");
    Headers others{{"Nats-Expected-Last-Subject-Sequence", "4"},
                   {"Nats-Expected-Last-Subject-Sequence-Subject", "s.new"}};
    require_equal(js.stored("s.a", "x", others), 5U, "the sequence where another subject is asked about");
}

void last_id(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stored("s.a", "x", {{"Nats-Msg-Id", "one"}});
    require_equal(js.publish_refusal("s.a", "x", {{"Nats-Expected-Last-Msg-Id", "two"}}), 10070,
                  "the error of another id");
    js.stored("s.a", "x", {{"Nats-Expected-Last-Msg-Id", "one"}});
}

void which_stream(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    require_equal(js.publish_refusal("s.a", "x", {{"Nats-Expected-Stream", "T"}}), 10060,
                  "the error of another stream");
    js.stored("s.a", "x", {{"Nats-Expected-Stream", "S"}});
}

void ttl(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"allow_msg_ttl", true}});
    js.stored("s.a", "short", {{"Nats-TTL", "1s"}});
    js.stored("s.a", "long", {{"Nats-TTL", "1h"}});
    js.stored("s.a", "for ever");
    require_equal(js.texts().size(), 3U, "messages before the TTL has passed");
    require(js.eventually([&] { return js.state().value("messages", 9U) == 2; }), "a message outlives its TTL");
    require_equal(js.texts(), Texts{"long", "for ever"}, "what is left");
    js.stream({{"name", "T"}, {"subjects", {"t"}}});
    require_equal(js.publish_refusal("t", "x", {{"Nats-TTL", "1s"}}), 10166, "the error of a TTL not allowed");
}

void marker(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"max_msgs_per_subject", 1},
               {"allow_msg_ttl", true},
               {"allow_rollup_hdrs", true},
               {"subject_delete_marker_ttl", 3'600'000'000'000}});
    js.stored("s.a", "short", {{"Nats-TTL", "1s"}});
    require(js.eventually([&] { return js.state().value("last_seq", 0U) == 2; }), "there is no marker");
    js.consumer();
    const auto got = js.fetch(1).front();
    require_equal(got.text, std::string{}, "the body of a marker");
    require_equal(std::string{got.headers.get("Nats-Marker-Reason").value_or("none")}, std::string{"MaxAge"},
                  "Nats-Marker-Reason");
    require_equal(js.state().value("messages", 0U), 1U, "messages: the marker");
}

void counter(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"allow_msg_counter", true}});
    const auto add = [&](std::string_view by) { return js.publish("s.a", "", {{"Nats-Incr", by}}).value("val", ""); };
    require_equal(add("+41"), std::string{"41"}, "the counter");
    require_equal(add("1"), std::string{"42"}, "the counter");
    require_equal(add("-50"), std::string{"-8"}, "the counter");
    require_equal(add("+9223372036854775816"), std::string{"9223372036854775808"}, "a counter of more than 64 bits");
    require_equal(js.publish_refusal("s.a", "x", {}), 10169, "the error of a message without increment");
    js.stream({{"name", "T"}, {"subjects", {"t"}}});
    require_equal(js.publish_refusal("t", "", {{"Nats-Incr", "1"}}), 10168, "the error of a counter not allowed");
}

void atomic_batch(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"allow_atomic", true}});
    const auto part = [](std::string_view id, std::string_view sequence) {
        return Headers{{"Nats-Batch-Id", id}, {"Nats-Batch-Sequence", sequence}};
    };
    const auto last = [&](std::string_view id, std::string_view sequence) {
        auto headers = part(id, sequence);
        headers.set("Nats-Batch-Commit", "1");
        return headers;
    };
    require_equal(js.ask("s.a", "1", part("b", "1")).text, std::string{}, "the answer within a batch");
    const auto second = part("b", "2");
    js.peer().publish("s.a", "2", {}, &second);
    require_equal(js.state().value("messages", 9U), 0U, "messages before the commit");
    const auto ack = js.publish("s.a", "3", last("b", "3"));
    require_equal(ack.value("count", 0U), 3U, "the count of the batch");
    require_equal(ack.value("seq", 0U), 3U, "the last sequence of the batch");
    require_equal(js.texts(), Texts{"1", "2", "3"}, "what is stored");
    js.ask("s.a", "4", part("c", "1"));
    require_equal(js.publish_refusal("s.a", "6", last("c", "3")), 10176, "the error of a batch with a gap");
    auto stale = part("d", "1");
    stale.set("Nats-Expected-Last-Sequence", "1");
    js.ask("s.a", "x", stale);
    require_equal(js.publish_refusal("s.a", "y", last("d", "2")), 10071, "the error of a batch that expects otherwise");
    require_equal(js.state().value("messages", 0U), 3U, "messages when batches were refused");
    js.stream({{"name", "T"}, {"subjects", {"t"}}});
    require_equal(js.publish_refusal("t", "x", part("e", "1")), 10174, "the error of a batch not allowed");
}

void schedule_at(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"allow_msg_schedules", true}});
    // Takes the server's date, which may differ from the local one, from a message that was just stored.
    js.stored("s.now");
    const auto now = detail::parse_rfc3339(js.call("STREAM.MSG.GET.S", {{"seq", 1}})["message"].value("time", ""))
                         .value_or(std::chrono::system_clock::now());
    const Headers headers{{"Nats-Schedule", "@at " + detail::format_rfc3339(now + 1s)},
                          {"Nats-Schedule-Target", "s.due"}};
    js.stored("s.plan", "later", headers);
    require_equal(js.texts().size(), 2U, "messages before the time has come");
    require(js.eventually([&] { return js.texts() == Texts{"x", "later"} && js.state().value("last_seq", 0U) == 3; }),
            "the scheduled message does not come, or the schedule stays");
    const auto due = js.call("STREAM.MSG.GET.S", {{"seq", 3}})["message"];
    require_equal(due.value("subject", ""), std::string{"s.due"}, "the subject of what was scheduled");
    require_equal(js.publish_refusal("s.plan", "x",
                                     {{"Nats-Schedule", "@at never"}, {"Nats-Schedule-Target", "s.due"}}),
                  10189, "the error of a schedule that is none");
    require_equal(js.publish_refusal("s.plan", "x",
                                     {{"Nats-Schedule", "@at " + detail::format_rfc3339(now)},
                                      {"Nats-Schedule-Target", "elsewhere"}}),
                  10190, "the error of a target outside the stream");
}

void schedule_every(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"allow_msg_schedules", true}});
    js.stored("s.plan", "again", {{"Nats-Schedule", "@every 1s"}, {"Nats-Schedule-Target", "s.due"}});
    require(js.eventually([&] { return js.texts().size() >= 3; }), "the scheduled message does not come again");
    js.call("STREAM.PURGE.S", {{"filter", "s.plan"}});
    const auto before = js.texts().size();
    js.pass(1'500ms);
    require_equal(js.texts().size(), before, "messages when the schedule was purged");
}

}  // namespace

std::vector<Rule> publish_rules() {
    return {
        {"publish.ack", "an acknowledgement begins with the name of the stream", acknowledgement},
        {"publish.dedupe", "a message of an id is stored once within the duplicate window", dedupe},
        {"publish.last_sequence", "a message is stored only if the last sequence is as expected", last_sequence},
        {"publish.last_subject_sequence", "the same of its subject, or another one", last_subject_sequence},
        {"publish.last_id", "the same of the last id", last_id},
        {"publish.stream", "the same of the stream", which_stream},
        {"publish.ttl", "a message goes when its own TTL has passed, where that is allowed", ttl},
        {"publish.marker", "a marker says that the last message of a subject has expired", marker},
        {"publish.counter", "increments are added up, whatever their size", counter},
        {"publish.batch", "an atomic batch is stored as a whole or not at all", atomic_batch},
        {"publish.schedule_at", "a scheduled message is published at its time, once", schedule_at},
        {"publish.schedule_every", "or again and again, until the schedule is purged", schedule_every},
    };
}

}  // namespace freshet::contract
