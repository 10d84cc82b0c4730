// SPDX-License-Identifier: Apache-2.0
// Depends and Inject over a real server: what is called when, how often, and what it is told at the end.
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;

namespace {

/// What happened, in order. Injected, so that each test has its own.
class Diary {
public:
    void write(std::string line) {
        const std::lock_guard lock{mutex_};
        lines_.push_back(std::move(line));
    }
    std::vector<std::string> lines() const {
        const std::lock_guard lock{mutex_};
        return lines_;
    }

private:
    mutable std::mutex mutex_ = {};
    std::vector<std::string> lines_ = {};
};

std::string said(const Outcome& outcome) {
    switch (outcome.kind()) {
        case Outcome::Kind::ack: return "ack";
        case Outcome::Kind::nack: return "nack";
        default: return "term";
    }
}

/// Neither copied nor moved: it stays where the function made it.
class Session {
public:
    Session(Diary& diary, std::string name) : diary_{diary}, name_{std::move(name)} { diary_.write("open " + name_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { diary_.write("close " + name_); }
    void on_outcome(const Outcome& outcome) { diary_.write(said(outcome) + " " + name_); }
    Diary& diary() const noexcept { return diary_; }

private:
    Diary& diary_;
    std::string name_;
};

Session open_session(Inject<Diary> diary, Path<"name"> name) { return {*diary, std::string{*name}}; }
std::unique_ptr<Session> open_lock(Inject<Diary> diary) { return std::make_unique<Session>(*diary, "lock"); }

/// Depends on a session itself, and is told nothing.
struct Orders {
    Session& session;
    void put() const { session.diary().write("put"); }
};
Orders orders(Depends<&open_session> session) { return {*session}; }

struct Blacklist {
    std::string name = {};
};
std::string& greeting() {
    static std::string text = "hello";
    return text;
}
Expected<int> paid(Header<"paid", int> amount) {
    if (*amount == 0) return std::unexpected{RemoteError{402, "pay first"}};
    return *amount;
}
void refuse_thirteen(const Add& body) {
    if (body.a == 13) throw RemoteError{422, "not 13"};
}

class Stock {
public:
    virtual ~Stock() = default;
    virtual int count() const = 0;
};
class Shelf final : public Stock {
public:
    int count() const override { return 3; }
};

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}, .name = "depends"}};
    std::shared_ptr<Diary> diary = std::make_shared<Diary>();

    Fixture() { broker.provide(diary); }
    using Lines = std::vector<std::string>;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a function is called once per message, whoever depends on it, and ended in reverse order") {
    broker.subscriber<"s.{name}">().handle([](Depends<&orders> first, Depends<&open_session> session,
                                              const Depends<&orders>& again, Depends<&open_lock>) {
        first->put();
        again->put();
        CHECK(&first->session == &*session);
        CHECK(&*first == &*again);
    });
    broker.start();
    broker.publish("s.a", "");
    CHECK(eventually([&] { return diary->lines().size() == 8; }));
    CHECK(diary->lines() == Lines{"open a", "open lock", "put", "put", "ack lock", "close lock", "ack a", "close a"});
    broker.publish("s.b", "");
    CHECK(eventually([&] { return diary->lines().size() == 16; }));
    CHECK(diary->lines()[8] == "open b");
}

TEST_CASE_METHOD(Fixture, "scope objects end after the reply and the publications") {
    auto published = broker.subscriber<"out">().messages();
    broker.subscriber<"s.{name}">().publish_to<"out">().handle([](Depends<&open_session>) { return Sum{1}; });
    broker.subscriber<"commit.{name}">().handle([&](Depends<&open_session> session) {
        session->diary().write("handled");
        return Sum{2};
    });
    broker.start();
    CHECK(broker.request<Sum>("s.a", "").value == 1);
    CHECK(published.next(5s));
    CHECK(eventually([&] { return diary->lines().size() == 3; }));
    CHECK(diary->lines() == Lines{"open a", "ack a", "close a"});
}

TEST_CASE_METHOD(Fixture, "they are told how it ended: a throw, an outcome, a decision") {
    broker.subscriber<"throws.{name}">().handle([](Depends<&open_session>) { throw std::runtime_error{"no"}; });
    broker.subscriber<"terms.{name}">().handle([](Depends<&open_session>) { return Outcome::term("no"); });
    broker.subscriber<"decides.{name}">().handle([](Depends<&open_session>, Context& context) { context.nack(); });
    broker.subscriber<"errs.{name}">().handle([](Depends<&open_session>) -> Expected<void> {
        return failure(Errc::not_found, "none");
    });
    broker.start();
    const auto told = [&](const char* kind) {
        const auto before = diary->lines().size();
        broker.publish(std::string{kind} + ".x", "");
        CHECK(eventually([&] { return diary->lines().size() == before + 3; }));
        return diary->lines()[before + 1];
    };
    CHECK(told("throws") == "nack x");
    CHECK(told("terms") == "term x");
    CHECK(told("decides") == "nack x");
    CHECK(told("errs") == "nack x");
}

