// SPDX-License-Identifier: Apache-2.0
// Publishing into streams without a server: headers, acknowledgements, the window of messages under way.
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/testing/virtual_clock.hpp>

#include "jetstream/publish/publish.hpp"
#include "jetstream/publish/publish_window.hpp"

#include "../../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using detail::PublishWindow;

namespace {

Headers headers_of(const js::PublishOptions& options) { return detail::publish_headers("x", options).value(); }

Errc fault_of(const js::PublishOptions& options) {
    const auto headers = detail::publish_headers("x", options);
    return headers ? Errc{} : static_cast<Errc>(headers.error().code().value());
}

Message acknowledgement(std::uint64_t sequence) {
    return Message::make("inbox", as_bytes("{\"stream\":\"S\",\"seq\":" + std::to_string(sequence) + "}"));
}

void answer(detail::ReplySink* sink, Expected<Message> reply) {
    sink->on_reply(std::move(reply));
    sink->on_end();
}

/// A window whose messages wait in a list until the test answers.
struct Fixture {
    struct Sent {
        std::string subject;
        std::string body;
        Headers headers;
        detail::ReplySink* sink;
    };

    std::shared_ptr<PublishWindow> make(std::size_t max_pending) { return make(max_pending, clock); }
    std::shared_ptr<PublishWindow> make(std::size_t max_pending, Clock& with_clock) {
        return std::make_shared<PublishWindow>(
            with_clock, max_pending,
            [this](const PublishWindow::Outgoing& message, detail::ReplySink& sink) -> Expected<void> {
                sent.push_back({std::string{message.subject}, std::string{as_text(message.body)},
                                message.request.headers, &sink});
                return {};
            },
            [this](const std::string& text) { reports.push_back(text); });
    }
    void acknowledge(std::size_t index, std::uint64_t sequence) {
        answer(std::exchange(sent.at(index).sink, nullptr), acknowledgement(sequence));
    }
    void fail(std::size_t index, Errc code) {
        answer(std::exchange(sent.at(index).sink, nullptr), std::unexpected{Error{code, "said the test"}});
    }

    testing::VirtualClock clock;
    PublishWindow* window_of_test = nullptr;
    std::vector<Sent> sent;
    std::vector<std::string> reports;
};

PublishWindow::Outgoing message(std::string_view subject, int retries = 0, bool has_id = false) {
    return {.subject = subject, .body = as_bytes("body"), .has_id = has_id, .retries = retries, .retry_wait = 250ms};
}

}  // namespace

TEST_CASE("options become headers") {
    CHECK(headers_of({}).empty());
    const auto headers = headers_of({.headers = {{"mine", "1"}},
                                     .id = "a1",
                                     .expect_stream = "S",
                                     .expect_last_sequence = 41,
                                     .expect_last_subject_sequence = 0,
                                     .expect_last_subject = "x.*",
                                     .expect_last_id = "a0",
                                     .ttl = 90s});
    CHECK(headers == Headers{{"mine", "1"},
                             {"Nats-Msg-Id", "a1"},
                             {"Nats-Expected-Stream", "S"},
                             {"Nats-Expected-Last-Sequence", "41"},
                             {"Nats-Expected-Last-Subject-Sequence", "0"},
                             {"Nats-Expected-Last-Subject-Sequence-Subject", "x.*"},
                             {"Nats-Expected-Last-Msg-Id", "a0"},
                             {"Nats-TTL", "90s"}});
    CHECK(headers_of({.ttl = 1500ms}).get("Nats-TTL") == "1500000000ns");
    CHECK(fault_of({.expect_last_subject = "x.*"}) == Errc::bad_setup);
    CHECK(fault_of({.ttl = 10ms}) == Errc::bad_setup);
    CHECK(fault_of({.id = "two\r\nlines"}) == Errc::bad_header);
}

