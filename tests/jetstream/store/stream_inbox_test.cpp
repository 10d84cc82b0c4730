// SPDX-License-Identifier: Apache-2.0
// What a reader of a stream takes of what arrives, and what not.
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/testing/virtual_clock.hpp>

#include "jetstream/store/stream_inbox.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using detail::StreamInbox;

namespace {

Message delivered(std::string_view consumer, std::uint64_t consumer_sequence, std::uint64_t stream_sequence) {
    const auto reply = "$JS.ACK.S." + std::string{consumer} + ".1." + std::to_string(stream_sequence) + "." +
                       std::to_string(consumer_sequence) + ".1700000000000000000.0";
    return Message::make("in.S", as_bytes(std::to_string(stream_sequence)), {}, reply);
}

struct Fixture {
    testing::VirtualClock clock;
    std::vector<std::string> arrived;
    StreamInbox inbox{clock, "in.", [this](const Message& message) { arrived.emplace_back(message.text()); }};

    std::string next() {
        const auto message = inbox.next(0ms);
        if (!message) return "none";
        return message->repeated ? "repeated" : std::string{message->message.text()};
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "messages of the consumer followed are taken, in their order") {
    inbox.on_message(delivered("a", 1, 7));  // none is followed
    inbox.follow("a");
    inbox.on_message(delivered("a", 1, 7));
    inbox.on_message(delivered("other", 1, 8));
    inbox.on_message(Message::make("in.other"));  // a status of another
    inbox.on_message(delivered("a", 2, 9));
    CHECK(next() == "7");
    CHECK(next() == "9");
    CHECK(inbox.stream_sequence() == 9);
    CHECK(arrived == std::vector<std::string>{"7", "9"});
}

TEST_CASE_METHOD(Fixture, "after a gap nothing is taken until another consumer goes on") {
    inbox.follow("a");
    inbox.on_message(delivered("a", 1, 7));
    inbox.on_message(delivered("a", 3, 9));
    inbox.on_message(delivered("a", 2, 8));
    CHECK(next() == "7");
    CHECK(next() == "none");
    CHECK(inbox.stream_sequence() == 7);
    inbox.follow("b");
    inbox.on_message(delivered("a", 2, 8));
    inbox.on_message(delivered("b", 1, 8));
    CHECK(next() == "8");
    CHECK(arrived == std::vector<std::string>{"7", "8"});
}

TEST_CASE_METHOD(Fixture, "a request that has brought all that it may says what it had left, and more is taken") {
    inbox.follow("a");
    inbox.on_message(delivered("a", 1, 7));
    const auto ended = [](std::string_view text, std::string_view left) {
        return Message::make("in.a", {}, {{"Status", "409"}, {"Description", text}, {"Nats-Pending-Messages", left}});
    };
    inbox.on_message(ended("Batch Completed", "0"));
    inbox.on_message(ended("Message Size Exceeds MaxBytes", "12"));
    inbox.on_message(delivered("a", 2, 8));
    inbox.on_message(ended("Consumer Deleted", "3"));
    CHECK(next() == "7");
    for (const std::size_t left : {0, 12}) {
        const auto full = inbox.next(0ms);
        REQUIRE(full);
        CHECK(full->left == left);
    }
    CHECK(next() == "8");
    CHECK(next() == "none");
}

TEST_CASE_METHOD(Fixture,
                 "another consumer that begins from the start repeats what was taken, and that is not taken again") {
    inbox.follow("a");
    inbox.on_message(delivered("a", 1, 7));
    inbox.on_message(delivered("a", 2, 9));
    inbox.on_message(Message::make("in.a"));
    CHECK(next() == "7");
    CHECK(next() == "9");
    CHECK(next() == "none");
    inbox.follow("b");
    inbox.on_message(delivered("b", 1, 9));  // what was 7 has been written again
    inbox.on_message(delivered("b", 2, 12));
    CHECK(next() == "repeated");
    CHECK(next() == "12");
    CHECK(inbox.stream_sequence() == 12);
    inbox.on_message(delivered("b", 4, 14));
    CHECK(next() == "none");
    CHECK(arrived == std::vector<std::string>{"7", "9", "12"});
}

TEST_CASE_METHOD(Fixture, "what is repeated tells how much follows, and holds no message") {
    inbox.follow("a");
    inbox.on_message(delivered("a", 1, 7));
    CHECK(next() == "7");
    inbox.follow("b");
    inbox.on_message(delivered("b", 1, 7));
    const auto repeated = inbox.next(0ms);
    REQUIRE(repeated);
    CHECK(repeated->repeated);
    CHECK(repeated->metadata.pending == 0);
    CHECK(repeated->message.text().empty());
    CHECK(inbox.stream_sequence() == 7);
}

TEST_CASE_METHOD(Fixture, "after a status nothing is taken, and what came before it is read") {
    inbox.follow("a");
    inbox.on_message(delivered("a", 1, 7));
    inbox.on_message(Message::make("in.a"));
    inbox.on_message(delivered("a", 2, 8));
    CHECK(next() == "7");
    CHECK(next() == "none");
    CHECK(inbox.stream_sequence() == 7);
}

TEST_CASE_METHOD(Fixture, "after a silence nothing is taken: the reader has asked elsewhere") {
    inbox.follow("a");
    CHECK(next() == "none");
    inbox.on_message(delivered("a", 1, 7));
    CHECK(next() == "none");
    CHECK(inbox.stream_sequence() == 0);
}

TEST_CASE_METHOD(Fixture, "the end of the subscription wakes the reader") {
    inbox.follow("a");
    inbox.on_end();
    CHECK_FALSE(inbox.next(1h));
}

TEST_CASE("a message whose work takes longer than the reader waits is read, not lost") {
    SystemClock clock;
    std::promise<void> begun;
    std::promise<void> may_end;
    StreamInbox inbox{clock, "in.", [&](const Message&) {
                          begun.set_value();
                          may_end.get_future().wait();
                      }};
    inbox.follow("a");
    std::jthread receiver{[&] { inbox.on_message(delivered("a", 1, 7)); }};
    begun.get_future().wait();
    auto next = std::async(std::launch::async, [&] { return inbox.next(1ms); });
    CHECK(next.wait_for(20ms) == std::future_status::timeout);  // its time is over, but a message is being taken
    may_end.set_value();
    const auto message = next.get();
    REQUIRE(message);
    CHECK(message->metadata.stream_sequence == 7);
    CHECK_FALSE(inbox.next(1ms));
    CHECK(inbox.stream_sequence() == 7);
}
