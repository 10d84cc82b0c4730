// SPDX-License-Identifier: Apache-2.0
// Workers that are killed when a result is confirmed and its input is not acknowledged yet.
#include <chrono>
#include <csignal>
#include <map>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/process.hpp"
#include "../../support/pull_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::Process;
using freshet::testing::PullFixture;

TEST_CASE_METHOD(PullFixture, "a worker that is killed between a result and its acknowledgement stores each once") {
    constexpr std::uint64_t count = 200;
    const std::string mode = GENERATE("each", "batch");
    const bool atomic = GENERATE(false, true);
    CAPTURE(mode, atomic);
    const auto js = other.jetstream();
    js.declare({.name = "VALID", .subjects = {"valid.>"}, .allow_direct = true, .allow_atomic = atomic});
    consumer().declare({.filter_subjects = {"orders.*"}, .ack_wait = 1s});
    for (std::uint64_t i = 1; i <= count; ++i) publish(std::to_string(i), "orders." + std::to_string(i));
    const auto stored = [&] { return js.stream("VALID").info().state.messages; };
    for (const auto* const acknowledgement : {"1", "2", "15", "40"}) {
        Process worker{{FRESHET_CRASH_WORKER, server.url(), mode, acknowledgement}};
        REQUIRE(worker.wait() == 128 + SIGKILL);
        const auto info = consumer().info();
        CHECK(stored() + info.pending + info.ack_pending > count);  // a result is stored, and its input is still there
    }
    Process worker{{FRESHET_CRASH_WORKER, server.url(), mode, "0"}};
    CHECK(all_settled());
    CHECK(worker.terminate() == 0);
    CHECK(stored() == count);
    std::map<std::string, int> results;
    for (const auto& result : js.stream("VALID").messages())
        ++results[std::string{result.subject()} + '=' + std::string{result.text()}];
    for (std::uint64_t i = 1; i <= count; ++i) {
        const auto id = std::to_string(i);
        CHECK(results["valid." + id + '=' + id] == 1);
    }
}
