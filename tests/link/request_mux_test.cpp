// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/wait.hpp"
#include "link/request_mux.hpp"
#include <freshet/testing/virtual_clock.hpp>

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::detail;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::VirtualClock;
using Ticket = RequestMux::Ticket;

namespace {

/// Remembers what it was called with, and runs the test's hooks in between.
class Recorder final : public ReplySink {
public:
    explicit Recorder(std::string subject = "orders.make") : subject_{std::move(subject)} {}

    std::string_view subject() const noexcept override { return subject_; }
    void on_reply(Expected<Message> reply) noexcept override {
        replies.push_back(std::move(reply));
        if (during_reply) during_reply();
    }
    void on_end() noexcept override {
        ++ends;
        if (during_end) during_end();
    }

    std::vector<std::string> texts() const {
        std::vector<std::string> texts;
        texts.reserve(replies.size());
        for (const auto& reply : replies) texts.emplace_back(reply ? reply->text() : reply.error().message());
        return texts;
    }

    std::vector<Expected<Message>> replies;
    int ends = 0;
    std::function<void()> during_reply;
    std::function<void()> during_end;

private:
    std::string subject_;
};

/// A clock without memory for tasks, as long as it is told so.
class ForgetfulClock final : public Clock {
public:
    TimePoint now() const noexcept override { return time.now(); }
    TimerId schedule(TimePoint when, Task task) override {
        if (forgets) throw std::bad_alloc{};
        return time.schedule(when, std::move(task));
    }
    bool cancel(TimerId id) noexcept override { return time.cancel(id); }
    void cancel_and_wait(TimerId id) noexcept override { time.cancel_and_wait(id); }

    VirtualClock time = {};
    bool forgets = true;
};

Message reply(const Ticket& ticket, std::string_view text, const Headers& headers = {}) {
    return Message::make(ticket.reply_to(), as_bytes(text), headers);
}

/// As the server makes it: no body, and the status in the header line.
Message no_responders(const Ticket& ticket) { return reply(ticket, "", {{"Status", "503"}}); }

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the inbox is one wildcard subject with a random token, different for each mux") {
    VirtualClock clock;
    const RequestMux one{clock, "_INBOX"};
    const RequestMux other{clock, "_INBOX"};
    const std::string wildcard{one.inbox_wildcard()};
    CHECK_THAT(wildcard, Catch::Matchers::Matches(R"(_INBOX\.[0-9A-Za-z]{14}\.\*)"));
    CHECK(one.inbox_wildcard() != other.inbox_wildcard());
}

TEST_CASE("an answer that is not the one waited for is left out") {
    SystemClock clock;
    RequestMux mux{clock, "_INBOX"};
    BlockingReply wanted{"orders.make", [](const Message& message) noexcept { return message.text() == "wanted"; }};
    const auto ticket = mux.open(wanted, 20s).value();
    mux.on_reply(reply(ticket, "other"));
    CHECK(mux.in_flight() == 1);
    mux.on_reply(reply(ticket, "wanted"));
    CHECK(wanted.wait(clock)->text() == "wanted");
    CHECK(wanted.left_out());
}

TEST_CASE("a reply reaches the request it answers") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX.acme"};
    Recorder first;
    Recorder second;
    const auto ticket_1 = mux.open(first, 1s).value();
    const auto ticket_2 = mux.open(second, 1s).value();
    CHECK(ticket_1.reply_to() != ticket_2.reply_to());
    CHECK(ticket_1.reply_to().starts_with(mux.inbox_wildcard().substr(0, mux.inbox_wildcard().size() - 1)));
    CHECK(*(ticket_1.reply_to().data() + ticket_1.reply_to().size()) == '\0');
    CHECK(mux.in_flight() == 2);

    mux.on_reply(reply(ticket_2, "two"));
    CHECK(first.replies.empty());
    CHECK(second.texts() == Texts{"two"});
    CHECK(second.ends == 1);

    mux.on_reply(reply(ticket_1, "one"));
    CHECK(first.texts() == Texts{"one"});
    CHECK(first.ends == 1);
    CHECK(mux.in_flight() == 0);
}

