// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/prctl.h>
#include <sys/resource.h>

#include "order.hpp"

namespace bench {
namespace {

template <class Number>
Number number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    std::fprintf(stderr, "not a number: %.*s\n", static_cast<int>(text.size()), text.data());
    std::exit(2);
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A number of /proc/self/status.
long status_of(std::string_view name) {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(name)) return std::strtol(line.c_str() + name.size(), nullptr, 10);
    }
    return 0;
}

double percentile_us(const std::vector<std::chrono::nanoseconds>& sorted, double fraction) {
    const auto last = static_cast<double>(sorted.size() - 1);
    return static_cast<double>(sorted[static_cast<std::size_t>(fraction * last)].count()) / 1e3;
}

/// False for a word that there is not.
bool set(Arguments& arguments, std::string_view name, std::string_view value) {
    constexpr std::array<std::pair<std::string_view, std::string Arguments::*>, 4> texts{
        {{"url", &Arguments::url},
         {"lane", &Arguments::lane},
         {"dispatch", &Arguments::dispatch},
         {"envelope", &Arguments::envelope}}};
    constexpr std::array<std::pair<std::string_view, int Arguments::*>, 8> numbers{
        {{"outstanding", &Arguments::outstanding},
         {"subscribers", &Arguments::subscribers},
         {"subjects", &Arguments::subjects},
         {"brokers", &Arguments::brokers},
         {"batch", &Arguments::batch},
         {"headers", &Arguments::headers},
         {"confirm", &Arguments::confirm},
         {"metrics", &Arguments::metrics}}};
    for (const auto& [word, member] : texts)
        if (word == name) return arguments.*member = value, true;
    for (const auto& [word, member] : numbers)
        if (word == name) return arguments.*member = number<int>(value), true;
    if (name == "size") return arguments.size = number<std::size_t>(value), true;
    if (name == "buffer") return arguments.buffer = number<std::size_t>(value), true;
    if (name == "count") return arguments.count = number<long>(value), true;
    if (name == "rate") return arguments.rate = number<long>(value), true;
    return false;
}

}  // namespace

Arguments parse(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto equals = std::min(word.find('='), word.size());
        if (!set(arguments, word.substr(0, equals), word.substr(std::min(equals + 1, word.size())))) {
            std::fprintf(stderr, "unknown word: %s\n", argv[i]);
            std::exit(2);
        }
    }
    return arguments;
}

std::string body_of(const Arguments& arguments) {
    const bool json = arguments.lane == "order" || arguments.lane == "glaze" || arguments.lane == "nlohmann";
    return json ? std::string{order_json} : std::string(arguments.size, 'x');
}

std::vector<std::string> subjects_of(const Arguments& arguments) {
    if (arguments.subjects == 1) return {"bench.x"};
    std::vector<std::string> subjects;
    for (int i = 0; i < arguments.subjects; ++i) subjects.push_back("bench.x." + std::to_string(i));
    return subjects;
}

void say_ready() {
    std::puts("ready");
    std::fflush(stdout);
}

Measurement::Measurement() : begin_{std::chrono::steady_clock::now()}, cpu_begin_{cpu_seconds()} {}

void Measurement::report(long messages, std::vector<std::chrono::nanoseconds> latencies) {
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin_;
    std::printf(R"({"messages": %ld, "seconds": %.6f, "cpu_seconds": %.6f, "rss_mb": %.1f, "threads": %ld)", messages,
                time.count(), cpu_seconds() - cpu_begin_, static_cast<double>(status_of("VmRSS:")) / 1024,
                status_of("Threads:"));
    if (!latencies.empty()) {
        std::ranges::sort(latencies);
        std::printf(R"(, "p50_us": %.1f, "p99_us": %.1f, "p999_us": %.1f)", percentile_us(latencies, 0.5),
                    percentile_us(latencies, 0.99), percentile_us(latencies, 0.999));
    }
    std::puts("}");
    std::fflush(stdout);
}

Pacer::Pacer(long rate)
    : interval_{rate == 0 ? 0 : 1'000'000'000 / rate}, due_{std::chrono::steady_clock::now() + interval_} {
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // else each sleep is 50 us longer
}

std::chrono::steady_clock::time_point Pacer::next() {
    if (interval_.count() == 0) return std::chrono::steady_clock::now();
    const auto due = std::exchange(due_, due_ + interval_);
    if (std::chrono::steady_clock::now() < due) std::this_thread::sleep_until(due);
    return due;
}

void write_due(std::string& body, std::chrono::steady_clock::time_point due) {
    const auto ticks = due.time_since_epoch().count();
    body.resize(std::max(body.size(), sizeof ticks));
    std::memcpy(body.data(), &ticks, sizeof ticks);
}

std::chrono::nanoseconds since_due(std::string_view body) {
    std::chrono::steady_clock::rep ticks = 0;
    std::memcpy(&ticks, body.data(), std::min(body.size(), sizeof ticks));
    return std::chrono::steady_clock::now().time_since_epoch() - std::chrono::steady_clock::duration{ticks};
}

}  // namespace bench