TEST_CASE_METHOD(Fixture, "a dependency that cannot be made keeps the handler from running; those before it are told") {
    std::atomic<int> handled = 0;
    broker.subscriber<"buy.{name}">().handle([&](Depends<&open_session>, Depends<&paid> amount) {
        ++handled;
        return Sum{*amount};
    });
    broker.start();
    CHECK(broker.request<Sum>("buy.a", "", {.headers = {{"paid", "7"}}}).value == 7);
    const auto unpaid = broker.try_request<Sum>("buy.b", "", {.headers = {{"paid", "0"}}});
    REQUIRE_FALSE(unpaid);
    CHECK(unpaid.error().remote_code() == 402);
    const auto missing = broker.try_request<Sum>("buy.c", "");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().remote_code() == 400);
    CHECK(handled == 1);
    CHECK(eventually([&] { return diary->lines().size() == 9; }));
    CHECK(diary->lines()[4] == "nack b");
    CHECK(diary->lines()[7] == "term c");
    CHECK(eventually([&] { return broker.stats().rejected == 1 && broker.stats().declined == 1; }));
}

TEST_CASE_METHOD(Fixture, "a function may return nothing, a reference, and take the body, too") {
    broker.subscriber<"add">().handle([](const Add& add, Depends<&refuse_thirteen>, Depends<&greeting> text) {
        testing::must(*text == "hello");
        testing::must(&*text == &greeting());
        return Sum{add.a + add.b};
    });
    broker.start();
    CHECK(broker.request<Sum>("add", Add{1, 2}).value == 3);
    CHECK(broker.try_request<Sum>("add", Add{13, 2}).error().remote_code() == 422);
}

namespace {
struct FailsToCommit {
    void on_outcome(const Outcome& outcome) const {
        if (outcome == Outcome::ack) throw std::runtime_error{"serialization failure"};
    }
};
FailsToCommit begin_optimistic() { return {}; }
}  // namespace

TEST_CASE_METHOD(Fixture, "a commit that throws fails the message, and what was opened before is told so") {
    broker.subscriber<"s.{name}">().handle([](Depends<&open_session>, Depends<&begin_optimistic>) {});
    broker.start();
    broker.publish("s.a", "");
    CHECK(eventually([&] { return broker.stats().failed == 1; }));
    CHECK(eventually([&] { return diary->lines().size() == 3; }));
    CHECK(diary->lines() == Lines{"open a", "nack a", "close a"});
}

TEST_CASE_METHOD(Fixture, "a test puts another function in a dependency's place, filled in the same way") {
    broker.override_dependency<&paid>([](Path<"name"> name) { return static_cast<int>(name->size()); });
    broker.override_dependency<&open_lock>([other = diary] { return std::make_unique<Session>(*other, "fake"); });
    broker.subscriber<"buy.{name}">().handle([](Depends<&paid> amount, Depends<&paid>, Depends<&open_lock>) {
        return Sum{*amount};
    });
    broker.start();
    CHECK_THROWS_AS(broker.override_dependency<&paid>([] { return 1; }), Error);
    CHECK(broker.request<Sum>("buy.four", "").value == 4);
    CHECK(eventually([&] { return diary->lines().size() == 3; }));
    CHECK(diary->lines() == Lines{"open fake", "ack fake", "close fake"});
}

TEST_CASE_METHOD(Fixture, "an object is provided by the interface that handlers ask for") {
    broker.provide<Stock>(std::make_shared<Shelf>());
    broker.subscriber<"stock">().handle([](Inject<Stock> stock) { return Sum{stock->count()}; });
    broker.start();
    CHECK(broker.request<Sum>("stock", "").value == 3);
}

namespace {
int from_stock(Inject<Stock> stock) { return stock->count(); }
int from_blacklist(Inject<Blacklist>, Depends<&from_stock> count) { return *count; }
}  // namespace

TEST_CASE_METHOD(Fixture, "everything that functions lack is listed at start, each once") {
    broker.subscriber("stock").handle([](Depends<&from_blacklist>, Depends<&from_stock>, Path<"id">) {});
    try {
        broker.start();
        FAIL("it started");
    } catch (const Error& error) {
        CHECK(error.code() == Condition::bad_setup);
        const std::string text = error.what();
        std::size_t problems = 0;
        for (auto at = text.find("\n  - "); at != std::string::npos; at = text.find("\n  - ", at + 1)) ++problems;
        CHECK(problems == 3);
        CHECK(text.find("Stock") != std::string::npos);
        CHECK(text.find("Blacklist") != std::string::npos);
        CHECK(text.find("{id}") != std::string::npos);
    }
}
