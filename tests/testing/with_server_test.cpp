// SPDX-License-Identifier: Apache-2.0
// What a TestBroker with a real server waits for.
#include <chrono>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../support/types.hpp"

using namespace freshet;

TEST_CASE("a watch does not get what is published, whatever its pattern over names") {
    Broker broker;
    broker.subscriber(kv::Watch{.bucket = "flags"}).handle([](const kv::Entry<Sum>&) {});
    broker.subscriber<">">(obj::Watch{.bucket = "files"}).handle([](const obj::Info&) {});
    broker.subscriber<"add">().handle([](const Add& add) -> Sum { return {add.a + add.b}; });
    // Longer than a test may take: a call that waited for a watch would be seen.
    testing::TestBroker test{broker, testing::with_server, {.patience = std::chrono::hours{1}}};
    CHECK(test.request<Sum>("add", Add{1, 2}).value == 3);
    CHECK(test.publish("add", Add{1, 2}) == Outcome::ack);
}
