// SPDX-License-Identifier: Apache-2.0
// Rules about the messages that a stream keeps, and about reading them.
#include "testing/contract/jetstream.hpp"

namespace freshet::contract::detail {
namespace {

void sequences(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    require_equal(js.stored("s.a", "one"), 1U, "the first sequence");
    require_equal(js.stored("s.b", "two"), 2U, "the second sequence");
    js.call("STREAM.MSG.DELETE.S", {{"seq", 2}});
    require_equal(js.stored("s.a", "three"), 3U, "the sequence after one that was deleted");
    const auto state = js.state();
    require_equal(state.value("messages", 0U), 2U, "messages");
    require_equal(state.value("first_seq", 0U), 1U, "first_seq");
    require_equal(state.value("last_seq", 0U), 3U, "last_seq");
    require_equal(state.value("num_subjects", 0U), 1U, "num_subjects");
    require_equal(js.texts(), Texts{"one", "three"}, "the messages");
}

void first_sequence(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"first_seq", 100}});
    require_equal(js.stored("s.a"), 100U, "the first sequence");
}

void only_its_subjects(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"subjects", {"s.*.x", "t"}}});
    js.stored("s.a.x");
    js.stored("t");
    require_equal(js.ask("s.a.y", "").status, 503, "the status of what no stream takes");
    require_equal(js.refusal("STREAM.CREATE.T", {{"name", "T"}, {"subjects", {"s.a.>"}}, {"storage", "memory"}}), 10065,
                  "the error of overlapping subjects");
}

void stream_exists(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stream();  // declaring it again with the same settings is not an error
    require_equal(js.refusal("STREAM.CREATE.S", {{"name", "S"}, {"subjects", {"other"}}, {"storage", "memory"}}), 10058,
                  "the error of another stream with the name");
    require_equal(js.refusal("STREAM.INFO.NONE", Json::object()), 10059, "the error of a missing stream");
    js.call("STREAM.DELETE.S");
    require_equal(js.refusal("STREAM.INFO.S", Json::object()), 10059, "the error of a deleted stream");
}

void max_msgs(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"max_msgs", 2}});
    for (const auto* text : {"1", "2", "3"}) js.stored("s.a", text);
    require_equal(js.texts(), Texts{"2", "3"}, "of three messages with max_msgs 2");
}

void max_bytes(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"max_bytes", 2'500}});
    for (const char text : {'1', '2', '3'}) js.stored("s.a", std::string(1'000, text));
    require_equal(js.texts().size(), 2U, "messages of 1000 bytes with max_bytes 2500");
}

void max_age(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"max_age", 500'000'000}});
    js.stored("s.a");
    require_equal(js.state().value("messages", 0U), 1U, "messages before max_age");
    require(js.eventually([&] { return js.state().value("messages", 9U) == 0; }), "a message outlives max_age");
}

void per_subject(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"max_msgs_per_subject", 2}});
    for (const auto* text : {"1", "2", "3"}) js.stored("s.a", text);
    js.stored("s.b", "other");
    require_equal(js.texts(), Texts{"2", "3", "other"}, "of three messages with max_msgs_per_subject 2");
}

void message_size(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"max_msg_size", 100}});
    js.stored("s.a", std::string(100, 'x'));
    require_equal(js.publish_refusal("s.a", std::string(101, 'x'), {}), 10054,
                  "the error of a message that is too large");
}

void discard_new(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"max_msgs", 1}, {"discard", "new"}});
    js.stored("s.a", "1");
    require_equal(js.publish_refusal("s.a", "2", {}), 10077, "the error of a full stream");
    require_equal(js.texts(), Texts{"1"}, "what a full stream has");
}

void workqueue(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"retention", "workqueue"}});
    js.consumer();
    for (const auto* text : {"1", "2"}) js.stored("s.a", text);
    const auto got = js.fetch(2);
    js.settle(got[0]);
    require(js.eventually([&] { return js.state().value("messages", 0U) == 1; }), "an acknowledged message stays");
    js.settle(got[1], "+TERM");
    require(js.eventually([&] { return js.state().value("messages", 9U) == 0; }), "a terminated message stays");
    const Json second{{"name", "D"}, {"durable_name", "D"}, {"ack_policy", "explicit"}};
    require_equal(js.refusal("CONSUMER.CREATE.S.D", {{"stream_name", "S"}, {"config", second}}), 10099,
                  "the error of a second consumer of the same messages");
}

