// SPDX-License-Identifier: Apache-2.0
// Rules about acknowledgements and redeliveries.
#include "testing/contract/jetstream.hpp"

namespace freshet::contract::detail {
namespace {

constexpr std::int64_t ack_wait = 600'000'000;
constexpr std::int64_t soon = 300'000'000;

/// Stores one message and takes its first delivery.
Probe::Seen begin(JsPeer& js, Json config) {
    js.stream();
    js.consumer(std::move(config));
    js.stored("s.a", "1");
    return js.fetch(1).front();
}

/// Requires that nothing comes for `time`.
void require_nothing(JsPeer& js, std::chrono::milliseconds time, std::string_view what) {
    const auto inbox = js.pull({{"batch", 1}, {"expires", 20'000'000'000}});
    js.pass(time);
    require_equal(texts_of(js.received(inbox)), Texts{}, what);
}

void require_again(JsPeer& js, std::uint64_t deliveries) {
    require_equal(metadata_of(js.fetch(1).front()).deliveries, deliveries, "the deliveries");
}

void ack(Environment& environment) {
    JsPeer js{environment};
    const auto message = begin(js, {{"ack_wait", ack_wait}});
    require_equal(js.consumer_info().value("num_ack_pending", 0U), 1U, "num_ack_pending before");
    js.settle(message);
    const auto settled = [&] { return js.consumer_info().value("num_ack_pending", 9U) == 0; };
    require(js.eventually(settled), "num_ack_pending is not 0 after an acknowledgement");
    require_equal(js.consumer_info()["ack_floor"].value("stream_seq", 0U), 1U, "the floor");
    require_nothing(js, 900ms, "what came after an acknowledgement");
}

void confirmed(Environment& environment) {
    JsPeer js{environment};
    const auto message = begin(js, Json::object());
    const auto answer = js.ask(message.reply_to, "+ACK");
    require_equal(answer.text, std::string{}, "the confirmation");
    require_equal(answer.status, 0, "the confirmation's status");
    require_equal(js.consumer_info().value("num_ack_pending", 9U), 0U, "num_ack_pending when it was confirmed");
}

void wait(Environment& environment) {
    JsPeer js{environment};
    begin(js, {{"ack_wait", ack_wait}});
    const auto inbox = js.pull({{"batch", 1}, {"expires", 20'000'000'000}});
    js.pass(200ms);
    require_equal(js.received(inbox).size(), 0U, "what came before ack_wait");
    js.wait_for(inbox, 1);
    require_equal(metadata_of(js.received(inbox).front()).deliveries, 2U, "the deliveries");
    require_equal(js.consumer_info().value("num_redelivered", 0U), 1U, "num_redelivered");
}

void nak(Environment& environment) {
    JsPeer js{environment};
    js.settle(begin(js, Json::object()), "-NAK");
    require_again(js, 2);
}

void nak_delay(Environment& environment) {
    JsPeer js{environment};
    js.settle(begin(js, Json::object()), fmt::format(R"(-NAK {{"delay":{}}})", soon * 2));
    const auto inbox = js.pull({{"batch", 1}, {"expires", 20'000'000'000}});
    js.pass(200ms);
    require_equal(js.received(inbox).size(), 0U, "what came before the delay");
    js.wait_for(inbox, 1);
}

void term(Environment& environment) {
    JsPeer js{environment};
    js.settle(begin(js, {{"ack_wait", ack_wait}}), "+TERM");
    require_nothing(js, 900ms, "what came after +TERM");
    require_equal(js.consumer_info().value("num_ack_pending", 9U), 0U, "num_ack_pending");
}

void progress(Environment& environment) {
    JsPeer js{environment};
    const auto message = begin(js, {{"ack_wait", 1'000'000'000}});
    const auto inbox = js.pull({{"batch", 1}, {"expires", 20'000'000'000}});
    for (int i = 0; i < 4; ++i) {
        js.pass(400ms);
        js.settle(message, "+WPI");
    }
    require_equal(js.received(inbox).size(), 0U, "what came while +WPI was said");
    js.wait_for(inbox, 1);
}

void max_deliver(Environment& environment) {
    JsPeer js{environment};
    js.settle(begin(js, {{"max_deliver", 2}}), "-NAK");
    const auto again = js.fetch(1).front();
    js.settle(again, "-NAK");
    require_nothing(js, 300ms, "what came after max_deliver");
    require_equal(js.state().value("messages", 0U), 1U, "messages of the stream");
}

void backoff(Environment& environment) {
    JsPeer js{environment};
    begin(js, {{"backoff", {soon, soon * 4}}, {"max_deliver", 5}});
    const auto inbox = js.pull({{"batch", 2}, {"expires", 20'000'000'000}});
    js.wait_for(inbox, 1);
    js.pass(600ms);
    require_equal(js.received(inbox).size(), 1U, "deliveries before the second step of the backoff");
    js.wait_for(inbox, 2);
}

void max_pending(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"max_ack_pending", 2}});
    for (const auto* text : {"1", "2", "3"}) js.stored("s.a", text);
    const auto inbox = js.pull({{"batch", 3}, {"expires", 20'000'000'000}});
    js.wait_for(inbox, 2);
    js.pass(100ms);
    require_equal(js.received(inbox).size(), 2U, "messages with max_ack_pending 2");
    js.settle(js.received(inbox).front());
    js.wait_for(inbox, 3);
}

void all(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"ack_policy", "all"}});
    for (const auto* text : {"1", "2", "3"}) js.stored("s.a", text);
    js.settle(js.fetch(3)[1]);
    require(js.eventually([&] { return js.consumer_info().value("num_ack_pending", 9U) == 1; }),
            "one acknowledgement of policy all does not settle what came before");
}

void none(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer({{"ack_policy", "none"}});
    for (const auto* text : {"1", "2"}) js.stored("s.a", text);
    const auto got = js.fetch(2);
    require_equal(metadata_of(got[1]).consumer_sequence, 2U, "the consumer's sequence");
    require_equal(js.consumer_info().value("num_ack_pending", 9U), 0U, "num_ack_pending without acknowledgements");
}

void order(Environment& environment) {
    JsPeer js{environment};
    js.stream();
    js.consumer();
    for (const auto* text : {"1", "2", "3"}) js.stored("s.a", text);
    const auto first = js.fetch(2);
    js.settle(first[0], "-NAK");
    const auto then = js.fetch(2);
    require_equal(texts_of(then), Texts{"1", "3"}, "what comes when the first was refused");
    const auto info = js.consumer_info();
    require_equal(info["delivered"].value("consumer_seq", 0U), 4U, "deliveries");
    require_equal(info["delivered"].value("stream_seq", 0U), 3U, "the last delivered");
    require_equal(info.value("num_ack_pending", 0U), 3U, "num_ack_pending");
}

}  // namespace

std::vector<Rule> settlement_rules() {
    return {
        {"ack.ack", "what is acknowledged does not come again", ack},
        {"ack.confirmed", "an acknowledgement that asks is answered when it counts", confirmed},
        {"ack.wait", "what is not acknowledged comes again after ack_wait", wait},
        {"ack.nak", "what is refused comes again at once", nak},
        {"ack.nak_delay", "what is refused with a delay comes again after that delay", nak_delay},
        {"ack.term", "what is terminated does not come again", term},
        {"ack.progress", "+WPI starts ack_wait anew", progress},
        {"ack.max_deliver", "after max_deliver deliveries a message does not come again, and stays in the stream",
         max_deliver},
        {"ack.backoff", "each redelivery waits for its step of the backoff", backoff},
        {"ack.max_pending", "no more than max_ack_pending messages are delivered and unacknowledged at a time",
         max_pending},
        {"ack.all", "with ack_policy all, an acknowledgement settles all earlier messages, too", all},
        {"ack.none", "with ack_policy none, no message waits for an acknowledgement", none},
        {"ack.order", "a message that is delivered again comes before new ones", order},
    };
}

}  // namespace freshet::contract::detail
