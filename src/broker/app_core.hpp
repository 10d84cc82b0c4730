// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/detail/hook.hpp>

namespace freshet::detail {

/// The objects of lifespans. Destroys the latest first.
class Lifespans {
public:
    Lifespans() = default;
    Lifespans(Lifespans&&) noexcept = default;
    Lifespans& operator=(Lifespans&&) = delete;
    ~Lifespans() {
        while (!objects_.empty()) objects_.pop_back();
    }
    void add(std::shared_ptr<void> object) { objects_.push_back(std::move(object)); }

private:
    std::vector<std::shared_ptr<void>> objects_ = {};
};

/// Runs an App: calls hooks and starts brokers in their order, and undoes it in reverse.
class AppCore {
public:
    explicit AppCore(std::vector<Broker*> brokers);
    AppCore(const AppCore&) = delete;
    AppCore& operator=(const AppCore&) = delete;
    ~AppCore();

    void add(HookTime when, std::unique_ptr<Hook> hook);
    const std::vector<Broker*>& brokers() const noexcept { return brokers_; }
    Logger& logger() const noexcept { return brokers_.front()->logger(); }

    /// Starts everything, blocks until the end, and undoes it. Returns the exit code. Logs why the program could not
    /// start.
    int run();
    /// Asks run() to end with `code`; the first call counts. Call it from any thread; does not block.
    void exit(int code) noexcept;

    // The parts of run(), for tests.

    /// Runs the hooks and starts the brokers with `start_broker`; returns when all run. Throws the error that keeps the
    /// program from starting.
    void start(const std::function<void(Broker&)>& start_broker);
    /// Undoes what start() did.
    void shut_down() noexcept;
    /// Returns the exit code that exit() or ExitApp asked for, or nothing.
    std::optional<int> asked_code() const;
    /// Returns the exit code of run(). Call it after shut_down().
    int exit_code() const;

private:
    /// A broker that start() has begun to start, in a thread of its own if the program can do without it.
    struct Start {
        Broker* broker;
        bool done = false;     // start_broker has returned or thrown
        bool running = false;  // it has returned
        bool left = false;     // the program went on without it
        std::exception_ptr failed = {};
        std::jthread thread = {};
    };

    using Ends = std::vector<std::unique_ptr<std::stop_callback<std::function<void()>>>>;

    /// Has the end of any broker end the program, as long as the result lives.
    Ends watch_ends();
    bool stop_wanted() const;
    void wait();
    void start_one(Start& start, const std::function<void(Broker&)>& start_broker);
    /// Starts a broker that the program can do without. Returns when it runs, or when its start_timeout is over.
    void start_beside(Start& start, const std::function<void(Broker&)>& start_broker);
    static void report_late_failure(Broker& broker, const std::exception_ptr& failed) noexcept;
    void finish_starts() noexcept;
    void stop_brokers() noexcept;
    void end_lifespans() noexcept;
    void run_hooks(HookTime when);
    void run_hooks_noexcept(HookTime when) noexcept;
    void run_hook(Hook& hook, HookTime when);
    /// Has run() go on to its end, and ends a start in progress. Called after a signal, an exit, or the end of a
    /// broker.
    void request_stop() noexcept;

    std::vector<Broker*> brokers_;
    std::array<std::vector<std::unique_ptr<Hook>>, 5> hooks_ = {};
    Lifespans lifespans_ = {};
    std::deque<Start> starts_ = {};
    bool started_ = false;  // start() has come to the end of the brokers
    bool clean_ = true;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    bool stop_wanted_ = false;
    std::optional<int> code_ = {};
};

}  // namespace freshet::detail