TEST_CASE("schedules become headers") {
    const auto at = std::chrono::system_clock::time_point{1'700'000'000s};
    const auto once = headers_of({.schedule = js::Schedule{.at = at, .target = "t"}});
    CHECK_THAT(std::string{*once.get("Nats-Schedule")}, ContainsSubstring("@at 2023-11-14T22:13:20"));
    CHECK(once.get("Nats-Schedule-Target") == "t");
    CHECK(headers_of({.schedule = js::Schedule{.every = 5min, .target = "t"}}).get("Nats-Schedule") == "@every 300s");
    const auto cron = headers_of({.schedule = js::Schedule{.cron = "0 0 5 * * *",
                                                           .time_zone = "Europe/Berlin",
                                                           .target = "t",
                                                           .source = "s",
                                                           .ttl = 1h,
                                                           .rollup = true}});
    CHECK(cron.get("Nats-Schedule") == "0 0 5 * * *");
    CHECK(cron.get("Nats-Schedule-Time-Zone") == "Europe/Berlin");
    CHECK(cron.get("Nats-Schedule-Source") == "s");
    CHECK(cron.get("Nats-Schedule-TTL") == "3600s");
    CHECK(cron.get("Nats-Schedule-Rollup") == "sub");

    CHECK(fault_of({.schedule = js::Schedule{.target = "t"}}) == Errc::bad_setup);
    CHECK(fault_of({.schedule = js::Schedule{.every = 1min, .cron = "@daily", .target = "t"}}) == Errc::bad_setup);
    CHECK(fault_of({.schedule = js::Schedule{.every = 1min}}) == Errc::bad_setup);
    CHECK(fault_of({.schedule = js::Schedule{.every = 1ms, .target = "t"}}) == Errc::bad_setup);
    CHECK(fault_of({.schedule = js::Schedule{.every = 1min, .time_zone = "UTC", .target = "t"}}) == Errc::bad_setup);
}

TEST_CASE("acknowledgements are read, plain ones and others") {
    const auto parse = [](std::string_view text) { return detail::parse_publish_ack("x", text); };
    for (const auto* text : {R"({"stream":"S","seq":7})", R"({"stream":"S", "seq":7})", R"({"seq":7,"stream":"S"})"}) {
        INFO(text);
        REQUIRE(parse(text));
        CHECK(parse(text)->stream == "S");
        CHECK(parse(text)->sequence == 7);
        CHECK_FALSE(parse(text)->duplicate);
    }
    CHECK(parse(R"({"stream":"quo\"te","seq":1})")->stream == "quo\"te");
    const auto full =
        parse(R"({"stream":"S","seq":7,"domain":"hub","duplicate":true,"val":"-12","batch":"b","count":3})");
    REQUIRE(full);
    CHECK(full->duplicate);
    CHECK(full->domain == "hub");
    CHECK(full->value == "-12");
    CHECK(full->batched == 3);

    for (const auto* text :
         {"", "+OK", "{}", "[]", R"({"stream":"S","seq":7)", R"({"stream":"S","seq":99999999999999999999})"})
        CHECK((!parse(text) || parse(text)->sequence == 0));
    const auto wrong =
        parse(R"({"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 5"},"stream":"S","seq":0})");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code() == Errc::wrong_last_sequence);
    CHECK_THAT(std::string{wrong.error().message()}, ContainsSubstring("publish to \"x\": wrong last sequence: 5"));
    CHECK(parse(R"({"error":{"code":400,"err_code":10060,"description":"d"}})").error().code() == Errc::wrong_stream);
}

TEST_CASE("a stream's answers are told from those of others") {
    const auto is = [](std::string_view text, const Headers& headers = {}) {
        return detail::is_stream_answer(Message::make("inbox", as_bytes(text), headers));
    };
    CHECK(is(R"({"stream":"S","seq":7})"));
    CHECK(is(R"({"error":{"code":400,"err_code":10071,"description":"d"},"stream":"S","seq":0})"));
    CHECK(is(R"({"error":{"code":503,"err_code":10039,"description":"d"}})"));
    CHECK(is("", {{"Status", "503"}}));
    CHECK_FALSE(is(""));
    CHECK_FALSE(is("7"));
    CHECK_FALSE(is(R"({"value":1})"));
    CHECK_FALSE(is("", {{"Nats-Service-Error", "no"}, {"Nats-Service-Error-Code", "500"}}));
}