void interest(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"retention", "interest"}});
    js.stored("s.a", "nobody is there");
    require_equal(js.state().value("messages", 9U), 0U, "messages without a consumer");
    js.consumer();
    js.consumer({{"name", "D"}});
    js.stored("s.a", "1");
    js.settle(js.fetch(1)[0]);
    require_equal(js.state().value("messages", 9U), 1U, "messages that one of two consumers has acknowledged");
    js.settle(js.fetch(1, "D")[0]);
    require(js.eventually([&] { return js.state().value("messages", 9U) == 0; }),
            "a message that all have acknowledged stays");
}

void purge(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    for (const auto* text : {"1", "2", "3", "4"}) js.stored("s.a", text);
    js.stored("s.b", "b");
    require_equal(js.call("STREAM.PURGE.S", {{"filter", "s.a"}, {"seq", 2}}).value("purged", 0U), 1U, "purged up to 2");
    require_equal(js.call("STREAM.PURGE.S", {{"filter", "s.a"}, {"keep", 1}}).value("purged", 0U), 2U,
                  "purged but one");
    require_equal(js.texts(), Texts{"4", "b"}, "what is left");
    js.call("STREAM.PURGE.S");
    const auto state = js.state();
    require_equal(state.value("messages", 9U), 0U, "messages when all were purged");
    require_equal(state.value("first_seq", 0U), 6U, "first_seq when all were purged");
}

void read_one(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    for (const auto* subject : {"s.a", "s.b", "s.a"}) js.stored(subject);
    const auto sequence = [&](const Json& request) {
        return js.call("STREAM.MSG.GET.S", request)["message"].value("seq", 0U);
    };
    require_equal(sequence({{"seq", 2}}), 2U, "the message of a sequence");
    require_equal(sequence({{"last_by_subj", "s.a"}}), 3U, "the last of a subject");
    require_equal(sequence({{"seq", 2}, {"next_by_subj", "s.a"}}), 3U, "the first of a subject from a sequence on");
    require_equal(js.refusal("STREAM.MSG.GET.S", {{"seq", 9}}), 10037, "the error of a missing message");
}

void read_direct(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"allow_direct", true}});
    js.stored("s.a", "1", {{"k", "v"}});
    js.stored("s.b", "2");
    js.stored("s.a", "3");
    const auto last = js.ask("$JS.API.DIRECT.GET.S.s.a", "");
    require_equal(last.text, std::string{"3"}, "the last of a subject");
    const auto header = [](const Probe::Seen& seen, std::string_view name) {
        return std::string{seen.headers.get(name).value_or("")};
    };
    require_equal(header(last, "Nats-Sequence"), std::string{"3"}, "Nats-Sequence");
    require_equal(header(last, "Nats-Subject"), std::string{"s.a"}, "Nats-Subject");
    require_equal(header(js.ask("$JS.API.DIRECT.GET.S", R"({"seq":1})"), "k"), std::string{"v"}, "a header");
    require_equal(js.ask("$JS.API.DIRECT.GET.S", R"({"seq":9})").status, 404, "the status of a missing message");
    const auto batch = js.request_many("$JS.API.DIRECT.GET.S", R"({"batch":2,"seq":1,"next_by_subj":">"})", 3);
    require_equal(texts_of(batch), Texts{"1", "2", ""}, "a batch and its end");
    require_equal(batch.back().status, 204, "the status of a batch's end");
    require_equal(header(batch.back(), "Nats-Num-Pending"), std::string{"1"}, "Nats-Num-Pending at the end of a batch");
    const auto latest = js.request_many("$JS.API.DIRECT.GET.S", R"({"batch":9,"multi_last":["s.*"]})", 3);
    require_equal(texts_of(latest), Texts{"2", "3", ""}, "the last of each subject, and the end");
}

void no_direct(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stored("s.a");
    require_equal(js.ask("$JS.API.DIRECT.GET.S.s.a", "").status, 503, "the status of a direct get that is not allowed");
}

void rollup(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"allow_rollup_hdrs", true}});
    for (const auto* subject : {"s.a", "s.b", "s.a"}) js.stored(subject, subject);
    js.stored("s.a", "rolled", {{"Nats-Rollup", "sub"}});
    require_equal(js.texts(), Texts{"s.b", "rolled"}, "after a rollup of a subject");
    js.stored("s.a", "alone", {{"Nats-Rollup", "all"}});
    require_equal(js.texts(), Texts{"alone"}, "after a rollup of all");
    js.stream({{"name", "T"}, {"subjects", {"t"}}});
    require_equal(js.publish_refusal("t", "x", {{"Nats-Rollup", "all"}}), 10111, "the error of a rollup not allowed");
}

void sealed(Environment& environment) {
    JsPeer js{environment};
    auto config = js.stream()["config"];
    js.stored("s.a");
    config["sealed"] = true;
    js.call("STREAM.UPDATE.S", config);
    require_equal(js.publish_refusal("s.a", "x", {}), 10109, "the error of publishing into a sealed stream");
    require(js.refusal("STREAM.PURGE.S", Json::object()) != 0, "a sealed stream is purged");
}