TEST_CASE("an empty reply is an answer like any other") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink;
    mux.on_reply(reply(mux.open(sink, 1s).value(), ""));
    REQUIRE(sink.replies.size() == 1);
    CHECK(sink.replies[0].has_value());
}

TEST_CASE("a reply that nobody waits for reaches no later request") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder first;
    const auto old_ticket = mux.open(first, 1s).value();
    mux.on_reply(reply(old_ticket, "in time"));
    Recorder second;
    const auto ticket = mux.open(second, 1s).value();  // takes the slot of the first
    mux.on_reply(reply(old_ticket, "twice"));
    CHECK(second.replies.empty());
    CHECK(first.texts() == Texts{"in time"});

    mux.cancel(old_ticket, {Errc::closed, "not this one"});
    CHECK(second.ends == 0);
    mux.on_reply(reply(ticket, "second"));
    CHECK(second.texts() == Texts{"second"});
}

TEST_CASE("replies find their request however many there are and were, and however long its token") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    std::deque<Recorder> open;
    for (int slot = 0; slot < 1'100; ++slot) {  // three digits of the slot
        static_cast<void>(mux.open(open.emplace_back(), 1h).value());
        for (int request = 0; slot % 32 == 0 && request < 1'100; ++request) {  // and of its requests
            Recorder sink;
            const auto ticket = mux.open(sink, 1s).value();
            mux.on_reply(reply(ticket, "yes"));
            if (sink.texts() != Texts{"yes"}) FAIL("lost: " << ticket.reply_to());
        }
    }
    CHECK(mux.in_flight() == 1'100);
    mux.cancel_all({Errc::closed, "end"});
}

TEST_CASE("answers on subjects that are no ticket of ours are dropped") {
    VirtualClock clock;
    Recorder sink;
    RequestMux mux{clock, "_INBOX"};
    const auto ticket = mux.open(sink, 1s).value();
    const std::string subject{ticket.reply_to()};
    for (const auto& bad :
         {std::string{"x"}, std::string{"00000000000"}, subject + "0", subject.substr(0, subject.size() - 1),
          subject.substr(0, subject.size() - 1) + "!", subject.substr(0, subject.size() - 2) + "zzzzzzz00",
          subject.substr(0, subject.size() - 2) + "zzzzzzz", subject.substr(0, subject.size() - 2)})
        mux.on_reply(Message::make(bad));
    CHECK(sink.ends == 0);
    CHECK(mux.in_flight() == 1);
}

TEST_CASE("no responders is an error of its own") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink{"orders.make"};
    mux.on_reply(no_responders(mux.open(sink, 1s).value()));
    REQUIRE(sink.replies.size() == 1);
    REQUIRE_FALSE(sink.replies[0]);
    CHECK(sink.replies[0].error().code() == Condition::no_responders);
    CHECK_THAT(sink.texts()[0], ContainsSubstring("nobody listens on \"orders.make\""));
    CHECK(sink.ends == 1);
}

TEST_CASE("an answer with an error header is a remote error with its code") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    auto answer = [&](const Headers& headers) {
        Recorder sink{"orders.make"};
        mux.on_reply(reply(mux.open(sink, 1s).value(), "ignored", headers));
        REQUIRE(sink.replies.size() == 1);
        REQUIRE_FALSE(sink.replies[0]);
        CHECK(sink.replies[0].error().code() == Condition::remote);
        return std::pair{sink.replies[0].error().remote_code(), sink.texts()[0]};
    };
    CHECK(answer({{"Nats-Service-Error", "unknown order"}, {"Nats-Service-Error-Code", "404"}}) ==
          std::pair{404, std::string{"\"orders.make\" answered with error 404: unknown order"}});
    CHECK(answer({{"Nats-Service-Error-Code", "500"}}) ==
          std::pair{500, std::string{"\"orders.make\" answered with error 500: no description"}});
    CHECK(answer({{"Nats-Service-Error", "broken"}, {"Nats-Service-Error-Code", "x"}}).first == 0);
}

