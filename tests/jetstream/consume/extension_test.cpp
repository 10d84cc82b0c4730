// SPDX-License-Identifier: Apache-2.0
// Handlers that take long or hang, and starts that say nothing of messages that fail.
#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::deliveries;
using freshet::testing::eventually;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

namespace {

js::Pull pull() {
    return {.stream = "ORDERS",
            .durable = "worker",
            .consumer = {.ack_wait = 1s},
            .workers = 2,
            .retry = {.max_attempts = 3},
            .max_extension = 2s};
}

constexpr std::string_view advice = "a message whose handler fails comes again for ever";

}  // namespace

TEST_CASE_METHOD(PullFixture, "a message comes again when its handler hangs") {
    Seen seen;
    std::latch release{1};
    broker.subscriber<"orders.*">(pull()).handle([&](const Message& message) {
        seen.add(deliveries(message));
        if (message.metadata()->deliveries == 1) release.wait();
    });
    broker.start();
    publish("A");
    CHECK(seen.wait_for(2));
    release.count_down();
    CHECK(log.wait_for("does a handler hang?").starts_with("warning"));
    CHECK(all_settled());
}

TEST_CASE_METHOD(PullFixture, "a handler that says that it is at work keeps its message") {
    Seen seen;
    broker.subscriber<"orders.*">(pull()).handle([&](const Message& message, Context& context) {
        seen.add(deliveries(message));
        for (int i = 0; i < 10; ++i) {  // in all longer than max_extension and ack_wait
            std::this_thread::sleep_for(400ms);
            context.in_progress();
        }
    });
    broker.start();
    publish("A");
    CHECK(eventually([&] { return seen.count() > 0; }));
    CHECK(all_settled());
    CHECK(seen.all() == std::vector<std::string>{"1"});
}

TEST_CASE_METHOD(PullFixture, "a start without a limit of attempts and without a dead letter is warned of") {
    auto options = pull();
    options.retry = {};
    bool quiet = true;
    SECTION("nothing is said") { quiet = false; }
    SECTION("a limit") { options.retry.max_attempts = 3; }
    SECTION("a dead letter") { options.retry.dead_letter = "dead"; }
    SECTION("a policy, on purpose") { options.ack_policy = AckPolicy::nack_on_error; }
    SECTION("no acknowledgements") { options.consumer = {.acks = js::Acks::none}; }
    broker.subscriber<"orders.*">(options).handle([](const Message&) {});
    broker.start();
    CHECK(log.find(advice).empty() == quiet);
}