void transform(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"subject_transform", {{"src", "s.*.*"}, {"dest", "s.{{wildcard(2)}}.$1"}}}});
    js.stored("s.a.b");
    require_equal(js.call("STREAM.MSG.GET.S", {{"seq", 1}})["message"].value("subject", ""), std::string{"s.b.a"},
                  "the stored subject");
}

void republish(Environment& environment) {
    JsPeer js{environment};
    js.stream({{"republish", {{"src", "s.>"}, {"dest", "again.>"}}}});
    auto& probe = js.peer().subscribe({.subject = "again.>"});
    js.stored("s.a", "1");
    js.stored("s.a", "2");
    wait_for(environment, probe, 2);
    const auto seen = probe.seen();
    require_equal(seen[1].subject, std::string{"again.a"}, "the subject");
    require_equal(seen[1].text, std::string{"2"}, "the body");
    for (const auto& [name, value] :
         {std::pair{"Nats-Stream", "S"}, {"Nats-Subject", "s.a"}, {"Nats-Sequence", "2"}, {"Nats-Last-Sequence", "1"}})
        require_equal(std::string{seen[1].headers.get(name).value_or("")}, std::string{value}, name);
}

void mirror(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stored("s.a", "before");
    js.stream({{"name", "M"}, {"mirror", {{"name", "S"}}}});
    require(js.eventually([&] { return js.state("M").value("last_seq", 0U) == 1; }),
            "a mirror does not get what is there");
    js.call("STREAM.PURGE.S");
    js.stored("s.b", "after");
    require(js.eventually([&] { return js.state("M").value("last_seq", 0U) == 2; }), "a mirror does not follow");
    require_equal(js.texts("M"), Texts{"before", "after"}, "what the mirror has");
}

void sources(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.stream({{"name", "T"}, {"subjects", {"t.>"}}});
    js.stored("s.a", "1");
    js.stored("t.a", "2");
    js.stream({{"name", "ALL"}, {"sources", {{{"name", "S"}, {"filter_subject", "s.a"}}, {{"name", "T"}}}}});
    const auto has = [&](std::uint64_t count) {
        return js.eventually([&] { return js.state("ALL").value("messages", 0U) >= count; });
    };
    require(has(2), "a stream does not gather what its sources have");
    js.stored("s.b", "not this one");
    js.stored("s.a", "3");
    require(has(3), "a stream does not gather what comes to its sources");
    require_equal(js.texts("ALL").back(), std::string{"3"}, "the last message gathered");
}

}  // namespace

std::vector<Rule> stream_rules() {
    return {
        {"stream.sequences", "what is stored is numbered without gaps, and numbers are not used again", sequences},
        {"stream.first_seq", "the first sequence is first_seq", first_sequence},
        {"stream.subjects", "a stream takes its subjects and no others, which no other stream may have",
         only_its_subjects},
        {"stream.exists", "a stream is created once, and does not exist after it is deleted", stream_exists},
        {"stream.max_msgs", "of more than max_msgs messages the oldest are removed", max_msgs},
        {"stream.max_bytes", "of more than max_bytes the oldest messages are removed", max_bytes},
        {"stream.max_age", "messages older than max_age are removed", max_age},
        {"stream.max_msgs_per_subject", "each subject keeps its latest max_msgs_per_subject messages", per_subject},
        {"stream.max_msg_size", "a message larger than max_msg_size is refused", message_size},
        {"stream.discard_new", "with discard new a full stream refuses", discard_new},
        {"stream.workqueue", "a work queue keeps what is not settled, for one consumer of each subject", workqueue},
        {"stream.interest", "a stream of retention interest keeps what some consumer has not acknowledged", interest},
        {"stream.purge", "purge removes a subject, up to a sequence, all but the latest, or everything", purge},
        {"stream.get", "messages are read by sequence and by subject", read_one},
        {"stream.direct", "messages are read directly, one or a batch, described by headers", read_direct},
        {"stream.no_direct", "a stream that does not allow direct gets does not answer them", no_direct},
        {"stream.rollup", "a rollup removes what was before, of its subject or of all, where it is allowed", rollup},
        {"stream.sealed", "a sealed stream does not change", sealed},
        {"stream.transform", "a subject_transform changes the subject before a message is stored", transform},
        {"stream.republish", "a stored message is published again, with its stream and sequence in headers", republish},
        {"stream.mirror", "a mirror gets the messages of its origin, old and new, with the same sequences", mirror},
        {"stream.sources", "a stream gets the messages of its sources, old and new", sources},
    };
}

}  // namespace freshet::contract::detail
