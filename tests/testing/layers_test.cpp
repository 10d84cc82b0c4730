// SPDX-License-Identifier: Apache-2.0
// Routers, middleware, dependencies, error handlers and filters: each rule in memory and on a nats-server.
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>

#include "../support/diary.hpp"
#include "../support/must.hpp"
#include "../support/types.hpp"
#include "both.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::Both;
using testing::Diary;
using testing::Lines;
using testing::TestBroker;

namespace {

struct WithDiary : Both {
    std::shared_ptr<Diary> diary = std::make_shared<Diary>();

    WithDiary() { broker.provide(diary); }
    auto note(std::string name) {
        return [kept = diary, name](Context& context, Next next) {
            kept->write(name + " in");
            auto outcome = next(context);
            kept->write(name + " out");
            return outcome;
        };
    }
    auto note_publish(std::string name) {
        return [kept = diary, name](Outgoing& out, NextPublish next) {
            constexpr const char* kinds[] = {" event", " reply", " request"};
            kept->write(name + kinds[static_cast<int>(out.kind)]);
            return next(out);
        };
    }
};

/// A class as a middleware; one object for all.
struct Count {
    std::shared_ptr<std::atomic<int>> count = std::make_shared<std::atomic<int>>(0);
    Outcome operator()(Context& context, Next next) const {
        ++*count;
        return next(context);
    }
};

struct Tenant {
    std::string name = {};
};
Tenant tenant(Path<"tenant"> name) { return {std::string{*name}}; }

std::string said(const Outcome& outcome) {
    switch (outcome.kind()) {
        case Outcome::Kind::ack: return "ack";
        case Outcome::Kind::nack: return "nack";
        default: return "term";
    }
}

struct Session {
    Diary& diary;
    std::string name;
    Session(Diary& kept, std::string of) : diary{kept}, name{std::move(of)} { diary.write("open " + name); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { diary.write("close " + name); }
    void on_outcome(const Outcome& outcome) {
        diary.write(said(outcome) + " " + name);
        if (name == "broken" && outcome == Outcome::ack) throw std::runtime_error{"the commit failed"};
    }
};
Session open_session(Inject<Diary> diary, Path<"name"> name) { return {*diary, std::string{*name}}; }
struct Orders {
    Session& session;
};
Orders orders(Depends<&open_session> session) { return {*session}; }
std::unique_ptr<Session> open_lock(Inject<Diary> diary) { return std::make_unique<Session>(*diary, "lock"); }

struct Rates {
    virtual ~Rates() = default;
    virtual int rate() const = 0;
};
struct FixedRates final : Rates {
    int rate() const override { return 3; }
};
struct Absent {
    int value = 0;
};
int from_absent(Inject<Absent> absent) { return absent->value; }

struct Invalid : std::runtime_error {
    using runtime_error::runtime_error;
};
struct TooLong : Invalid {
    using Invalid::Invalid;
};

}  // namespace

TEST_CASE_METHOD(WithDiary, "a router: prefixes with parameters in both forms, nested, known to the compiler") {
    Router billing{"billing.{tenant}."};
    billing.subscriber<"invoice.{id}">().publish_to<"done.{tenant}">().handle(
        [](Path<"tenant"> tenant, Path<"id", int> id) { return std::string{*tenant} + std::to_string(*id); });
    Router<"pay.{tenant}."> pay;
    auto cards = pay.router<"card.{card}.">();
    auto limits = cards.router<"limit.">();
    limits.subscriber<"{what}">().publish_to<"limits.{tenant}.{card}">().handle(
        [](Path<"tenant"> tenant, Path<"card"> card, Path<"what"> what, Depends<&::tenant> same) {
            return std::string{*tenant} + std::string{*card} + std::string{*what} + same->name;
        });
    auto late = billing.router<"late.{day}.">();  // the prefix before it is known at run time, so its names are, too
    late.subscriber<"x">().handle([](Path<"tenant"> tenant, Path<"day"> day) {
        return std::string{*tenant} + std::string{*day};
    });
    broker.include(billing).include(pay);
    auto& test = start();
    CHECK(test.request<std::string>("billing.acme.invoice.7", "") == "acme7");
    CHECK(test.published<std::string>("done.acme").at(0) == "acme7");
    CHECK(test.request<std::string>("pay.acme.card.c1.limit.day", "") == "acmec1dayacme");
    CHECK(test.published("limits.acme.c1").size() == 1);
    CHECK(test.request<std::string>("billing.acme.late.monday.x", "") == "acmemonday");
}

TEST_CASE_METHOD(WithDiary, "broker, outer router, inner router, subscriber: deliveries and publications") {
    Router outer{"o."};
    Router inner{"i."};
    inner.subscriber<"x">().use(note("s")).use_publish(note_publish("s")).publish_to<"out">().handle([this] {
        diary->write("handler");
        return std::string{"done"};
    });
    inner.use(note("inner")).use_publish(note_publish("inner"));
    outer.include(inner);
    outer.use(note("outer")).use_publish(note_publish("outer"));
    broker.include(outer);
    broker.use(note("b1")).use(note("b2")).use_publish(note_publish("b"));
    auto& test = start();
    CHECK(test.request<std::string>("o.i.x", "") == "done");
    CHECK(diary->take() == Lines{"b1 in", "b2 in", "outer in", "inner in", "s in", "handler", "b reply", "outer reply",
                                 "inner reply", "s reply", "b event", "outer event", "inner event", "s event", "s out",
                                 "inner out", "outer out", "b2 out", "b1 out"});
    CHECK_THROWS_AS(broker.use(Count{}), Error);
    CHECK_THROWS_AS(outer.use(Count{}), Error);
}

TEST_CASE_METHOD(WithDiary,
                 "a router is in two places at once; its middleware object is one, and so are its handlers") {
    const Count count;
    Router shared{"r."};
    shared.use(count);
    shared.subscriber<"x">().handle([calls = 0]() mutable { return ++calls; });
    Router v1{"v1."};
    v1.include(shared);
    broker.include(shared).include(v1);
    auto& test = start();
    CHECK(test.request<int>("r.x", "") == 1);
    CHECK(test.request<int>("v1.r.x", "") == 2);
    CHECK(*count.count == 2);
}

TEST_CASE_METHOD(WithDiary, "the same name twice in a path, and everything that is missing, is told at once") {
    Router outer{"a.{id}."};
    Router inner{"b.{id}."};
    inner.subscriber<"x">().handle([] {});
    outer.include(inner);
    broker.include(outer);
    broker.subscriber<"y">().handle([](Inject<Rates>, Depends<&from_absent>) {});
    std::string text;
    try {
        start();
    } catch (const Error& error) { text = error.what(); }
    CHECK(text.find("a.{id}.b.{id}.x") != std::string::npos);
    CHECK(text.find("Rates") != std::string::npos);
    CHECK(text.find("Absent") != std::string::npos);
}

TEST_CASE_METHOD(WithDiary, "every way for a middleware to end a delivery") {
    std::atomic<int> handled = 0;
    const auto handler = [&handled] { return ++handled; };
    broker.use(note("outer"));
    broker.subscriber<"throws">().use([](Context&, Next) -> Outcome { throw Invalid{"no"}; }).handle(handler);
    broker.subscriber<"skips">().use([](Context&, Next) { return Outcome{Outcome::ack}; }).handle(handler);
    broker.subscriber<"fails">()
        .use([](Context& context, Next) { return context.fail(RemoteError{429, "later"}); })
        .handle(handler);
    broker.subscriber<"rejects">()
        .use([](Context& context, Next) { return context.reject({Errc::bad_payload, "never"}); })
        .handle(handler);
    broker.subscriber<"twice">()
        .use([](Context& context, Next next) {
            std::ignore = next(context);
            return next(context);
        })
        .handle(handler);
    broker.subscriber<"swallows">()
        .use([](Context& context, Next next) {
            testing::must(next(context) == Outcome::nack());
            testing::must(context.failure() != nullptr);
            return Outcome{Outcome::ack};
        })
        .handle([] { throw Invalid{"?"}; });
    auto& test = start();
    CHECK(test.publish("throws", "") == Outcome::nack());
    CHECK(diary->take() == Lines{"outer in", "outer out"});
    CHECK(test.publish("skips", "") == Outcome::ack);
    CHECK(test.try_request<int>("fails", "").error().remote_code() == 429);
    CHECK(test.try_request<int>("rejects", "").error().remote_code() == 400);
    CHECK(handled == 0);
    CHECK(test.publish("twice", "") == Outcome::nack());
    CHECK(handled == 1);
    CHECK(test.publish("swallows", "") == Outcome::ack);
    CHECK(broker.stats().failed == 2);
    CHECK(broker.stats().declined == 1);
    CHECK(broker.stats().rejected == 1);
}

TEST_CASE_METHOD(WithDiary,
                 "a middleware hands on another body; filters and handlers see it, what is settled is the old one") {
    Bytes outside = {};
    std::string after;
    broker.use([&](Context& context, Next next) {
        const std::string body = "[" + std::string{context.message().text()} + "]";
        outside = context.message().payload();
        auto outcome = next(context, as_bytes(body));
        after = context.message().text();
        return outcome;
    });
    broker.subscriber<"x">()
        .when([](const Message& message) { return message.text() == "[filtered]"; },
              [] { return std::string{"filter"}; })
        .handle([&](Bytes bytes, const Message& message) {
            testing::must(message.text() == as_text(bytes));
            testing::must(message.payload().data() == bytes.data());
            testing::must(bytes.data() != outside.data());
            return std::string{as_text(bytes)};
        });
    broker.subscriber<"typed">().handle([](const std::vector<int>& numbers) { return numbers.at(0); });
    auto& test = start();
    CHECK(test.request<std::string>("x", std::string_view{"hello"}) == "[hello]");
    CHECK(after == "hello");
    CHECK(test.request<std::string>("x", std::string_view{"filtered"}) == "filter");
    CHECK(test.request<int>("typed", std::string_view{"7"}) == 7);
}

TEST_CASE_METHOD(WithDiary,
                 "a publish middleware changes subject, headers and body, fails, drops, throws, sends twice") {
    broker.use_publish([](Outgoing& out, NextPublish next) -> Expected<void> {
        if (out.subject == "refused") return failure(Errc::bad_payload, "not that");
        if (out.subject == "dropped") return {};
        if (out.subject == "throws") throw std::runtime_error{"oh"};
        if (out.subject == "bad") out.subject = "a..b";
        if (out.subject == "twice") {
            std::ignore = next(out);
            return next(out);
        }
        const auto subject = "v2." + std::string{out.subject};
        const auto body = "<" + std::string{as_text(out.body)} + ">";
        if (out.subject == "changed") out.subject = subject, out.body = as_bytes(body), out.headers.set("v", "2");
        return next(out);
    });
    auto& test = start();
    CHECK(broker.try_publish("changed", std::string_view{"text"}, {.headers = {{"k", "v"}}}));
    const auto changed = test.published("v2.changed");
    CHECK(changed.at(0).body == "<text>");
    CHECK(changed.at(0).headers.get("v") == "2");
    CHECK(changed.at(0).headers.get("k") == "v");
    CHECK(broker.try_publish("refused", "").error().code() == Errc::bad_payload);
    CHECK(broker.try_publish("dropped", ""));
    CHECK(std::string{broker.try_publish("throws", "").error().what()}.find("oh") != std::string::npos);
    CHECK(broker.try_publish("bad", "").error().code() == Errc::bad_subject);
    CHECK_FALSE(broker.try_publish("twice", ""));
    CHECK(test.published("twice").size() == 1);
    CHECK(test.published("dropped").empty());
    CHECK(broker.try_request<int>("dropped", "").error().code() == Errc::bad_setup);  // at once
}

TEST_CASE_METHOD(WithDiary,
                 "on_error: the nearest, then the most derived; it answers, publishes or chooses the outcome") {
    broker.on_error<std::exception>([](const std::exception&) { return std::string{"exception"}; })
        .on_error<TooLong>([](const TooLong& error) { return "too long: " + std::string{error.what()}; })
        .on_error<Invalid>([](const Invalid&) { return std::string{"invalid"}; });
    const auto throws = [](auto error) { return [error]() -> std::string { throw error; }; };
    broker.subscriber<"long">().handle(throws(TooLong{"9 of 8"}));
    broker.subscriber<"invalid">().handle(throws(Invalid{"?"}));
    broker.subscriber<"other">().handle(throws(std::logic_error{"?"}));
    broker.subscriber<"near.{id}">()
        .on_error<std::exception>([](const std::exception&, Path<"id"> id, Broker& own) {
            own.publish("failed", std::string{*id});
            return Outcome::term("near");
        })
        .handle(throws(TooLong{"?"}));
    broker.subscriber<"later">()
        .on_error<Invalid>([](const Invalid&) { return Outcome::nack(3s); })
        .handle(throws(Invalid{"?"}));
    broker.subscriber<"dealt">().on_error<Invalid>([](const Invalid&) {}).handle(throws(Invalid{"?"}));
    auto& test = start();
    CHECK(test.request<std::string>("long", "") == "too long: 9 of 8");
    CHECK(test.request<std::string>("invalid", "") == "invalid");
    CHECK(test.request<std::string>("other", "") == "exception");
    CHECK(test.publish("near.7", "") == Outcome::term());
    CHECK(test.published<std::string>("failed").at(0) == "7");
    const auto later = test.publish("later", "");
    CHECK(later == Outcome::nack());
    CHECK(later.at(0).outcome.delay() == 3s);
    CHECK(test.publish("dealt", "") == Outcome::ack);
}

TEST_CASE_METHOD(WithDiary,
                 "Depends: nested, once per message, ended in reverse after the publications, told the outcome") {
    broker.use_publish(note_publish("send"));
    broker.subscriber<"s.{name}">().publish_to<"out">().handle([](Depends<&orders> first,
                                                                  Depends<&open_session> session, Depends<&open_lock>) {
        CHECK(&first->session == &*session);
        if (session->name == "fails") throw std::runtime_error{"no"};
        return std::string{"result"};
    });
    auto& test = start();
    CHECK(test.request<std::string>("s.a", "") == "result");
    CHECK(diary->take() ==
          Lines{"open a", "open lock", "send reply", "send event", "ack lock", "close lock", "ack a", "close a"});
    CHECK(test.publish("s.fails", "") == Outcome::nack());
    CHECK(diary->take() == Lines{"open fails", "open lock", "nack lock", "close lock", "nack fails", "close fails"});
    CHECK(test.publish("s.broken", "") == Outcome::nack());  // told before the message is settled
    CHECK(diary->take().back() == "close broken");
}

TEST_CASE_METHOD(Both, "Depends and Inject on many threads: each message has its own") {
    const auto diary = std::make_shared<Diary>();
    std::mutex mutex;
    std::set<const void*> alive;
    std::atomic<int> mixed = 0;
    broker.provide(diary);
    broker.provide<Rates>(std::make_shared<FixedRates>());
    broker.subscriber<"s.{name}">({.workers = 8})
        .handle([&](Depends<&open_session> session, Depends<&orders> same, Path<"name"> name, Inject<Rates> rates) {
            {
                const std::lock_guard lock{mutex};
                if (!alive.insert(&*session).second) ++mixed;
            }
            std::this_thread::yield();
            if (session->name != *name || &same->session != &*session || rates->rate() != 3) ++mixed;
            const std::lock_guard lock{mutex};
            alive.erase(&*session);
        });
    std::optional<TestBroker> test;
    if (real()) test.emplace(broker, testing::with_server);
    else test.emplace(broker, testing::TestOptions{.threads = true});
    for (int i = 0; i < 200; ++i) test->client().publish("s.n" + std::to_string(i), "");
    if (real()) CHECK(testing::eventually([&] { return broker.stats().received == 200; }));
    test->run();
    test.reset();
    CHECK(mixed == 0);
    CHECK(diary->take().size() == 600);
}

TEST_CASE_METHOD(Both, "filters: the first that matches, the default last; what nothing matches is settled") {
    broker.subscriber<"events">()
        .when(header_is("kind", "add"), [](const Add& add) { return "add " + std::to_string(add.a); })
        .when(has_header("kind"), [](Header<"kind"> kind) { return "some " + std::string{*kind}; })
        .when(content_type_is("text/plain"), [](std::string_view text) { return std::string{text}; })
        .handle([] { return std::string{"default"}; });
    broker.subscriber<"strict">().when(has_header("kind"), [] { return 1; }).handle();
    broker.subscriber<"throws">().when([](Context&) -> bool { throw Invalid{"?"}; }, [] { return 1; }).handle([] {
        return 2;
    });
    auto& test = start();
    const auto ask = [&](std::string_view body, Headers headers) {
        return test.request<std::string>("events", body, {.headers = std::move(headers)});
    };
    CHECK(ask(R"({"a":4,"b":0})", {{"kind", "add"}}) == "add 4");
    CHECK(ask("", {{"kind", "other"}}) == "some other");
    CHECK(ask("text", {{"content-type", "text/plain; charset=utf-8"}}) == "text");
    CHECK(ask("x", {}) == "default");
    CHECK(test.publish("strict", "") == Outcome::term());
    CHECK(test.try_request<int>("strict", "").error().remote_code() == 400);
    CHECK(test.publish("throws", "") == Outcome::nack());
}
