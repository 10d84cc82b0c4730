// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

namespace freshet::testing {

/// Ends the process when a call does not come back: says the seed and the calls, and has gdb print every stack if there
/// is one. Thread-safe.
class Watchdog {
public:
    explicit Watchdog(std::uint64_t seed);

    /// A call, from here to the end of the scope; `what` is its name.
    class Call {
    public:
        Call(Watchdog& dog, const char* what) : dog_{dog}, number_{dog.begin(what)} {}
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;
        ~Call() { dog_.end(number_); }

    private:
        Watchdog& dog_;
        std::uint64_t number_;
    };

private:
    using Clock = std::chrono::steady_clock;
    struct Entry {
        const char* what;
        Clock::time_point since;
    };

    std::uint64_t begin(const char* what);
    void end(std::uint64_t number);
    void watch(const std::stop_token& stop);
    [[noreturn]] void bark(const Entry& overdue) const;

    const std::uint64_t seed_;
    std::mutex mutex_ = {};
    std::condition_variable_any changed_ = {};
    std::map<std::uint64_t, Entry> calls_ = {};
    std::uint64_t last_ = 0;
    std::jthread thread_;
};

}  // namespace freshet::testing
