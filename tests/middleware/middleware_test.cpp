// SPDX-License-Identifier: Apache-2.0
// Middleware around deliveries and publications, over a real server: order, and the outcome of each way to misbehave.
#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../support/diary.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::Diary;
using testing::eventually;
using testing::Lines;

namespace {

/// A middleware as a class.
struct Note {
    Diary& diary;
    std::string name;
    Outcome operator()(Context& context, Next next) const {
        diary.write(name + " in");
        auto outcome = next(context);
        diary.write(name + " out");
        return outcome;
    }
};

const char* name_of(Outgoing::Kind kind) {
    switch (kind) {
        case Outgoing::Kind::event: return "event";
        case Outgoing::Kind::reply: return "reply";
        default: return "request";
    }
}

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}}};
    Diary diary = {};

    auto note_publish(std::string name) {
        return [this, name](Outgoing& out, NextPublish next) {
            diary.write(name + " " + name_of(out.kind));
            return next(out);
        };
    }
};

int touch(Context& context) {
    context.set(std::string{"touched"});
    return 1;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "middlewares of the broker are around those of the subscriber, in the order of declaration") {
    broker.subscriber<"sum">().use(Note{diary, "s1"}).use(Note{diary, "s2"}).handle([&](const Add& add) {
        diary.write("handler");
        return Sum{add.a + add.b};
    });
    broker.use(Note{diary, "b1"}).use(Note{diary, "b2"});
    broker.start();
    CHECK(broker.request<Sum>("sum", Add{1, 2}).value == 3);
    CHECK(eventually([&] { return broker.stop(); }));
    CHECK(diary.take() == Lines{"b1 in", "b2 in", "s1 in", "s2 in", "handler", "s2 out", "s1 out", "b2 out", "b1 out"});
}

TEST_CASE_METHOD(Fixture, "a middleware is a lambda, a function object, a std::function or a reference to one") {
    Note note{diary, "ref"};
    std::function<Outcome(Context&, Next)> function = [](Context& context, Next next) { return next(context); };
    broker.use(std::ref(note)).use(function).use([](auto& context, auto next) { return next(context); });
    broker.subscriber<"sum">().handle([](const Add& add) { return Sum{add.a + add.b}; });
    broker.start();
    CHECK(broker.request<Sum>("sum", Add{1, 2}).value == 3);
    broker.stop();  // the answer is here before the middlewares are through, and `note` ends here
}

TEST_CASE_METHOD(Fixture, "next tells how the handler ended and why, and never throws what it threw") {
    std::optional<Outcome::Kind> seen;
    std::string why;
    broker.use([&](Context& context, Next next) {
        auto outcome = next(context);
        seen = outcome.kind();
        why = context.failure() != nullptr ? context.failure()->what() : "";
        diary.write("seen");
        return outcome;
    });
    broker.subscriber<"throws">().handle([]() { throw std::runtime_error{"broken"}; });
    broker.subscriber<"bad">().handle([](const Add&) {});
    broker.subscriber<"decides">().handle([](Context& context) { context.term("enough"); });
    broker.start();
    const auto handled = [&](const char* subject) {
        broker.publish(subject, std::string_view{"x"});
        CHECK(eventually([&] { return diary.take() == Lines{"seen"}; }));
        return *seen;
    };
    CHECK(handled("throws") == Outcome::Kind::nack);
    CHECK(why == "broken");
    CHECK(handled("bad") == Outcome::Kind::term);
    CHECK(handled("decides") == Outcome::Kind::term);
    CHECK(why.empty());
}

TEST_CASE_METHOD(Fixture, "a middleware may choose another outcome, swallow a failure, or decide through the context") {
    broker.subscriber<"swallow">()
        .use([](Context& context, Next next) {
            (void)next(context);
            return Outcome{Outcome::ack};
        })
        .handle([] { throw std::runtime_error{"ignored"}; });
    broker.subscriber<"refuse">()
        .use([](Context& context, Next next) {
            (void)next(context);
            return Outcome::nack(1s);
        })
        .handle([] {});
    broker.subscriber<"context">()
        .use([](Context& context, Next next) {
            auto outcome = next(context);
            context.nack(1s);
            return outcome;
        })
        .handle([] {});
    broker.start();
    for (const char* subject : {"swallow", "refuse", "context"}) broker.publish(subject, "");
    CHECK(eventually([&] { return broker.stats().received == 3 && broker.stats().failed == 2; }));
}

TEST_CASE_METHOD(Fixture, "skipping next keeps the handler from running; fail and reject tell who asked") {
    std::atomic<int> handled = 0;
    broker.subscriber<"limited">()
        .use([](Context& context, Next) { return context.fail(RemoteError{429, "too many"}); })
        .handle([&](const Add&) { return Sum{++handled}; });
    broker.subscriber<"refused">()
        .use([](Context& context, Next) { return context.reject({Errc::bad_payload, "not for us"}); })
        .handle([&](const Add&) { return Sum{++handled}; });
    broker.start();
    CHECK(broker.try_request<Sum>("limited", Add{}).error().remote_code() == 429);
    CHECK(broker.try_request<Sum>("refused", Add{}).error().remote_code() == 400);
    CHECK(handled == 0);
    CHECK(eventually([&] { return broker.stats().declined == 1 && broker.stats().rejected == 1; }));
}

