// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include <freshet/transport.hpp>

#include "testing/memory/memory_hub.hpp"

namespace freshet::detail {

/// One subscription: holds the messages for its sink, and delivers them in tasks of the clock. Lives until its sink has
/// had on_end.
class MemorySubscription final : public std::enable_shared_from_this<MemorySubscription> {
public:
    MemorySubscription(std::shared_ptr<MemoryHub> hub, MemoryTransport& owner, const SubscriptionSpec& spec,
                       std::shared_ptr<MessageSink> sink);

    const SubscriptionSpec& spec() const noexcept { return spec_; }
    MemoryTransport& owner() const noexcept { return owner_; }

    /// Accepts a message from the server.
    void take(const SharedParcel& parcel);

    void drain(std::chrono::milliseconds timeout);
    Expected<void> auto_unsubscribe(std::uint64_t count);
    std::size_t pending() const;
    std::uint64_t dropped() const;

    // With the hub's lock held:
    PatternId id = 0;  // 0: the server does not know the subscription
    enum class Waiting : std::uint8_t { deliver, drop };
    /// Accepts nothing more. on_end follows in a task of the clock, after the messages that wait, unless they are
    /// dropped.
    void finish(Waiting waiting);
    bool taking() const noexcept { return stage_ == Stage::taking; }
    bool ended() const noexcept { return stage_ == Stage::ended; }
    /// Returns whether it had to drop a message that it had accepted.
    bool cut_off() const noexcept { return cut_off_; }
    bool delivering() const noexcept { return delivering_; }

    /// Calls on_end at once, unless a message is being delivered, which ends it then. Call it without the lock.
    void end_now();

private:
    enum class Stage : std::uint8_t { taking, finishing, ended };

    void schedule_delivery();
    void deliver();
    bool over_limits(const Parcel& parcel) const noexcept;
    void end(std::unique_lock<std::mutex>& lock);

    const std::shared_ptr<MemoryHub> hub_;
    MemoryTransport& owner_;  // outlives it: close() waits for on_end
    const SubscriptionSpec spec_;
    std::shared_ptr<MessageSink> sink_;

    Stage stage_ = Stage::taking;
    std::deque<SharedParcel> waiting_ = {};
    std::size_t waiting_bytes_ = 0;
    std::uint64_t taken_ = 0;
    std::uint64_t delivered_ = 0;
    std::uint64_t max_ = 0;  // most messages; 0: no limit
    std::uint64_t dropped_ = 0;
    bool overflowing_ = false;
    bool scheduled_ = false;
    bool delivering_ = false;
    bool cut_off_ = false;
};

}  // namespace freshet::detail
