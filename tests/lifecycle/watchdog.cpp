// SPDX-License-Identifier: Apache-2.0
#include "watchdog.hpp"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

namespace freshet::testing {
namespace {

using namespace std::chrono_literals;

// In real time. No call here has a deadline of more than a few seconds; a machine under load is slow.
constexpr auto longest_call = 90s;

void print_stacks() {
    const auto command =
        fmt::format("command -v gdb >/dev/null && gdb -p {} -batch -ex 'thread apply all bt 60' 1>&2 2>/dev/null",
                    ::getpid());
    if (std::system(command.c_str()) != 0) std::fprintf(stderr, "lifecycle: no stacks, since gdb cannot print them\n");
}

}  // namespace

Watchdog::Watchdog(std::uint64_t seed) : seed_{seed}, thread_{[this](const std::stop_token& stop) { watch(stop); }} {}

std::uint64_t Watchdog::begin(const char* what) {
    const std::lock_guard lock{mutex_};
    calls_.emplace(++last_, Entry{what, Clock::now()});
    return last_;
}

void Watchdog::end(std::uint64_t number) {
    const std::lock_guard lock{mutex_};
    calls_.erase(number);
}

void Watchdog::watch(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (!changed_.wait_for(lock, stop, 500ms, [&] { return stop.stop_requested(); })) {
        for (const auto& [number, call] : calls_)
            if (Clock::now() - call.since >= longest_call) bark(call);
    }
}

void Watchdog::bark(const Entry& overdue) const {
    std::fprintf(stderr,
                 "lifecycle: seed %llu: %s did not come back; under way:", static_cast<unsigned long long>(seed_),
                 overdue.what);
    for (const auto& [number, call] : calls_) std::fprintf(stderr, " %s;", call.what);
    std::fprintf(stderr, "\n");
    print_stacks();
    std::abort();
}

}  // namespace freshet::testing