TEST_CASE_METHOD(Fixture, "that others have answered is said when no acknowledgement came") {
    const auto window = make(10);
    window->publish(message("m"), {});
    CHECK_FALSE(sent.at(0).sink->accepts(Message::make("inbox", as_bytes("7"))));
    fail(0, Errc::timeout);
    CHECK_THAT(std::string{window->flush(0ms).error().message()}, ContainsSubstring("a service on this subject"));
    window->publish(message("next"), {});
    fail(1, Errc::timeout);
    CHECK_THAT(std::string{window->flush(0ms).error().message()}, !ContainsSubstring("a service on this subject"));
}

TEST_CASE("only what cannot be stored twice is sent again") {
    const auto remote = [](int code) { return RemoteError{code, "d"}; };
    CHECK(detail::may_retry(Error{Errc::no_stream, ""}, false));
    CHECK(detail::may_retry(Error{Errc::buffer_full, ""}, false));
    CHECK(detail::may_retry(remote(10008), false));
    CHECK_FALSE(detail::may_retry(Error{Errc::timeout, ""}, false));
    CHECK(detail::may_retry(Error{Errc::timeout, ""}, true));
    CHECK_FALSE(detail::may_retry(Error{Errc::wrong_last_sequence, ""}, true));
    CHECK_FALSE(detail::may_retry(Error{Errc::closed, ""}, true));
    CHECK_FALSE(detail::may_retry(remote(10003), true));
}

TEST_CASE_METHOD(Fixture, "each message is reported once, to its function") {
    const auto window = make(10);
    std::vector<std::string> told;
    for (int i = 0; i < 3; ++i) {
        window->publish(message("m"), [&told, i](Expected<js::PublishAck> ack) {
            told.push_back(std::to_string(i) + (ack ? " at " + std::to_string(ack->sequence) : " failed"));
        });
    }
    CHECK(window->pending() == 3);
    acknowledge(1, 11);
    fail(0, Errc::closed);
    CHECK(told == std::vector<std::string>{"1 at 11", "0 failed"});
    CHECK(window->pending() == 1);
    CHECK(window->flush(0ms).error().code() == Errc::timeout);
    acknowledge(2, 12);
    CHECK(window->flush(0ms));  // the failure was told
    CHECK(reports.empty());
}

TEST_CASE_METHOD(Fixture, "failures that nobody was told of come out of flush, once") {
    const auto window = make(10);
    for (int i = 0; i < 3; ++i) window->publish(message("m"), {});
    acknowledge(0, 1);
    fail(1, Errc::timeout);
    fail(2, Errc::closed);
    const auto flushed = window->flush(0ms);
    REQUIRE_FALSE(flushed);
    CHECK(flushed.error().code() == Errc::timeout);
    CHECK_THAT(std::string{flushed.error().message()}, ContainsSubstring("2 messages were not stored"));
    CHECK(window->flush(0ms));
}

TEST_CASE_METHOD(Fixture, "what nobody asked for is reported when the window ends") {
    make(10)->publish(message("m"), {});
    CHECK(reports.empty());
    fail(0, Errc::closed);
    REQUIRE(reports.size() == 1);
    CHECK_THAT(reports.at(0), ContainsSubstring("publish to \"m\""));
}

TEST_CASE_METHOD(Fixture, "a message without a stream is sent again after a while, so often and no more") {
    const auto window = make(10);
    std::optional<Expected<js::PublishAck>> told;
    window->publish(message("m", 2), [&](Expected<js::PublishAck> ack) { told = std::move(ack); });
    for (std::size_t attempt = 0; attempt < 2; ++attempt) {
        fail(attempt, Errc::no_responders);
        CHECK_FALSE(told);
        clock.advance(249ms);
        CHECK(sent.size() == attempt + 1);
        clock.advance(1ms);
        REQUIRE(sent.size() == attempt + 2);
    }
    CHECK(window->pending() == 1);
    fail(2, Errc::no_responders);
    REQUIRE(told);
    CHECK(told->error().code() == Errc::no_stream);
    CHECK(window->pending() == 0);
    CHECK(clock.scheduled() == 0);
}

