// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>

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

}  // namespace

Arguments parse(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto equals = word.find('=');
        const auto name = word.substr(0, equals);
        const auto value = equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1);
        if (name == "url") arguments.url = value;
        else if (name == "lane") arguments.lane = value;
        else if (name == "size") arguments.size = number<std::size_t>(value);
        else if (name == "count") arguments.count = number<long>(value);
        else if (name == "outstanding") arguments.outstanding = number<int>(value);
        else if (name == "subscribers") arguments.subscribers = number<int>(value);
        else {
            std::fprintf(stderr, "unknown word: %s\n", argv[i]);
            std::exit(2);
        }
    }
    return arguments;
}

std::string body_of(const Arguments& arguments) {
    return arguments.lane == "bytes" ? std::string(arguments.size, 'x') : std::string{order_json};
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
        std::printf(R"(, "p50_us": %.1f, "p99_us": %.1f)", percentile_us(latencies, 0.5),
                    percentile_us(latencies, 0.99));
    }
    std::puts("}");
    std::fflush(stdout);
}

}  // namespace bench