TEST_CASE_METHOD(Fixture, "what a middleware throws fails the message, and the middlewares around it see that") {
    broker.use(Note{diary, "outer"});
    broker.subscriber<"before">()
        .use([](Context&, Next) -> Outcome { throw RemoteError{503, "not now"}; })
        .handle([&](const Add&) { return Sum{1}; });
    broker.subscriber<"after">()
        .use([](Context& context, Next next) -> Outcome {
            (void)next(context);
            throw std::runtime_error{"late"};
        })
        .handle([&](const Add&) { return Sum{1}; });
    broker.start();
    CHECK(broker.try_request<Sum>("before", Add{}).error().remote_code() == 503);
    CHECK(eventually([&] { return broker.stats().failed == 1; }));
    CHECK(diary.take() == Lines{"outer in", "outer out"});
    CHECK(broker.request<Sum>("after", Add{}).value == 1);  // the answer was out already
    CHECK(eventually([&] { return broker.stats().failed == 2; }));
}

TEST_CASE_METHOD(Fixture, "calling next twice runs the handler once and fails the message") {
    std::atomic<int> handled = 0;
    broker.use([](Context& context, Next next) {
        (void)next(context);
        return next(context);
    });
    broker.subscriber<"once">().handle([&] { ++handled; });
    broker.start();
    broker.publish("once", "");
    CHECK(eventually([&] { return broker.stats().failed == 1; }));
    CHECK(handled == 1);
}

TEST_CASE_METHOD(Fixture, "a function of Depends may be called for every handler, and shares its result") {
    std::atomic<int> calls = 0;
    broker.depends<&touch>();
    broker.subscriber<"a">().depends<&touch>().handle([&](Context& context, Depends<&touch> one) {
        if (context.get<std::string>() != nullptr) calls += *one;
    });
    broker.start();
    broker.publish("a", "");
    CHECK(eventually([&] { return calls == 1; }));
}

TEST_CASE_METHOD(Fixture, "publications, answers and requests pass the broker's middlewares, then the subscriber's") {
    broker.use_publish(note_publish("b1")).use_publish(note_publish("b2"));
    broker.subscriber<"in">().use_publish(note_publish("s")).publish_to<"out">().handle([&](const Add&) {
        broker.publish("more", "");
        return Sum{1};
    });
    broker.start();
    std::ignore = broker.request<Sum>("in", Add{});
    CHECK(broker.stop());
    CHECK(diary.take() == Lines{"b1 request", "b2 request", "b1 event", "b2 event", "s event", "b1 reply", "b2 reply",
                                "s reply", "b1 event", "b2 event", "s event"});
}

TEST_CASE_METHOD(Fixture, "a publish middleware changes subject, headers and body") {
    auto received = broker.subscriber<"v2.>">().messages();
    broker.use_publish([](Outgoing& out, NextPublish next) {
        const auto subject = "v2." + std::string{out.subject};
        const auto body = "<" + std::string{as_text(out.body)} + ">";
        out.subject = subject;
        out.body = as_bytes(body);
        out.headers.set("v", "2");
        return next(out);
    });
    broker.start();
    broker.publish("orders", std::string_view{"text"}, {.headers = {{"k", "v"}}});
    const auto message = received.next(5s);
    REQUIRE(message);
    CHECK(message->subject() == "v2.orders");
    CHECK(message->text() == "<text>");
    CHECK(message->header("v") == "2");
    CHECK(message->header("k") == "v");
}

TEST_CASE_METHOD(Fixture, "a publish middleware that fails, drops, throws or sends twice") {
    std::atomic<int> received = 0;
    std::atomic<bool> published_within = false;
    broker.subscriber<"ok.>">().handle([&](Bytes) { ++received; });
    broker.subscriber<"log">().handle([&](Bytes) { published_within = true; });
    broker.use_publish([&](Outgoing& out, NextPublish next) -> Expected<void> {
        if (out.subject == "refused") return failure(Errc::bad_payload, "not that");
        if (out.subject == "dropped") return {};
        if (out.subject == "throws") throw std::runtime_error{"oh"};
        if (out.subject == "bad") out.subject = "a..b";
        if (out.subject == "ok.twice") {
            (void)next(out);
            return next(out);
        }
        broker.publish("log", "");  // passes no middleware, so this ends
        return next(out);
    });
    broker.start();
    CHECK(broker.try_publish("refused", "").error().code() == Errc::bad_payload);
    CHECK(broker.try_publish("dropped", ""));
    CHECK(std::string{broker.try_publish("throws", "").error().what()}.find("oh") != std::string::npos);
    CHECK(broker.try_publish("bad", "").error().code() == Errc::bad_subject);
    CHECK_FALSE(broker.try_publish("ok.twice", ""));
    CHECK(broker.try_publish("ok.once", ""));
    CHECK(eventually([&] { return received == 2; }));
    CHECK(eventually([&] { return published_within.load(); }));
    CHECK(broker.try_request<Sum>("dropped", "").error().code() == Errc::bad_setup);  // at once, not at the deadline
}

TEST_CASE_METHOD(Fixture, "a failed publication fails the message") {
    broker.subscriber<"in">()
        .use_publish([](Outgoing&, NextPublish) -> Expected<void> { return failure(Errc::closed, "cut"); })
        .publish_to<"out">()
        .handle([] { return Sum{1}; });
    broker.start();
    broker.publish("in", "");
    CHECK(eventually([&] { return broker.stats().failed == 1; }));
}

TEST_CASE_METHOD(Fixture, "middlewares are declared before the start") {
    broker.start();
    CHECK_THROWS_AS(broker.use([](Context& context, Next next) { return next(context); }), Error);
    CHECK_THROWS_AS(broker.use_publish([](Outgoing& out, NextPublish next) { return next(out); }), Error);
}