TEST_CASE("a request without an answer ends at its deadline, and says which and how long") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder slow{"orders.make"};
    Recorder fast{"orders.count"};
    const auto slow_ticket = mux.open(slow, 500ms).value();
    const auto fast_ticket = mux.open(fast, 1500us).value();
    clock.advance(1499us);
    CHECK(fast.ends == 0);
    clock.advance(1us);
    CHECK(fast.ends == 1);
    CHECK_THAT(fast.texts().at(0), ContainsSubstring("no answer from \"orders.count\" within 1.5 ms"));
    CHECK(slow.ends == 0);
    clock.advance(498500us);
    CHECK(slow.ends == 1);
    CHECK_THAT(slow.texts().at(0), ContainsSubstring("no answer from \"orders.make\" within 500 ms"));
    CHECK(slow.replies[0].error().code() == Condition::timeout);
    CHECK(mux.in_flight() == 0);

    mux.on_reply(reply(slow_ticket, "late"));
    mux.on_reply(reply(fast_ticket, "late"));
    CHECK(slow.ends == 1);
}

TEST_CASE("deadlines in any order are all met, with one timer at most") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    std::vector<std::unique_ptr<Recorder>> sinks;
    std::vector<TimePoint> deadlines;
    std::vector<TimePoint> ended(5'000);
    for (std::size_t i = 0; i < ended.size(); ++i) {
        const auto timeout = std::chrono::milliseconds{1 + i * 7'919 % 3'000};
        sinks.push_back(std::make_unique<Recorder>());
        sinks.back()->during_end = [&, i] { ended[i] = clock.now(); };
        deadlines.push_back(clock.now() + timeout);
        REQUIRE(mux.open(*sinks.back(), timeout).has_value());
        REQUIRE(clock.scheduled() == 1);
    }
    clock.advance(4s);
    const auto largest_delay = 1ms + 100ns * ended.size();
    for (std::size_t i = 0; i < ended.size(); ++i) {
        REQUIRE(sinks[i]->ends == 1);
        REQUIRE(ended[i] >= deadlines[i]);
        REQUIRE(ended[i] <= deadlines[i] + largest_delay);
    }
    CHECK(clock.scheduled() == 0);
}

TEST_CASE("an endless timeout needs no timer") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink;
    const auto ticket = mux.open(sink, std::chrono::nanoseconds::max()).value();
    CHECK(clock.scheduled() == 0);
    mux.on_reply(reply(ticket, "at last"));
    CHECK(sink.texts() == Texts{"at last"});
}

TEST_CASE("cancel ends one request, with its error, once") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink;
    Recorder other;
    const auto ticket = mux.open(sink, 1s).value();
    const auto other_ticket = mux.open(other, 1s).value();
    mux.cancel(ticket, {Errc::buffer_full, "not sent"});
    mux.cancel(ticket, {Errc::buffer_full, "not sent"});
    CHECK(sink.texts() == Texts{"not sent"});
    CHECK(sink.ends == 1);
    clock.advance(2s);
    CHECK(sink.ends == 1);
    CHECK(other.ends == 1);
    mux.cancel(other_ticket, {Errc::closed, "too late"});
    CHECK(other.ends == 1);
}

TEST_CASE("close ends everything and refuses more; the destructor does the same") {
    VirtualClock clock;
    Recorder one;
    Recorder many;
    {
        RequestMux mux{clock, "_INBOX"};
        REQUIRE(mux.open(one, 1s).has_value());
        REQUIRE(mux.open_many(many, {.timeout = 1s}).has_value());
        mux.cancel_all({Errc::disconnected, "lost"});
        const std::string lost = R"(no answer from "orders.make": lost)";
        CHECK(one.texts() == Texts{lost});
        CHECK(many.texts() == Texts{lost});
        CHECK(many.ends == 1);

        REQUIRE(mux.open(one, 1s).has_value());
        mux.close({Errc::closed, "stopped"});
        const std::string stopped = R"(no answer from "orders.make": stopped)";
        CHECK(one.texts() == Texts{lost, stopped});
        const auto refused = mux.open(one, 1s);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().message() == stopped);
        CHECK(one.ends == 2);
    }
    CHECK(clock.scheduled() == 0);

    {
        RequestMux mux{clock, "_INBOX"};
        REQUIRE(mux.open(one, 1s).has_value());
    }
    CHECK(one.ends == 3);
    CHECK(one.replies.back().error().code() == Errc::closed);
    CHECK(clock.scheduled() == 0);
}

