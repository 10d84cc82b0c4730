// SPDX-License-Identifier: Apache-2.0
// Messages that expect what was published before, when some are refused for the moment: without a server.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/testing/virtual_clock.hpp>

#include "jetstream/publish/publish_window.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using detail::PublishWindow;

namespace {

/// A window whose messages wait in a list until the test answers.
struct Fixture {
    struct Sent {
        std::string subject;
        detail::ReplySink* sink;
        Headers headers;
    };

    void publish(const std::string& name) {
        window->publish(
            {.subject = name,
             .body = as_bytes("body"),
             .request = {.timeout = 5s, .headers = {{"Nats-Msg-Id", name}, {"Nats-Expected-Last-Sequence", "1"}}},
             .has_id = true,
             .retry_wait = 250ms,
             .patience = 5s,
             .until = clock.now() + 20s,
             .ordered = true},
            [this, name](const Expected<js::PublishAck>& ack) { told.push_back(name + (ack ? "" : " failed")); });
    }
    /// Answers what was sent so many messages ago.
    void answer(std::size_t index, Expected<Message> reply) {
        auto* sink = std::exchange(sent.at(index).sink, nullptr);
        sink->on_reply(std::move(reply));
        sink->on_end();
    }
    void acknowledge(std::size_t index) {
        answer(index, Message::make("inbox", as_bytes(R"({"stream":"S","seq":7})")));
    }
    void refuse(std::size_t index) { answer(index, std::unexpected{Error{Errc::no_responders, "said the test"}}); }
    void unmet(std::size_t index) {
        answer(index,
               Message::make("inbox", as_bytes(R"({"error":{"code":400,"err_code":10071,"description":"no"}})")));
    }
    void lose(std::size_t index) { answer(index, std::unexpected{Error{Errc::timeout, "said the test"}}); }
    /// Answers a question: the message is not stored.
    void deny(std::size_t index) {
        answer(index,
               Message::make("inbox", as_bytes(R"({"error":{"code":500,"err_code":10111,"description":"no"}})")));
    }
    /// Whether a message that was sent only asks whether it is stored.
    bool asks(std::size_t index) const {
        const auto& headers = sent.at(index).headers;
        CHECK(headers.contains("Nats-Msg-Id"));
        CHECK(headers.contains("Nats-Rollup") != headers.contains("Nats-Expected-Last-Sequence"));
        return headers.contains("Nats-Rollup");
    }
    std::vector<std::string> subjects() const {
        std::vector<std::string> subjects;
        for (const auto& one : sent) subjects.push_back(one.subject);
        return subjects;
    }

    testing::VirtualClock clock;
    std::vector<Sent> sent;
    std::vector<std::string> told;
    std::shared_ptr<PublishWindow> window = std::make_shared<PublishWindow>(
        clock, 10,
        [this](const PublishWindow::Outgoing& message, detail::ReplySink& sink) -> Expected<void> {
            sent.push_back({std::string{message.subject}, &sink, message.request.headers});
            return {};
        },
        [](const std::string&) {});
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "what expects a message that was refused for the moment is sent again behind it") {
    for (const auto* name : {"a", "b", "c"}) publish(name);
    refuse(0);
    unmet(1);
    unmet(2);
    publish("d");  // behind those that wait
    CHECK(told.empty());
    CHECK(sent.size() == 3);
    clock.advance(250ms);
    CHECK(subjects() == Names{"a", "b", "c", "a", "b", "c", "d"});
    for (std::size_t i = 3; i < 7; ++i) acknowledge(i);
    CHECK(told == Names{"a", "b", "c", "d"});
    CHECK(window->pending() == 0);
}

TEST_CASE_METHOD(Fixture, "nothing overtakes a message that waits to be sent again") {
    publish("a");
    publish("b");
    refuse(1);
    refuse(0);
    clock.advance(249ms);
    publish("c");
    CHECK(sent.size() == 2);
    clock.advance(1ms);
    CHECK(subjects() == Names{"a", "b", "a", "b", "c"});
    refuse(2);
    unmet(3);
    unmet(4);
    CHECK(sent.size() == 5);
    clock.advance(250ms);
    CHECK(subjects() == Names{"a", "b", "a", "b", "c", "a", "b", "c"});
}

TEST_CASE_METHOD(Fixture, "an expectation that is not met for another reason is told at once") {
    publish("a");
    publish("b");
    acknowledge(0);
    unmet(1);
    CHECK(told == Names{"a", "b failed"});

    // After a setback, too: the one before was stored, and it is refused all the same.
    publish("c");
    publish("d");
    refuse(2);
    unmet(3);
    clock.advance(250ms);
    acknowledge(4);
    unmet(5);
    CHECK(told == Names{"a", "b failed", "c", "d failed"});
    CHECK(window->pending() == 0);
}

TEST_CASE_METHOD(Fixture, "an expectation that is not met because of an earlier attempt is asked about") {
    publish("a");
    lose(0);
    clock.advance(250ms);
    REQUIRE(sent.size() == 2);
    CHECK_FALSE(asks(1));
    unmet(1);
    REQUIRE(sent.size() == 3);
    CHECK(asks(2));
    SECTION("it was stored") {
        acknowledge(2);
        CHECK(told == Names{"a"});
    }
    SECTION("another one was") {
        deny(2);
        CHECK(told == Names{"a failed"});
    }
    SECTION("the question is sent again, too") {
        lose(2);
        clock.advance(250ms);
        REQUIRE(sent.size() == 4);
        CHECK(asks(3));
        acknowledge(3);
        CHECK(told == Names{"a"});
    }
    CHECK(window->pending() == 0);
    publish("b");  // takes the same place
    CHECK_FALSE(asks(sent.size() - 1));
    unmet(sent.size() - 1);
    CHECK(told.back() == "b failed");
}

TEST_CASE_METHOD(Fixture, "with an id a message is sent again until its time is over") {
    publish("a");
    for (std::size_t i = 0; told.empty(); ++i) {
        REQUIRE(i < 1'000);
        refuse(i);
        if (told.empty()) clock.advance(250ms);
    }
    CHECK(told == Names{"a failed"});
    CHECK(sent.size() == 80);
    CHECK(window->pending() == 0);
}
