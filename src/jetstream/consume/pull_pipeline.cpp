// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/pull_pipeline.hpp"

#include <algorithm>
#include <charconv>

namespace freshet::detail {
namespace {

// After an answer that says "not now": soon enough for a new leader, and no load for one who is not there.
constexpr std::chrono::milliseconds pause_time{250};
// A window that takes longer than this to handle is too large, one that takes a fifth of it may grow.
constexpr std::chrono::milliseconds longest_hold{500};
constexpr std::chrono::milliseconds least_expires{100};
// Requests that ended in full leave no trace; more than this are not open at once.
constexpr std::size_t max_open = 64;

/// The number at the end of "Exceeded MaxRequestBatch of 10".
std::size_t number_in(std::string_view text) {
    std::size_t number = 0;
    const auto at = text.find_last_of(' ');
    if (at != std::string_view::npos) std::from_chars(text.data() + at + 1, text.data() + text.size(), number);
    return number;
}

}  // namespace

PullPipeline::PullPipeline(const PullLimits& limits, TimePoint now)
    : limits_{limits},
      window_{std::max<std::size_t>(limits.min_window, 1)},
      max_batch_{std::max(limits.max_window, window_)},
      alive_{now},
      not_before_{now} {
    limits_.min_window = window_;
    limits_.max_window = max_batch_;
    limits_.heartbeat = std::min(limits_.heartbeat, limits_.expires / 2);
}

bool PullPipeline::wants_more() const noexcept {
    // Asking at half of the window, the next messages are on their way while the others are handled.
    const bool low = in_hand_ + asked_ <= window_ / 2;
    const bool low_bytes = limits_.max_bytes == 0 || (asked_ == 0 && bytes_in_hand_ <= limits_.max_bytes / 2);
    return connected_ && !stopped_ && low && low_bytes;
}

std::size_t PullPipeline::free_bytes() const noexcept {
    if (limits_.max_bytes == 0 || any_size_) return 0;
    return limits_.max_bytes - bytes_in_hand_;
}

std::optional<PullRequest> PullPipeline::next(TimePoint now) {
    if (!wants_more() || now < not_before_) return std::nullopt;
    if (asked_ == 0) alive_ = now;
    const PullRequest request{.number = ++last_number_,
                              .batch = any_size_ ? 1 : std::min(window_ - in_hand_ - asked_, max_batch_),
                              .max_bytes = free_bytes(),
                              .expires = limits_.expires,
                              .heartbeat = limits_.heartbeat};
    any_size_ = false;
    asked_ += request.batch;
    open_.push_back({request.number, request.batch});
    if (open_.size() > max_open) open_.pop_front();
    return request;
}

void PullPipeline::received(std::size_t bytes, bool more, TimePoint now) {
    alive_ = now;
    more_ = more;
    ++in_hand_;
    bytes_in_hand_ += bytes;
    if (asked_ > 0) --asked_;
    if (asked_ == 0) open_.clear();
}

void PullPipeline::handled(const Settled& settled, TimePoint now) {
    in_hand_ -= std::min(settled.count, in_hand_);
    bytes_in_hand_ -= std::min(settled.bytes, bytes_in_hand_);
    handled_since_change_ += settled.count;
    bytes_since_change_ += settled.bytes;
    adapt(now - settled.since);
}

void PullPipeline::adapt(std::chrono::nanoseconds held) {
    if (handled_since_change_ < window_) return;
    const auto before = window_;
    const auto twice = std::min(window_ * 2, limits_.max_window);
    const bool small = bytes_since_change_ / handled_since_change_ * twice <= limits_.max_growth_bytes;
    if (held > longest_hold) window_ = std::max(window_ / 2, limits_.min_window);
    else if (more_ && small && held < longest_hold / 5) window_ = twice;
    if (window_ != before) handled_since_change_ = bytes_since_change_ = 0;
}

DeliveryVerdict PullPipeline::status(const PullStatus& status, TimePoint now) {
    // Statuses of requests that were forgotten say nothing of those that were not.
    const bool known = std::ranges::any_of(open_, [&](const Open& open) { return open.number == status.request; });
    if (!known) return DeliveryVerdict::go_on;
    alive_ = now;
    if (status.code == 100) return DeliveryVerdict::go_on;
    end_request(status);
    switch (status.code) {
        case 404:
        case 408:
        case 423: return DeliveryVerdict::go_on;
        case 409: return conflict(status, now);
        case 503: pause(now); return DeliveryVerdict::lost;
        case 400:
        case 412: pause(now); return DeliveryVerdict::refused;
        default: pause(now); return DeliveryVerdict::warn;
    }
}

/// A status other than a heartbeat ends its request, with what it had left; without a word on that, as a whole.
void PullPipeline::end_request(const PullStatus& status) {
    const auto found = std::ranges::find(open_, status.request, &Open::number);
    const auto left = status.pending_messages.value_or(found->batch);
    open_.erase(found);
    asked_ -= std::min(left, asked_);
    if (open_.empty()) asked_ = 0;
}

DeliveryVerdict PullPipeline::conflict(const PullStatus& status, TimePoint now) {
    const auto says = [&](std::string_view text) { return status.text.starts_with(text); };
    if (says("Consumer Deleted")) return DeliveryVerdict::lost;
    if (says("Consumer is push based")) return DeliveryVerdict::refused;
    if (says("Batch Completed")) return DeliveryVerdict::go_on;
    if (says("Message Size Exceeds MaxBytes")) {
        any_size_ = in_hand_ == 0;  // waiting would not help
        return DeliveryVerdict::go_on;
    }
    if (says("Leadership Change") || says("Server Shutdown")) {
        forget_requests();
        pause(now);
        return DeliveryVerdict::go_on;
    }
    if (says("Exceeded")) return limit(status.text, now);
    pause(now);
    return DeliveryVerdict::warn;
}

DeliveryVerdict PullPipeline::limit(std::string_view text, TimePoint now) {
    const auto allowed = number_in(text);
    if (text.starts_with("Exceeded MaxRequestBatch") && allowed > 0) {
        max_batch_ = allowed;
    } else if (text.starts_with("Exceeded MaxRequestMaxBytes") && allowed > 0) {
        limits_.max_bytes = allowed;
    } else if (text.starts_with("Exceeded MaxRequestExpires")) {
        limits_.expires = std::max<std::chrono::nanoseconds>(limits_.expires / 2, least_expires);
        limits_.heartbeat = std::min(limits_.heartbeat, limits_.expires / 2);
    } else {
        pause(now);
    }
    return DeliveryVerdict::warn;
}

void PullPipeline::pause(TimePoint now) noexcept { not_before_ = now + pause_time; }

void PullPipeline::forget_requests() noexcept {
    open_.clear();
    asked_ = 0;
}

void PullPipeline::reset(TimePoint now) {
    forget_requests();
    connected_ = true;
    alive_ = now;
}

std::optional<TimePoint> PullPipeline::deadline() const noexcept {
    if (!connected_ || stopped_) return std::nullopt;
    if (wants_more()) return not_before_;
    if (asked_ > 0) return overdue_at();
    return std::nullopt;
}

}  // namespace freshet::detail