TEST_CASE_METHOD(Fixture, "an unanswered message is sent again if it has an id") {
    const auto window = make(10);
    window->publish(message("with", 1, true), {});
    window->publish(message("without", 1, false), {});
    fail(0, Errc::timeout);
    fail(1, Errc::timeout);
    clock.advance(1s);
    REQUIRE(sent.size() == 3);
    CHECK(sent.at(2).subject == "with");
    acknowledge(2, 5);
    CHECK_THAT(std::string{window->flush(0ms).error().message()}, ContainsSubstring("\"without\""));
}

TEST_CASE_METHOD(Fixture, "a message whose timer ends with the clock is not forgotten") {
    std::optional<Expected<js::PublishAck>> told;
    {
        auto own_clock = std::make_unique<testing::VirtualClock>();
        const auto window = make(1, *own_clock);
        window->publish(message("m", 5), [&](Expected<js::PublishAck> ack) { told = std::move(ack); });
        fail(0, Errc::no_responders);
        own_clock.reset();
    }
    REQUIRE(told);
    CHECK(told->error().code() == Errc::closed);
}

TEST_CASE_METHOD(Fixture, "a full window holds the publisher, and lets callbacks pass") {
    SystemClock real_clock;  // a thread really waits here
    const auto window = make(1, real_clock);
    window->publish(message("first"), [&](const Expected<js::PublishAck>&) { window->publish(message("inside"), {}); });
    std::promise<void> passed;
    std::jthread publisher{[&] {
        window->publish(message("second"), {});
        passed.set_value();
    }};
    auto done = passed.get_future();
    CHECK(done.wait_for(20ms) == std::future_status::timeout);
    acknowledge(0, 1);  // publishes another from its callback, which takes the place
    CHECK(sent.size() == 2);
    CHECK(done.wait_for(20ms) == std::future_status::timeout);
    acknowledge(1, 2);
    CHECK(done.wait_for(20s) == std::future_status::ready);
    publisher.join();
    REQUIRE(sent.size() == 3);
    CHECK(sent.at(1).subject == "inside");
    CHECK(sent.at(2).subject == "second");
    acknowledge(2, 3);
    CHECK(window->flush(0ms));
}

TEST_CASE_METHOD(Fixture,
                 "a full window takes more once an eighth of it is free, so that publishers are woken seldom") {
    SystemClock real_clock;
    const auto window = make(17, real_clock);
    for (int i = 0; i < 17; ++i) window->publish(message("x"), {});
    std::promise<void> passed;
    std::jthread publisher{[&] {
        window->publish(message("waits"), {});
        passed.set_value();
    }};
    auto done = passed.get_future();
    REQUIRE(done.wait_for(100ms) == std::future_status::timeout);  // it has come to the full window, and waits
    acknowledge(0, 1);
    acknowledge(1, 2);
    CHECK(done.wait_for(20ms) == std::future_status::timeout);
    acknowledge(2, 3);
    CHECK(done.wait_for(20s) == std::future_status::ready);
    publisher.join();
    for (std::size_t i = 3; i < 18; ++i) acknowledge(i, i + 1);
    CHECK(window->flush(0ms));
}

TEST_CASE_METHOD(Fixture, "a function that throws is reported, and its message leaves all the same") {
    const auto window = make(1);
    window->publish(message("m"), [](const Expected<js::PublishAck>&) { throw std::runtime_error{"oops"}; });
    acknowledge(0, 1);
    CHECK(window->pending() == 0);
    REQUIRE(reports.size() == 1);
    CHECK_THAT(reports.at(0), ContainsSubstring("oops"));
}

