// SPDX-License-Identifier: Apache-2.0
// What publishing into a stream allocates.
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "../../support/count_allocations.hpp"
#include "../../support/jetstream.hpp"

using namespace freshet;
using namespace std::chrono_literals;

TEST_CASE_METHOD(testing::JetStreamFixture,
                 "publishing without waiting for acknowledgements allocates nothing in the long run") {
    constexpr int count = 20'000;
    const auto js = started();
    js.declare({.name = "ALLOC", .subjects = {"alloc.>"}, .storage = js::Storage::memory});
    auto publisher = js.async_publisher({.max_pending = 64});
    const std::string body(100, 'b');  // longer than what a string holds in itself
    const auto run = [&] {
        for (int i = 0; i < count; ++i) publisher.publish("alloc.a.subject.of.some.length", body);
        publisher.flush(20s);
    };
    run();  // what is kept has been made
    const auto before = testing::allocations.load();
    run();
    CHECK(static_cast<double>(testing::allocations - before) / count < 0.02);
}