TEST_CASE("a request whose deadline cannot be scheduled is not open") {
    ForgetfulClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink;
    CHECK_THROWS_AS(mux.open(sink, 1s), std::bad_alloc);
    CHECK_THROWS_AS(mux.open_many(sink, {.timeout = 1s}), std::bad_alloc);
    CHECK(mux.in_flight() == 0);
    clock.forgets = false;
    REQUIRE(mux.open(sink, 1s).has_value());
    clock.time.advance(2s);
    CHECK(sink.texts() == Texts{R"(no answer from "orders.make" within 1000 ms)"});
    CHECK(sink.ends == 1);
}

TEST_CASE("a sink may open the next request, from a reply, a timeout and a cancel") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder next;
    Recorder sink;
    sink.during_end = [&] { CHECK(mux.open(next, 1s).has_value()); };
    mux.on_reply(reply(mux.open(sink, 1s).value(), "x"));
    CHECK(mux.in_flight() == 1);
    REQUIRE(mux.open(sink, 10ms).has_value());
    clock.advance(500ms);
    CHECK(sink.ends == 2);
    CHECK(mux.in_flight() == 2);
    clock.advance(2s);
    CHECK(next.ends == 2);
    mux.cancel(mux.open(sink, 10ms).value(), {Errc::closed, "x"});
    CHECK(mux.in_flight() == 1);
    clock.advance(2s);
    CHECK(next.ends == 3);
}

TEST_CASE("many answers are delivered one by one until enough have come") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink;
    const auto ticket = mux.open_many(sink, {.timeout = 1s, .max_replies = 3}).value();
    mux.on_reply(reply(ticket, "a"));
    mux.on_reply(reply(ticket, "b"));
    CHECK(sink.ends == 0);
    CHECK(mux.in_flight() == 1);
    mux.on_reply(reply(ticket, "c"));
    CHECK(sink.ends == 1);
    mux.on_reply(reply(ticket, "d"));
    CHECK(sink.texts() == Texts{"a", "b", "c"});
    CHECK(mux.in_flight() == 0);
}

TEST_CASE("many answers end at the sentinel, which is not delivered") {
    VirtualClock clock;
    Recorder takes_empty;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink;
    const auto ticket = mux.open_many(sink, {.timeout = 1s}).value();
    mux.on_reply(reply(ticket, "a"));
    mux.on_reply(reply(ticket, ""));
    CHECK(sink.texts() == Texts{"a"});
    CHECK(sink.ends == 1);

    const auto second = mux.open_many(takes_empty, {.timeout = 1s, .ends_at_empty = false}).value();
    mux.on_reply(reply(second, ""));
    CHECK(takes_empty.texts() == Texts{""});
    CHECK(takes_empty.ends == 0);
}

TEST_CASE("many answers end at the timeout, without an error, also when there was none") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder some;
    Recorder none;
    const auto ticket = mux.open_many(some, {.timeout = 1s}).value();
    REQUIRE(mux.open_many(none, {.timeout = 1s}).has_value());
    clock.advance(999ms);
    mux.on_reply(reply(ticket, "a"));
    clock.advance(1ms);
    CHECK(some.texts() == Texts{"a"});
    CHECK(some.ends == 1);
    CHECK(none.replies.empty());
    CHECK(none.ends == 1);
}

