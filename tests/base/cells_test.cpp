// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "base/cells.hpp"
#include "base/histogram.hpp"
#include "base/sampler.hpp"
#include "base/thread_number.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::detail;

namespace {

constexpr std::size_t additions = 10'000;

TimePoint at(std::chrono::nanoseconds time) { return TimePoint{} + 1h + time; }

}  // namespace

TEST_CASE("no addition of many threads is lost, also of more than have rows of their own") {
    Cells cells{3};
    const std::size_t count = 2 * ThreadNumber::limit;
    for (int round = 0; round < 2; ++round) {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < count; ++i) {
            threads.emplace_back([&] {
                for (std::size_t n = 0; n < additions; ++n) cells.add(2, 3);
            });
        }
    }
    CHECK(cells.sum(0) == 0);
    CHECK(cells.sum(2) == 2 * count * additions * 3);
}

TEST_CASE("threads that live have numbers of their own, and give them back") {
    std::vector<unsigned> numbers(8);
    for (int round = 0; round < 50; ++round) {
        std::vector<std::thread> threads;
        std::atomic<std::size_t> ready = 0;
        for (auto& number : numbers) {
            threads.emplace_back([&] {
                number = ThreadNumber::take();
                ++ready;
                while (ready < numbers.size()) std::this_thread::yield();
            });
        }
        for (auto& thread : threads) thread.join();
        const std::set<unsigned> different{numbers.begin(), numbers.end()};
        CHECK(different.size() == numbers.size());
        CHECK_FALSE(different.contains(ThreadNumber::none));
    }
}

TEST_CASE("every event is measured while fewer than 50,000 come in a second") {
    Sampler sampler;
    for (int i = 0; i < 1'000; ++i) {
        REQUIRE(sampler.due());
        CHECK(sampler.take(at(i * 21us)) == 1);
    }
}

TEST_CASE("of more events some are measured, which stand for all of them") {
    Sampler sampler;
    std::uint64_t measured = 0;
    std::uint64_t stands_for = 0;
    std::uint64_t last = 0;
    constexpr std::uint64_t events = 1'000'000;
    for (std::uint64_t i = 1; i <= events; ++i) {
        if (!sampler.due()) continue;
        ++measured;
        stands_for += sampler.take(at(i * 1us));
        last = i;
    }
    CHECK(stands_for == last);
    CHECK(measured > events / 30);
    CHECK(measured < events / 10);
    // After a burst, at most so many events are not measured.
    for (int i = 0; i < 48; ++i)
        if (sampler.due()) last = events + sampler.take(at(1h + i * 1s));
    CHECK(last > events);
    REQUIRE(sampler.due());
}

TEST_CASE("a clock that stands still leaves nothing out") {
    Sampler sampler;
    for (int i = 0; i < 100; ++i) {
        REQUIRE(sampler.due());
        CHECK(sampler.take(at(0s)) == 1);
    }
}

TEST_CASE("a histogram counts values up to each bound, and those above all") {
    const Measuring measuring{.duration_bounds = {0.001, 0.5}, .size_bounds = {16, 64}};
    Histogram durations{measuring, {.what = ValueSeries::What::handling}};
    durations.take(1ms, 1);
    durations.take(2ms, 10);
    durations.take(-1ms, 1);
    durations.take(1s, 2);
    const auto stats = durations.stats();
    CHECK(stats.bounds == std::vector{0.001, 0.5});
    CHECK(stats.counts == std::vector<std::uint64_t>{2, 10, 2});
    CHECK(stats.count() == 14);
    CHECK(stats.sum > 2.0209);
    CHECK(stats.sum < 2.0211);

    Histogram sizes{measuring, {.what = ValueSeries::What::size}};
    for (const std::size_t size : {0, 16, 17, 64, 65}) sizes.take_number(size, 1);
    CHECK(sizes.stats().counts == std::vector<std::uint64_t>{2, 2, 1});
    CHECK(sizes.stats().sum == 162);
}

TEST_CASE("who hears of each value hears of every one") {
    struct Heard final : ValueRecorder {
        explicit Heard(std::vector<double>& to) : values{to} {}
        void record(double value) noexcept override { values.push_back(value); }
        std::vector<double>& values;
    };
    std::vector<double> heard;
    const Measuring measuring{.duration_bounds = {1}, .size_bounds = {1}, .recorder = [&](const ValueSeries& series) {
                                  CHECK(series.subject == "orders.*");
                                  return std::make_unique<Heard>(heard);
                              }};
    Histogram sizes{measuring, {.what = ValueSeries::What::size, .subject = "orders.*"}};
    Sampler sampler;
    for (std::size_t i = 0; i < 100; ++i) {
        REQUIRE(sizes.wants(&sampler));
        CHECK(sizes.weight(&sampler, at(1ns)) == 1);
        sizes.take_number(i, 1);
    }
    CHECK(heard.size() == 100);
    CHECK(heard.back() == 99);
}
