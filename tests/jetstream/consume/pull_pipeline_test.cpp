// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/testing/virtual_clock.hpp>

#include "jetstream/consume/pull_pipeline.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::detail;
using freshet::testing::VirtualClock;

namespace {

/// A pipeline and the server's side of it.
struct Pull {
    explicit Pull(PullLimits limits) : pipeline{limits, clock.now()} {}

    /// The batch of the request that is sent now; 0: none is.
    std::size_t ask() {
        const auto request = pipeline.next(clock.now());
        if (!request) return 0;
        last = *request;
        return request->batch;
    }
    void receive(std::size_t count = 1, bool more = true, std::size_t bytes = 100) {
        for (std::size_t i = 0; i < count; ++i) pipeline.received(bytes, more, clock.now());
        in_hand += count;
    }
    void handle(std::size_t count = 1, std::chrono::nanoseconds held = 1ms, std::size_t bytes = 100) {
        for (std::size_t i = 0; i < count; ++i) pipeline.handled({1, bytes, clock.now() - held}, clock.now());
        in_hand -= count;
    }
    DeliveryVerdict status(int code, std::string text, std::optional<std::size_t> pending = {}) {
        return pipeline.status({last.number, code, text, pending}, clock.now());
    }

    VirtualClock clock = {};
    PullPipeline pipeline;
    PullRequest last = {};
    std::size_t in_hand = 0;  // received and not handled
};

PullLimits fixed(std::size_t window) { return {.min_window = window, .max_window = window}; }

}  // namespace

TEST_CASE("the window is asked for at once, and not twice") {
    Pull pull{fixed(10)};
    CHECK(pull.ask() == 10);
    CHECK(pull.last.expires == 30s);
    CHECK(pull.last.heartbeat == 5s);
    CHECK(pull.last.max_bytes == std::size_t{8} << 20U);
    CHECK(pull.ask() == 0);
}

TEST_CASE("more is asked for when half of the window is left, so that it does not run dry") {
    Pull pull{fixed(10)};
    pull.ask();
    pull.receive(10);
    pull.handle(4);
    CHECK(pull.ask() == 0);
    pull.handle(1);
    CHECK(pull.ask() == 5);
    CHECK(pull.in_hand == 5);
}

TEST_CASE("what is in hand and what is asked for never exceed the window") {
    Pull pull{fixed(7)};
    for (int round = 0; round < 100; ++round) {
        pull.ask();
        CHECK(pull.in_hand + pull.pipeline.asked() <= 7);
        if (round % 3 != 0 && pull.pipeline.asked() > 0) pull.receive();
        if (round % 2 != 0 && pull.in_hand > 0) pull.handle();
    }
}

TEST_CASE("messages that await confirmations make room for one more window") {
    Pull pull{fixed(4)};
    const auto awaits = [&](std::ptrdiff_t change) {
        pull.pipeline.handled({.awaiting = change, .awaiting_bytes = change * 100}, pull.clock.now());
    };
    CHECK(pull.ask() == 4);
    pull.receive(4);
    CHECK(pull.ask() == 0);
    awaits(4);
    CHECK(pull.ask() == 4);
    pull.receive(4);
    awaits(4);
    CHECK(pull.ask() == 0);  // eight are in hand
    pull.pipeline.handled({.count = 2, .bytes = 200, .awaiting = -2, .awaiting_bytes = -200}, pull.clock.now());
    CHECK(pull.ask() == 2);
    pull.receive(2);
    pull.pipeline.handled({.count = 6, .bytes = 600, .awaiting = -6, .awaiting_bytes = -600}, pull.clock.now());
    CHECK(pull.ask() == 2);  // two are with the handler
}

