// SPDX-License-Identifier: Apache-2.0
// A consumer is lost while the process can make no thread to look for it.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../support/log_lines.hpp"
#include "../../support/no_threads.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::LogLines;
using freshet::testing::NoThreads;
using freshet::testing::Seen;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};

struct Fixture {
    LogLines log = {};
    Seen seen = {};
    Broker broker{{.logger = log.logger()}};

    /// Loses the connection or the consumer.
    static void lose(testing::TestBroker& test, std::string_view what) {
        if (what == "connection") test.restore_connection();
        else test.client().jetstream().consumer("ORDERS", "worker").remove();
        test.run();
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a consumer that cannot be looked for, since there are no threads, is found later") {
    const std::string_view lost = GENERATE("connection", "consumer");
    CAPTURE(lost);
    broker.subscriber<"orders.*">(js::Pull{.stream = orders, .durable = "worker"}).handle([&](std::string_view body) {
        seen.add(std::string{body});
    });
    testing::TestBroker test{broker};
    const auto js = test.client().jetstream();
    js.publish("orders.eu", "A");
    test.run();
    if (lost == "connection") test.lose_connection();
    {
        const NoThreads none;
        lose(test, lost);
    }
    CHECK_THAT(log.wait_for("cannot make the thread"), ContainsSubstring("tries again"));
    js.publish("orders.eu", "B");
    test.advance(10s);
    CHECK(seen.all() == std::vector<std::string>{"A", "B"});
    const auto info = js.consumer("ORDERS", "worker").info();
    CHECK(info.ack_pending + info.pending == 0);
}

TEST_CASE_METHOD(Fixture, "a subscriber stops while its consumer cannot be looked for, since there are no threads") {
    auto subscriber = broker.subscriber<"orders.*">(js::Pull{.stream = orders, .durable = "worker"})
                          .handle([&](std::string_view body) { seen.add(std::string{body}); });
    testing::TestBroker test{broker};
    {
        const NoThreads none;
        lose(test, "consumer");
        CHECK_THAT(log.wait_for("cannot make the thread"), ContainsSubstring("tries again"));
        subscriber.stop();
    }
    test.advance(10s);
    CHECK(broker.stats().subscribers == 0);
}
