// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/memory_subscription.hpp"

#include <limits>
#include <utility>

#include <fmt/core.h>

#include "base/quoted.hpp"
#include "testing/memory/memory_transport.hpp"

namespace freshet::detail {

MemorySubscription::MemorySubscription(std::shared_ptr<MemoryHub> hub, MemoryTransport& owner,
                                       const SubscriptionSpec& spec, std::shared_ptr<MessageSink> sink)
    : hub_{std::move(hub)}, owner_{owner}, spec_{spec}, sink_{std::move(sink)} {}

bool MemorySubscription::over_limits(const Parcel& parcel) const noexcept {
    const auto over = [](std::size_t limit, std::size_t value) { return limit != 0 && value > limit; };
    return over(spec_.max_pending_messages, waiting_.size() + 1) ||
           over(spec_.max_pending_bytes, waiting_bytes_ + parcel.size());
}

void MemorySubscription::take(const SharedParcel& parcel) {
    const std::lock_guard lock{hub_->mutex};
    if (stage_ != Stage::taking || id == 0) return;
    owner_.count_in(*parcel);
    ++taken_;
    if (max_ != 0 && taken_ >= max_) hub_->remove(*this);
    if (over_limits(*parcel)) {
        ++dropped_;
        if (!std::exchange(overflowing_, true)) owner_.tell_slow_consumer(sink_, spec_.subject, dropped_);
        return;
    }
    overflowing_ = false;
    waiting_.push_back(parcel);
    waiting_bytes_ += parcel->size();
    schedule_delivery();
}

void MemorySubscription::schedule_delivery() {
    if (scheduled_ || delivering_ || stage_ == Stage::ended) return;
    scheduled_ = true;
    // Holds only a weak reference: a task that never runs would keep the subscription alive, and with it the hub and
    // the clock that has the task. Until on_end the connection owns the subscription.
    hub_->clock().schedule(hub_->clock().now(), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->deliver();
    });
}

/// Delivers one message, or the end.
void MemorySubscription::deliver() {
    std::unique_lock lock{hub_->mutex};
    scheduled_ = false;
    if (delivering_ || stage_ == Stage::ended) return;
    if (waiting_.empty()) {
        if (stage_ == Stage::finishing) end(lock);
        return;
    }
    const auto parcel = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= parcel->size();
    ++delivered_;
    delivering_ = true;
    lock.unlock();
    sink_->on_message(parcel->message());
    lock.lock();
    delivering_ = false;
    if (max_ != 0 && delivered_ >= max_) finish(Waiting::drop);
    if (!waiting_.empty() || stage_ == Stage::finishing) schedule_delivery();
    hub_->changed.notify_all();
}

void MemorySubscription::end(std::unique_lock<std::mutex>& lock) {
    stage_ = Stage::ended;
    auto sink = std::exchange(sink_, nullptr);
    delivering_ = true;  // close() waits for it
    lock.unlock();
    sink->on_end();
    sink = nullptr;  // without the lock: the sink may own the subscription, whose end takes the lock
    lock.lock();
    delivering_ = false;
    owner_.forget(*this);
    hub_->changed.notify_all();
}

void MemorySubscription::finish(Waiting waiting) {
    hub_->remove(*this);
    if (stage_ == Stage::ended) return;
    stage_ = Stage::finishing;
    if (waiting == Waiting::drop) {
        waiting_.clear();
        waiting_bytes_ = 0;
    }
    schedule_delivery();
}

void MemorySubscription::end_now() {
    std::unique_lock lock{hub_->mutex};
    finish(Waiting::drop);
    if (!delivering_ && stage_ != Stage::ended) end(lock);
}

void MemorySubscription::drain(std::chrono::milliseconds timeout) {
    const std::lock_guard lock{hub_->mutex};
    finish(timeout.count() <= 0 ? Waiting::drop : Waiting::deliver);
    if (timeout.count() <= 0 || stage_ == Stage::ended) return;
    hub_->clock().schedule(hub_->clock().now() + timeout, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self == nullptr) return;
        const std::lock_guard guard{self->hub_->mutex};
        self->cut_off_ = self->cut_off_ || !self->waiting_.empty();
        self->finish(Waiting::drop);
    });
}

Expected<void> MemorySubscription::auto_unsubscribe(std::uint64_t count) {
    const auto what = fmt::format("cannot end the subscription of {} after {} messages", quoted(spec_.subject), count);
    if (count == 0 || count > std::numeric_limits<int>::max())
        return failure(Errc::bad_setup, what + ": the number must be from 1 to 2147483647");
    const std::lock_guard lock{hub_->mutex};
    if (stage_ != Stage::taking) return failure(Errc::closed, what + ": it has ended");
    max_ = count;
    if (delivered_ >= max_) finish(Waiting::drop);
    else if (taken_ >= max_) hub_->remove(*this);
    return {};
}

std::size_t MemorySubscription::pending() const {
    const std::lock_guard lock{hub_->mutex};
    return waiting_.size();
}

std::uint64_t MemorySubscription::dropped() const {
    const std::lock_guard lock{hub_->mutex};
    return dropped_;
}

}  // namespace freshet::detail