TEST_CASE("the stall time counts after each answer, not before the first, and not past the timeout") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink;
    const auto ticket = mux.open_many(sink, {.timeout = 1s, .stall = 100ms}).value();
    clock.advance(500ms);
    CHECK(sink.ends == 0);
    mux.on_reply(reply(ticket, "a"));
    clock.advance(90ms);
    mux.on_reply(reply(ticket, "b"));
    clock.advance(99ms);
    CHECK(sink.ends == 0);
    clock.advance(1ms);
    CHECK(sink.ends == 1);
    CHECK(sink.texts() == Texts{"a", "b"});

    Recorder late;
    const auto second = mux.open_many(late, {.timeout = 1s, .stall = 500ms}).value();
    clock.advance(900ms);
    mux.on_reply(reply(second, "a"));
    clock.advance(100ms);
    CHECK(late.ends == 1);
}

TEST_CASE("many: no responders ends it with the error, an error answer of one service does not") {
    VirtualClock clock;
    Recorder sink;
    RequestMux mux{clock, "_INBOX"};
    Recorder nobody;
    mux.on_reply(no_responders(mux.open_many(nobody, {.timeout = 1s}).value()));
    REQUIRE(nobody.replies.size() == 1);
    CHECK(nobody.replies[0].error().code() == Condition::no_responders);
    CHECK(nobody.ends == 1);

    const auto ticket = mux.open_many(sink, {.timeout = 1s}).value();
    mux.on_reply(reply(ticket, "", {{"Nats-Service-Error", "busy"}, {"Nats-Service-Error-Code", "503"}}));
    mux.on_reply(reply(ticket, "fine"));
    REQUIRE(sink.replies.size() == 2);
    CHECK(sink.replies[0].error().remote_code() == 503);
    CHECK(sink.replies[1]->text() == "fine");
    CHECK(sink.ends == 0);
}

TEST_CASE("many: a sink that ends its request while it is called is ended after that call") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink;
    Ticket ticket = mux.open_many(sink, {.timeout = 1s}).value();
    int ends_inside = -1;
    sink.during_reply = [&] {
        mux.finish(ticket);
        mux.cancel_all({Errc::closed, "after finish this changes nothing"});
        clock.advance(2s);  // nor does the deadline
        ends_inside = sink.ends;
    };
    mux.on_reply(reply(ticket, "enough"));
    CHECK(ends_inside == 0);
    CHECK(sink.ends == 1);
    CHECK(sink.texts() == Texts{"enough"});

    Recorder cancelled;
    ticket = mux.open_many(cancelled, {.timeout = 1s}).value();
    cancelled.during_reply = [&] { mux.cancel(ticket, {Errc::closed, "stopped"}); };
    mux.on_reply(reply(ticket, "a"));
    CHECK(cancelled.texts() == Texts{"a", "stopped"});
    CHECK(cancelled.ends == 1);
}

TEST_CASE("many: the time a sink takes does not count against the stall") {
    VirtualClock clock;
    RequestMux mux{clock, "_INBOX"};
    Recorder sink;
    const auto ticket = mux.open_many(sink, {.timeout = 10s, .stall = 100ms}).value();
    sink.during_reply = [&] { clock.advance(200ms); };
    mux.on_reply(reply(ticket, "a"));
    clock.advance(99ms);
    CHECK(sink.ends == 0);
    clock.advance(1ms);
    CHECK(sink.ends == 1);
}

TEST_CASE("threads that wait get the answer to their own question, or the error that ended it") {
    SystemClock clock;
    RequestMux mux{clock, "_INBOX"};
    constexpr int threads = 8;
    constexpr int each = 2'000;

    // Stands for the connection: what is asked is answered by one thread, every third question not at all.
    std::mutex mutex;
    std::condition_variable asked;
    std::deque<std::pair<std::string, std::string>> questions;
    bool stop = false;
    std::jthread server{[&] {
        std::unique_lock lock{mutex};
        while (true) {
            asked.wait(lock, [&] { return stop || !questions.empty(); });
            if (questions.empty()) return;
            const auto [subject, text] = std::move(questions.front());
            questions.pop_front();
            lock.unlock();
            mux.on_reply(Message::make(subject, as_bytes(text)));
            lock.lock();
        }
    }};

    std::atomic<int> wrong = 0;
    std::atomic<int> timeouts = 0;
    auto ask = [&](int thread) {
        for (int i = 0; i < each; ++i) {
            const auto text = std::to_string(thread) + "/" + std::to_string(i);
            BlockingReply reply{"echo"};
            const bool answered = i % 100 != 0;
            const auto ticket = mux.open(reply, answered ? 1h : 2ms);
            if (answered) {
                const std::lock_guard lock{mutex};
                questions.emplace_back(ticket->reply_to(), text);
                asked.notify_one();
            }
            const auto result = reply.wait(clock);
            if (!result && result.error().code() == Condition::timeout) ++timeouts;
            else if (!result || result->text() != text) ++wrong;
        }
    };
    {
        std::vector<std::jthread> askers;
        askers.reserve(threads);
        for (int t = 0; t < threads; ++t) askers.emplace_back(ask, t);
    }
    {
        const std::lock_guard lock{mutex};
        stop = true;
    }
    asked.notify_one();
    server.join();
    CHECK(wrong == 0);
    CHECK(timeouts == threads * each / 100);
    CHECK(mux.in_flight() == 0);
}

