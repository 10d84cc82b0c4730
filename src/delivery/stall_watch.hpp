// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <freshet/clock.hpp>

namespace freshet::detail {

class Link;
class SharingSubscriber;

/// Warns, with the broker's log, of handlers that hold up a delivery thread for which messages wait: after a second,
/// then once a minute for each handler. Looks twice a second, on a timer of the broker's clock, and only while messages
/// are handled. Thread-safe.
class StallWatch {
public:
    explicit StallWatch(Link& link) noexcept : link_{link} {}
    StallWatch(const StallWatch&) = delete;
    StallWatch& operator=(const StallWatch&) = delete;

private:
    friend class SharingSubscriber;

    struct Warning {
        std::string subject;
        std::string text;
    };

    /// Starts the timer.
    void begin();
    void schedule(bool last);
    void tick(bool last);
    /// Looks at the broker's subscribers. Returns whether one handles a message, or has begun to since the last look.
    bool look(std::vector<Warning>& warnings);

    Link& link_;
    std::atomic<bool> awake_ = false;
};

/// What a subscriber shows to the watches if its handler runs on delivery threads, which all such subscribers of the
/// process share. The subscriber writes it for each delivery, in a few instructions; watches read it.
class SharingSubscriber {
public:
    SharingSubscriber() = default;
    SharingSubscriber(const SharingSubscriber&) = delete;
    SharingSubscriber& operator=(const SharingSubscriber&) = delete;
    /// Waits for a watch that looks right now.
    ~SharingSubscriber();

    /// Has `watch` look after the subscriber from now on. `received` returns how many deliveries have begun, `pending`
    /// how many messages wait. Call it once, before the first delivery.
    void watch(StallWatch& watch, const std::string& subject, std::function<std::uint64_t()> received,
               std::function<std::size_t()> pending);

    void begin_delivery() {
        thread_.store(&this_thread_, std::memory_order_relaxed);
        running_.store(true, std::memory_order_relaxed);
        if (!awake_->load(std::memory_order_relaxed)) [[unlikely]]
            wake();
    }
    void end_delivery() noexcept { running_.store(false, std::memory_order_relaxed); }

private:
    friend class StallWatch;

    void wake();  // apart from begin_delivery(), to keep that small

    static constinit inline thread_local char this_thread_ = 0;  // its address tells the threads apart
    static constinit inline const std::atomic<bool> always_awake = true;

    const std::atomic<bool>* awake_ = &always_awake;  // of the watch
    std::atomic<const void*> thread_ = nullptr;       // of the latest delivery; null: there was none
    std::atomic<bool> running_ = false;

    // Set by watch().
    StallWatch* watch_ = nullptr;
    const std::string* subject_ = nullptr;
    std::function<std::uint64_t()> received_ = {};
    std::function<std::size_t()> pending_ = {};

    // Of the timer's thread.
    std::uint64_t seen_ = 0;  // received_() at the last look
    TimePoint since_ = {};    // the first look that found that number
    TimePoint next_warning_ = TimePoint::min();
};

}  // namespace freshet::detail
