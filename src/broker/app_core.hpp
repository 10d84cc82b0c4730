// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
    void wait();
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
    std::size_t started_ = 0;  // the number of brokers that were started
    bool clean_ = true;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    bool stop_wanted_ = false;
    Broker* starting_ = nullptr;  // the broker whose start() runs or is about to; null: none
    std::optional<int> code_ = {};
};

}  // namespace freshet::detail