namespace {

/// Counts its calls from whatever thread.
class Counter final : public ReplySink {
public:
    std::string_view subject() const noexcept override { return "count"; }
    void on_reply(Expected<Message>) noexcept override { ++replies; }
    void on_end() noexcept override { ++ends; }
    std::atomic<int> replies = 0;
    std::atomic<int> ends = 0;
};

}  // namespace

TEST_CASE("replies, deadlines and cancels that race end each request exactly once") {
    SystemClock clock;
    RequestMux mux{clock, "_INBOX"};
    constexpr int count = 3'000;
    std::vector<Counter> sinks(count);
    std::vector<std::optional<Ticket>> tickets(count);
    std::atomic<int> opened = 0;

    std::jthread replier{[&] {
        for (int i = 0; i < count; ++i) {
            while (opened.load() <= i) std::this_thread::yield();
            mux.on_reply(Message::make(tickets[static_cast<std::size_t>(i)]->reply_to(), as_bytes("x")));
        }
    }};
    std::jthread canceller{[&] {
        for (int i = 0; i < count; ++i) {
            while (opened.load() <= i) std::this_thread::yield();
            if (i % 3 == 0) mux.cancel(*tickets[static_cast<std::size_t>(i)], {Errc::closed, "cancelled"});
            if (i % 500 == 0) mux.cancel_all({Errc::disconnected, "lost"});
        }
    }};
    for (std::size_t i = 0; i < count; ++i) {
        const auto timeout = std::chrono::microseconds{i % 7 * 300};
        tickets[i] =
            (i % 2 == 0 ? mux.open(sinks[i], timeout) : mux.open_many(sinks[i], {.timeout = timeout, .max_replies = 1}))
                .value();
        ++opened;
    }
    replier.join();
    canceller.join();
    mux.close({Errc::closed, "end"});
    // A sweep may still be telling the last of those that it took out.
    CHECK(freshet::testing::eventually([&] {
        return std::ranges::all_of(sinks, [](const auto& sink) { return sink.ends == 1; });
    }));
    CHECK(mux.in_flight() == 0);
}

TEST_CASE("the mux may go while its timer runs") {
    SystemClock clock;
    for (int i = 0; i < 200; ++i) {
        Counter sink;
        {
            RequestMux mux{clock, "_INBOX"};
            REQUIRE(mux.open(sink, std::chrono::microseconds{i}).has_value());
            std::this_thread::yield();
        }
        REQUIRE(sink.ends == 1);
    }
}

TEST_CASE("a mux that is closed while it ends expired requests leaves no timer behind") {
    VirtualClock clock;
    {
        RequestMux mux{clock, "_INBOX"};
        Recorder later;
        Recorder expired;
        REQUIRE(mux.open(later, 1h));
        REQUIRE(mux.open(expired, 1s));
        expired.during_reply = [&] { mux.close({Errc::closed, "the broker was stopped"}); };
        clock.advance(1s);
        CHECK(expired.ends == 1);
        CHECK(later.ends == 1);
        CHECK(clock.scheduled() == 0);
    }
    CHECK(clock.scheduled() == 0);
}
