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

/// The objects of lifespans; the latest goes first.
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

/// The life of an App: hooks and brokers in their order, forwards and back.
class AppCore {
public:
    explicit AppCore(std::vector<Broker*> brokers);
    AppCore(const AppCore&) = delete;
    AppCore& operator=(const AppCore&) = delete;
    ~AppCore();

    void add(HookTime when, std::unique_ptr<Hook> hook);
    Logger& logger() const noexcept { return brokers_.front()->logger(); }

    /// The exit code. Throws what keeps the program from starting.
    int run();
    /// From any thread.
    void exit(int code) noexcept;

    // The parts of run(), for tests.

    /// Until all brokers run. `start_broker` starts one. Throws what keeps the program from starting.
    void start(const std::function<void(Broker&)>& start_broker);
    /// Undoes what start() did.
    void shut_down() noexcept;
    /// What somebody has asked for, if anybody has.
    std::optional<int> asked_code() const;
    /// What run() ends with, after shut_down().
    int exit_code() const;

private:
    void wait();
    void stop_brokers() noexcept;
    void end_lifespans() noexcept;
    void run_hooks(HookTime when);
    void run_hooks_noexcept(HookTime when) noexcept;
    void run_hook(Hook& hook, HookTime when);
    /// A signal came, a broker ended: run() goes on to its end, and a start in progress is cut short.
    void request_stop() noexcept;

    std::vector<Broker*> brokers_;
    std::array<std::vector<std::unique_ptr<Hook>>, 5> hooks_ = {};
    Lifespans lifespans_ = {};
    std::size_t started_ = 0;  // brokers
    bool clean_ = true;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    bool stop_wanted_ = false;
    Broker* starting_ = nullptr;  // its start() runs, or is about to
    std::optional<int> code_ = {};
};

}  // namespace freshet::detail