TEST_CASE("the bytes of messages that await confirmations are bounded, too") {
    Pull pull{{.min_window = 100, .max_window = 100, .max_bytes = 1'000}};
    pull.ask();
    CHECK(pull.last.max_bytes == 500);
    pull.receive(5);
    pull.status(409, "Batch Completed", 95);
    pull.pipeline.handled({.awaiting = 5, .awaiting_bytes = 500}, pull.clock.now());
    CHECK(pull.ask() > 0);
    CHECK(pull.last.max_bytes == 500);
    for (int i = 0; i < 20; ++i) {  // whatever comes, no more than the window once more is asked for
        pull.receive(5);
        pull.status(409, "Batch Completed", 90);
        pull.pipeline.handled({.awaiting = 5, .awaiting_bytes = 500}, pull.clock.now());
        pull.clock.advance(1s);
        if (pull.ask() == 0) break;
    }
    CHECK(pull.in_hand == 20);  // twice 1,000 bytes
}

TEST_CASE("a window of one goes message by message") {
    Pull pull{fixed(1)};
    CHECK(pull.ask() == 1);
    pull.receive();
    CHECK(pull.ask() == 0);
    pull.handle();
    CHECK(pull.ask() == 1);
}

TEST_CASE("a request that ended early is made good") {
    const auto [code, text] =
        GENERATE(std::pair{408, "Request Timeout"}, std::pair{408, "Interest Expired"}, std::pair{404, "No Messages"},
                 std::pair{409, "Message Size Exceeds MaxBytes"}, std::pair{409, "Batch Completed"});
    CAPTURE(code, text);
    Pull pull{fixed(10)};
    pull.ask();
    pull.receive(3);
    CHECK(pull.status(code, text, 7) == DeliveryVerdict::go_on);
    CHECK(pull.pipeline.asked() == 0);
    CHECK(pull.ask() == 7);
}

TEST_CASE("a status that does not say what was left ends its request as a whole") {
    Pull pull{fixed(10)};
    pull.ask();
    pull.receive(2);
    pull.handle(2);
    CHECK(pull.status(404, "No Messages") == DeliveryVerdict::go_on);
    CHECK(pull.ask() == 10);
}

TEST_CASE("of two requests, a status ends the one it names") {
    Pull pull{fixed(10)};
    pull.ask();
    const auto first = pull.last.number;
    pull.receive(6);
    pull.handle(6);
    CHECK(pull.ask() == 6);
    CHECK(pull.pipeline.asked() == 10);
    pull.pipeline.status({first, 408, "Request Timeout", 4}, pull.clock.now());
    CHECK(pull.pipeline.asked() == 6);
    pull.pipeline.status({first, 408, "Request Timeout", 4}, pull.clock.now());
    CHECK(pull.pipeline.asked() == 6);
}

TEST_CASE("a heartbeat is a sign of life, and its absence is noticed after two") {
    Pull pull{fixed(4)};
    pull.ask();
    pull.clock.advance(9s);
    CHECK_FALSE(pull.pipeline.overdue(pull.clock.now()));
    CHECK(pull.status(100, "Idle Heartbeat") == DeliveryVerdict::go_on);
    pull.clock.advance(9s);
    CHECK_FALSE(pull.pipeline.overdue(pull.clock.now()));
    CHECK(pull.pipeline.deadline() == pull.clock.now() + 1s);
    pull.clock.advance(1s);
    CHECK(pull.pipeline.overdue(pull.clock.now()));
    pull.pipeline.reset({}, pull.clock.now());
    CHECK_FALSE(pull.pipeline.overdue(pull.clock.now()));
    CHECK(pull.ask() == 4);
}

TEST_CASE("silence is no wonder when nothing was asked for") {
    Pull pull{fixed(4)};
    pull.ask();
    pull.receive(4);
    pull.clock.advance(1h);
    CHECK_FALSE(pull.pipeline.overdue(pull.clock.now()));
    CHECK_FALSE(pull.pipeline.deadline());
    pull.handle(4);
    CHECK(pull.ask() == 4);
    CHECK_FALSE(pull.pipeline.overdue(pull.clock.now()));
}

TEST_CASE("while the server is gone nothing is asked for; afterwards everything is") {
    Pull pull{fixed(4)};
    pull.ask();
    pull.receive(1);
    pull.pipeline.disconnected();
    pull.clock.advance(1h);
    CHECK(pull.ask() == 0);
    CHECK_FALSE(pull.pipeline.overdue(pull.clock.now()));
    CHECK_FALSE(pull.pipeline.deadline());
    pull.pipeline.reset({}, pull.clock.now());
    CHECK(pull.ask() == 3);
}

TEST_CASE("after a change of leaders it asks again, a little later") {
    for (const std::string text : {"Leadership Change", "Server Shutdown"}) {
        Pull pull{fixed(4)};
        pull.ask();
        CHECK(pull.status(409, text) == DeliveryVerdict::go_on);
        CHECK(pull.ask() == 0);
        REQUIRE(pull.pipeline.deadline());
        pull.clock.advance_to(*pull.pipeline.deadline());
        CHECK(pull.ask() == 4);
    }
}

TEST_CASE("a consumer that is gone is reported") {
    Pull pull{fixed(4)};
    pull.ask();
    CHECK(pull.status(409, "Consumer Deleted") == DeliveryVerdict::lost);
    pull.pipeline.reset({}, pull.clock.now());
    pull.clock.advance(1s);
    pull.ask();
    CHECK(pull.status(503, "No Responders Available For Request") == DeliveryVerdict::lost);
    CHECK(pull.ask() == 0);
}

TEST_CASE("what will never work is reported") {
    const auto [code, text] =
        GENERATE(std::pair{409, "Consumer is push based"}, std::pair{400, "Bad Request - heartbeat value too large"},
                 std::pair{412, "Required Api Level"});
    Pull pull{fixed(4)};
    pull.ask();
    CHECK(pull.status(code, text) == DeliveryVerdict::refused);
}

TEST_CASE("losing the pin ends a request, and more is asked for") {
    Pull pull{fixed(4)};
    pull.ask();
    CHECK(pull.status(423, "Nats-Wrong-Pin-Id", 4) == DeliveryVerdict::go_on);
    CHECK(pull.ask() == 4);
}

TEST_CASE("it keeps to the limits that a consumer sets to requests") {
    Pull pull{fixed(100)};
    CHECK(pull.ask() == 100);
    CHECK(pull.status(409, "Exceeded MaxRequestBatch of 10") == DeliveryVerdict::warn);
    CHECK(pull.ask() == 10);
    CHECK(pull.status(409, "Exceeded MaxRequestMaxBytes of 4096") == DeliveryVerdict::warn);
    CHECK(pull.ask() == 10);
    CHECK(pull.last.max_bytes == 4096);
    CHECK(pull.status(409, "Exceeded MaxRequestExpires of 8s") == DeliveryVerdict::warn);
    pull.ask();
    CHECK(pull.last.expires == 15s);
    CHECK(pull.status(409, "Exceeded MaxRequestExpires of 8s") == DeliveryVerdict::warn);
    pull.ask();
    CHECK(pull.last.expires == 7500ms);
    CHECK(pull.last.heartbeat == 3750ms);
}

TEST_CASE("it waits before it asks a consumer that has too many requests") {
    Pull pull{fixed(4)};
    pull.ask();
    CHECK(pull.status(409, "Exceeded MaxWaiting") == DeliveryVerdict::warn);
    CHECK(pull.ask() == 0);
    pull.clock.advance(1s);
    CHECK(pull.ask() == 4);
}

TEST_CASE("bytes are limited, too, but not below one message") {
    Pull pull{{.min_window = 100, .max_window = 100, .max_bytes = 1'000}};
    pull.ask();
    CHECK(pull.last.max_bytes == 500);  // the other half may be asked for before this one has come
    pull.receive(1, true, 400);
    CHECK(pull.status(409, "Message Size Exceeds MaxBytes", 99) == DeliveryVerdict::go_on);
    CHECK(pull.ask() == 99);
    CHECK(pull.last.max_bytes == 600);  // all there is
    CHECK(pull.status(409, "Message Size Exceeds MaxBytes", 99) == DeliveryVerdict::go_on);
    CHECK(pull.ask() == 0);
    CHECK_FALSE(pull.pipeline.deadline());  // not before something is handled
    pull.handle(1, 1ms, 400);
    CHECK(pull.ask() == 100);
    CHECK(pull.last.max_bytes == 1'000);
    CHECK(pull.status(409, "Message Size Exceeds MaxBytes", 100) == DeliveryVerdict::go_on);
    CHECK(pull.ask() == 1);
    CHECK(pull.last.max_bytes == 0);
}

TEST_CASE("a second request is sent while the first one is still served") {
    Pull pull{{.min_window = 10, .max_window = 10, .max_bytes = 10'000}};
    CHECK(pull.ask() == 10);
    pull.receive(6);
    pull.handle(6);
    CHECK(pull.ask() == 6);
    CHECK(pull.last.max_bytes == 5'000);
}

TEST_CASE("requests that end without a message are paced, whoever says that they end") {
    const auto [code, text] =
        GENERATE(std::pair{404, "No Messages"}, std::pair{408, "Request Timeout"}, std::pair{409, "Batch Completed"},
                 std::pair{409, "Exceeded MaxRequestBatch of 1"}, std::pair{423, "Nats-Wrong-Pin-Id"},
                 std::pair{409, "Exceeded MaxRequestExpires of 1ms"});
    CAPTURE(code, text);
    Pull pull{fixed(4)};
    std::size_t asked = 0;
    for (const auto end = pull.clock.now() + 2s; pull.clock.now() < end; pull.clock.advance(1ms)) {
        if (pull.ask() == 0) continue;
        ++asked;
        pull.status(code, text);
    }
    CHECK(asked < 30);
    CHECK(asked > 10);
    pull.clock.advance(1s);
    CHECK(pull.ask() > 0);
    pull.receive();
    pull.handle();
    pull.status(408, "Request Timeout");
    CHECK(pull.ask() > 0);  // a message came: at once
}

TEST_CASE("no status raises what may be asked for, and what it lowers comes back") {
    Pull pull{{.min_window = 10, .max_window = 10, .max_bytes = 1'000}};
    pull.ask();
    for (const std::string text : {"Exceeded MaxRequestBatch of 1000000", "Exceeded MaxRequestMaxBytes of 1000000"}) {
        pull.status(409, text);
        CHECK(pull.ask() == 10);
        CHECK(pull.last.max_bytes == 500);
    }
    pull.status(409, "Exceeded MaxRequestBatch of 1");
    CHECK(pull.ask() == 1);
    pull.receive(1);
    pull.clock.advance(2min);
    CHECK(pull.ask() == 9);
}

TEST_CASE("it begins with what the consumer allows") {
    Pull pull{fixed(100)};
    pull.pipeline.reset({.batch = 10, .bytes = 4'096, .expires = 2s}, pull.clock.now());
    CHECK(pull.ask() == 10);
    CHECK(pull.last.max_bytes == 4'096);
    CHECK(pull.last.expires == 2s);
    CHECK(pull.last.heartbeat == 1s);
    pull.pipeline.reset({}, pull.clock.now());
    CHECK(pull.ask() == 100);
    CHECK(pull.last.expires == 30s);
}

TEST_CASE("the window grows while messages wait at the server and are handled fast, and shrinks when they wait here") {
    Pull pull{{.min_window = 2, .max_window = 16}};
    for (int round = 0; round < 20; ++round) {
        pull.ask();
        pull.receive(pull.pipeline.asked());
        pull.handle(pull.in_hand);
    }
    CHECK(pull.pipeline.window() == 16);
    for (int round = 0; round < 20; ++round) {
        pull.ask();
        pull.receive(pull.pipeline.asked());
        pull.handle(pull.in_hand, 2s);
    }
    CHECK(pull.pipeline.window() == 2);
}

TEST_CASE("the window does not grow to where it would hold too many bytes") {
    Pull pull{{.min_window = 2, .max_window = 1'024, .max_bytes = 8'000}};
    for (int round = 0; round < 20; ++round) {
        pull.ask();
        pull.receive(pull.pipeline.asked(), true, 1'000);
        pull.handle(pull.in_hand, 1ms, 1'000);
    }
    CHECK(pull.pipeline.window() == 8);
}

TEST_CASE("the window stays small while nothing waits at the server") {
    Pull pull{{.min_window = 2, .max_window = 16}};
    for (int round = 0; round < 50; ++round) {
        pull.ask();
        pull.receive(1, false);
        pull.handle(1);
    }
    CHECK(pull.pipeline.window() == 2);
}

TEST_CASE("once stopped it asks for nothing") {
    Pull pull{fixed(4)};
    pull.pipeline.stop();
    CHECK(pull.ask() == 0);
    CHECK_FALSE(pull.pipeline.deadline());
}