TEST_CASE_METHOD(Fixture, "a message sent again is the same, and leaves nothing to the next in its place") {
    const auto window = make(10);
    const std::string large(5'000, 'l');
    auto first = message("first", 1);
    first.body = as_bytes(large);
    first.request.headers = {{"x", "1"}};
    window->publish(std::move(first), {});
    fail(0, Errc::no_responders);
    clock.advance(1s);
    REQUIRE(sent.size() == 2);
    CHECK(sent.at(1).subject == "first");
    CHECK(sent.at(1).body == large);
    CHECK(sent.at(1).headers == Headers{{"x", "1"}});
    acknowledge(1, 1);
    window->publish(message("second"), {});
    CHECK(sent.at(2).subject == "second");
    CHECK(sent.at(2).body == "body");
    CHECK(sent.at(2).headers.empty());
    fail(2, Errc::no_responders);  // and no retries
    CHECK(sent.size() == 3);
    CHECK(window->flush(0ms).error().code() == Errc::no_stream);
}

TEST_CASE_METHOD(Fixture, "a function goes with its message, not with the next in its place") {
    const auto window = make(10);
    const auto held = std::make_shared<int>(1);
    window->publish(message("m"), [held](const Expected<js::PublishAck>&) {});
    acknowledge(0, 1);
    CHECK(held.use_count() == 1);
}

TEST_CASE_METHOD(Fixture, "what cannot be sent is told like any other failure") {
    for (const bool throws : {false, true}) {
        INFO("throws: " << throws);
        const auto window = std::make_shared<PublishWindow>(
            clock, 10,
            [&](const PublishWindow::Outgoing&, detail::ReplySink&) -> Expected<void> {
                if (throws) throw Error{Errc::closed, "said the test"};
                return std::unexpected{Error{Errc::closed, "said the test"}};
            },
            [](const std::string&) {});
        std::optional<Expected<js::PublishAck>> told;
        window->publish(message("m", 3), [&](Expected<js::PublishAck> ack) { told = std::move(ack); });
        REQUIRE(told);
        CHECK(told->error().code() == Errc::closed);
        CHECK_THAT(std::string{told->error().message()}, ContainsSubstring("said the test"));
        window->publish(message("m", 3), {});
        CHECK(window->pending() == 0);
        CHECK(window->flush(0ms).error().code() == Errc::closed);
    }
}

TEST_CASE_METHOD(Fixture, "a message stays until its sending has returned, however fast the answer is") {
    std::string seen;
    const auto window = std::make_shared<PublishWindow>(
        clock, 10,
        [&](const PublishWindow::Outgoing& outgoing, detail::ReplySink& sink) -> Expected<void> {
            answer(&sink, acknowledgement(1));
            CHECK(window_of_test->pending() == 1);
            seen = std::string{outgoing.subject} + " " + std::string{as_text(outgoing.body)};
            return {};
        },
        [](const std::string&) {});
    window_of_test = window.get();
    window->publish(message("m"), {});
    CHECK(seen == "m body");
    CHECK(window->pending() == 0);
}

TEST_CASE("publishers, answers and flushes in many threads meet") {
    constexpr int publishers = 3;
    constexpr int each = 2'000;
    SystemClock clock;
    std::mutex mutex;
    std::vector<detail::ReplySink*> waiting;
    const auto window = std::make_shared<PublishWindow>(
        clock, 16,
        [&](const PublishWindow::Outgoing& outgoing, detail::ReplySink& sink) -> Expected<void> {
            if (outgoing.body.size() % 7 == 0) {
                answer(&sink, acknowledgement(1));
                return {};
            }
            const std::lock_guard lock{mutex};
            waiting.push_back(&sink);
            return {};
        },
        [](const std::string&) {});
    std::atomic<int> told = 0;
    std::jthread answers{[&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            std::vector<detail::ReplySink*> now;
            {
                const std::lock_guard lock{mutex};
                now.swap(waiting);
            }
            for (auto* const sink : now) answer(sink, acknowledgement(1));
            std::this_thread::yield();
        }
    }};
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < publishers; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < each; ++i) {
                    const std::string body(static_cast<std::size_t>(i % 50), 'b');
                    PublishWindow::Outgoing outgoing{.subject = "many", .body = as_bytes(body)};
                    if (i % 2 == 0) window->publish(std::move(outgoing), {});
                    else window->publish(std::move(outgoing), [&](const Expected<js::PublishAck>&) { ++told; });
                }
            });
        }
    }
    REQUIRE(window->flush(20s));
    CHECK(told == publishers * each / 2);
    CHECK(window->pending() == 0);
}
