// SPDX-License-Identifier: Apache-2.0
// Writes that do not wait, when a cluster refuses some of them for a moment: without a server.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/testing/virtual_clock.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/store/kv_writes.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using detail::KvWrites;

namespace {

using Texts = std::vector<std::string>;

/// Writes that wait in a list until the test answers.
struct Fixture {
    void write(const std::string& key, const std::string& value) { write({.key = key, .body = value}); }
    void write(detail::KvOutgoing message) {
        const auto value = message.body;
        writes->write(std::move(message), [this, value](const Expected<std::uint64_t>& revision) {
            told.push_back(value + (revision ? "" : " failed: " + std::string{revision.error().message()}));
        });
    }
    void answer(std::size_t index, Expected<std::uint64_t> revision, KvWrites::Left left = KvWrites::Left::yes) {
        std::exchange(done.at(index), nullptr)(std::move(revision), left);
    }
    void store(std::size_t index) { answer(index, index + 1); }
    void fail(std::size_t index, Errc code) {
        answer(index, std::unexpected{Error{code, "said the test"}}, KvWrites::Left::with_id);
    }
    /// Answers a question: the write is not stored.
    void deny(std::size_t index) {
        answer(index, std::unexpected{detail::js_error("put", {{"err_code", 10'111}, {"code", 500}})});
    }
    void refuse(std::size_t index) { answer(index, std::unexpected{Error{Errc::no_responders, "said the test"}}); }

    testing::VirtualClock clock;
    Texts sent = {};
    std::vector<KvWrites::Answered> done = {};
    Texts told = {};
    std::shared_ptr<KvWrites> writes = std::make_shared<KvWrites>(
        clock,
        [this](const detail::KvOutgoing& message, KvWrites::Answered written) {
            sent.push_back(message.body + (message.asks ? "?" : ""));
            done.push_back(std::move(written));
        },
        [](const Error& error, KvWrites::Left left) {
            using enum KvWrites::Verdict;
            if (error == Errc::no_responders || left == KvWrites::Left::no) return refused;
            return error == Errc::timeout && left == KvWrites::Left::with_id ? unknown : final;
        },
        [](const Error&) {});
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a refused write is sent again until it is stored") {
    write("a", "1");
    refuse(0);
    CHECK(told.empty());
    clock.advance(1s);
    CHECK(sent == Texts{"1", "1"});
    refuse(1);
    clock.advance(1s);
    store(2);
    CHECK(told == Texts{"1"});
    write("a", "2");
    store(3);
    CHECK(told == Texts{"1", "2"});
}

TEST_CASE_METHOD(Fixture, "an error that does not pass is told at once") {
    write("a", "1");
    answer(0, std::unexpected{Error{Errc::timeout, "said the test"}});
    CHECK(told == Texts{"1 failed: said the test"});
    clock.advance(1min);
    CHECK(sent == Texts{"1"});
}

TEST_CASE_METHOD(Fixture, "a write that did not leave is sent again after an error that would end one that did") {
    write("a", "1");
    answer(0, std::unexpected{Error{Errc::timeout, "said the test"}}, KvWrites::Left::no);
    CHECK(told.empty());
    clock.advance(1s);
    store(1);
    CHECK(told == Texts{"1"});
}

TEST_CASE_METHOD(Fixture, "a write that is refused for longer than an election takes fails") {
    write("a", "1");
    for (std::size_t i = 0; i < sent.size() && told.empty(); ++i) {
        refuse(i);
        clock.advance(1s);
    }
    CHECK(told == Texts{"1 failed: said the test"});
}

TEST_CASE_METHOD(Fixture, "writes of one key keep their order when some are refused") {
    write("a", "1");
    write("b", "other");
    write("a", "2");
    refuse(0);
    write("a", "3");  // waits behind the first
    CHECK(sent == Texts{"1", "other", "2"});
    store(1);
    refuse(2);
    clock.advance(1s);
    CHECK(sent == Texts{"1", "other", "2", "1", "2", "3"});
    for (std::size_t i = 3; i < 6; ++i) store(i);
    CHECK(told == Texts{"other", "1", "2", "3"});
}

TEST_CASE_METHOD(Fixture, "a refused write is not stored over a later one of its key") {
    write("a", "1");
    write("a", "2");
    SECTION("refused before the later one is stored") {
        refuse(0);
        store(1);
    }
    SECTION("refused after it") {
        store(1);
        refuse(0);
    }
    clock.advance(1min);
    CHECK(sent == Texts{"1", "2"});
    CHECK(told.size() == 2);
    write("a", "3");
    CHECK(sent == Texts{"1", "2", "3"});
}

TEST_CASE_METHOD(Fixture, "a write with an id that nobody answered is sent again") {
    write({.key = "a", .body = "1", .id = "x"});
    write({.key = "a", .body = "2", .id = "y"});
    fail(0, Errc::timeout);
    write({.key = "a", .body = "3", .id = "z"});  // waits behind the first
    CHECK(told.empty());
    fail(1, Errc::timeout);
    clock.advance(1s);
    CHECK(sent == Texts{"1", "2", "1", "2", "3"});
    for (std::size_t i = 2; i < 5; ++i) store(i);
    CHECK(told == Texts{"1", "2", "3"});
}

TEST_CASE_METHOD(Fixture, "a write that nobody answered asks whether it was stored when a later one is") {
    write({.key = "a", .body = "1", .id = "x"});
    write({.key = "a", .body = "2", .id = "y"});
    const bool stored_later = GENERATE(true, false);
    if (!stored_later) store(1);
    fail(0, Errc::timeout);
    if (stored_later) store(1);
    clock.advance(1s);
    CHECK(sent == Texts{"1", "2", "1?"});
    fail(2, Errc::timeout);
    clock.advance(1s);
    CHECK(sent == Texts{"1", "2", "1?", "1?"});
    SECTION("it was") {
        store(3);
        CHECK(told == Texts{"2", "1"});
    }
    SECTION("it was not") {
        deny(3);
        CHECK(told == Texts{"2", "1 failed: said the test"});
    }
    write("a", "3");
    CHECK(sent.back() == "3");
}

TEST_CASE_METHOD(Fixture, "a write whose expectation is not met because of itself is stored") {
    write({.key = "a", .body = "1", .write = {.expected = 0}, .id = "x"});
    SECTION("after an attempt that nobody answered") {
        fail(0, Errc::timeout);
        clock.advance(1s);
        CHECK(sent == Texts{"1", "1"});
        fail(1, Errc::wrong_last_sequence);
        clock.advance(1s);
        CHECK(sent == Texts{"1", "1", "1?"});
        SECTION("it was stored") {
            store(2);
            CHECK(told == Texts{"1"});
        }
        SECTION("another one was") {
            deny(2);
            CHECK(told == Texts{"1 failed: said the test"});
        }
    }
    SECTION("but not without such an attempt") {
        fail(0, Errc::wrong_last_sequence);
        CHECK(told == Texts{"1 failed: said the test"});
    }
}

TEST_CASE("a write that waits to be sent again ends with the clock") {
    auto clock = std::make_unique<testing::VirtualClock>();
    std::vector<Errc> told;
    auto writes = std::make_shared<KvWrites>(
        *clock,
        [](const detail::KvOutgoing&, KvWrites::Answered done) {
            done(std::unexpected{Error{Errc::no_responders, "said the test"}}, KvWrites::Left::yes);
        },
        [](const Error&, KvWrites::Left) { return KvWrites::Verdict::refused; }, [](const Error&) {});
    int closed = 0;
    writes->write({.key = "a"}, [&](const Expected<std::uint64_t>& revision) {
        if (!revision && revision.error() == Errc::closed) ++closed;
    });
    CHECK(closed == 0);
    clock = nullptr;
    CHECK(closed == 1);
}
