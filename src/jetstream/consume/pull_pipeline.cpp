// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/pull_pipeline.hpp"

#include <algorithm>

#include <freshet/text.hpp>

namespace freshet::detail {
namespace {

// The pause after an answer that says "not now": short enough for a new leader, and no load while there is none.
constexpr std::chrono::milliseconds pause_time{250};
// Requests that bring nothing are sent no more often than this, after the first few, which may be part of the routine.
constexpr std::chrono::milliseconds pace{100};
constexpr std::size_t unpaced = 4;
constexpr std::chrono::minutes lowered_for{1};
// A window that takes longer than this to handle is too large; one that takes a fifth of it may grow.
constexpr std::chrono::milliseconds longest_hold{500};
constexpr std::chrono::milliseconds least_expires{10};
// While others are open, no request is sent for a smaller share of max_bytes than one in this many.
constexpr std::size_t smallest_share = 8;
// Some servers send no status for a request that they have served in full. So no more requests than this are
// remembered.
constexpr std::size_t max_open = 64;

/// Returns the number at the end of a text such as "Exceeded MaxRequestBatch of 10"; 0 if there is none.
std::size_t number_in(std::string_view text) {
    return FromText<std::size_t>::parse(text.substr(text.find_last_of(' ') + 1)).value_or(0);
}

/// Returns the lower one of two limits, of which 0 means none.
template <class T>
T lower(T one, T other) {
    if (one == T{}) return other;
    return other == T{} ? one : std::min(one, other);
}

}  // namespace

PullPipeline::PullPipeline(const PullLimits& limits, TimePoint now)
    : limits_{limits}, window_{std::max<std::size_t>(limits.min_window, 1)}, alive_{now}, not_before_{now}, sent_{now} {
    limits_.min_window = window_;
    limits_.max_window = std::max(limits.max_window, window_);
    limits_.max_bytes = std::max<std::size_t>(limits.max_bytes, 1);
    restore_limits();
}

/// Resets the limits of a request to what the user set and the consumer allows.
void PullPipeline::restore_limits() noexcept {
    lowered_ = false;
    request_ = {.batch = lower(limits_.max_window, consumer_.batch),
                .bytes = lower(limits_.max_bytes, consumer_.bytes),
                .expires = lower(limits_.expires, consumer_.expires)};
}

std::chrono::nanoseconds PullPipeline::request_heartbeat() const noexcept {
    return std::min(limits_.heartbeat, request_.expires / 2);
}

/// Returns how many bytes the next request may bring; 0: it must not be sent now.
std::size_t PullPipeline::byte_budget() const noexcept {
    const auto taken = busy_bytes() + asked_bytes_;
    const auto room = limits_.max_bytes - std::min(taken, limits_.max_bytes);
    if (too_large_ > 0) {
        const auto all = std::min(room, request_.bytes);
        return all > too_large_ ? all : 0;
    }
    // Half of the limit, so that the next request may be sent before this one has ended.
    const auto share = std::min({room, std::max<std::size_t>(limits_.max_bytes / 2, 1), request_.bytes});
    return taken == 0 || room >= limits_.max_bytes / smallest_share ? share : 0;
}

/// Returns how many of the messages in hand count.
std::size_t PullPipeline::busy() const noexcept {
    const auto awaiting = static_cast<std::size_t>(std::max<std::ptrdiff_t>(awaiting_, 0));
    return in_hand_ - std::min({awaiting, window_, in_hand_});
}

std::size_t PullPipeline::busy_bytes() const noexcept {
    const auto awaiting = static_cast<std::size_t>(std::max<std::ptrdiff_t>(awaiting_bytes_, 0));
    return bytes_in_hand_ - std::min({awaiting, limits_.max_bytes, bytes_in_hand_});
}

bool PullPipeline::wants_more() const noexcept {
    // Asks at half of the window, so that the next messages are on their way while the others are handled.
    const bool low = busy() + asked_ <= window_ / 2;
    const bool nothing = busy() + asked_ + busy_bytes() == 0;  // then a message of any size may come alone
    return connected_ && !stopped_ && low && (nothing || byte_budget() > 0);
}

std::optional<PullRequest> PullPipeline::next(TimePoint now) {
    if (lowered_ && now >= restore_at_) restore_limits();
    if (!wants_more() || now < not_before_) return std::nullopt;
    if (asked_ == 0) alive_ = now;
    const auto bytes = byte_budget();
    const PullRequest request{.number = ++last_number_,
                              .batch = bytes == 0 ? 1 : std::min(window_ - busy() - asked_, request_.batch),
                              .max_bytes = bytes,
                              .expires = request_.expires,
                              .heartbeat = request_heartbeat()};
    sent_ = now;
    asked_ += request.batch;
    asked_bytes_ += bytes;
    open_.push_back({request.number, request.batch, bytes});
    if (open_.size() > max_open) {
        asked_bytes_ -= open_.front().bytes;
        open_.pop_front();
    }
    return request;
}

void PullPipeline::received(std::size_t bytes, bool more, TimePoint now) {
    alive_ = now;
    more_ = more;
    in_vain_ = too_large_ = 0;
    ++in_hand_;
    bytes_in_hand_ += bytes;
    if (asked_ > 0) --asked_;
    if (asked_ == 0) forget_requests();
}

void PullPipeline::handled(const Settled& settled, TimePoint now) {
    in_hand_ -= std::min(settled.count, in_hand_);
    bytes_in_hand_ -= std::min(settled.bytes, bytes_in_hand_);
    if (in_hand_ == 0) bytes_in_hand_ = 0;
    awaiting_ += settled.awaiting;
    awaiting_bytes_ += settled.awaiting_bytes;
    if (settled.count == 0) return;
    handled_since_change_ += settled.count;
    bytes_since_change_ += settled.bytes;
    adapt(now - settled.since);
}

void PullPipeline::adapt(std::chrono::nanoseconds held) {
    if (handled_since_change_ < window_) return;
    const auto before = window_;
    const auto twice = std::min(window_ * 2, limits_.max_window);
    const bool small = bytes_since_change_ / handled_since_change_ * twice <= limits_.max_bytes;
    if (held > longest_hold) window_ = std::max(window_ / 2, limits_.min_window);
    else if (more_ && small && held < longest_hold / 5) window_ = twice;
    if (window_ != before) handled_since_change_ = bytes_since_change_ = 0;
}

DeliveryVerdict PullPipeline::status(const PullStatus& status, TimePoint now) {
    // A status of a forgotten request says nothing about the open ones.
    const auto found = std::ranges::find(open_, status.request, &Open::number);
    if (found == open_.end()) return DeliveryVerdict::stale;
    alive_ = now;
    if (status.code == 100) return DeliveryVerdict::go_on;
    const auto bytes = found->bytes;
    end_request(status, now);
    switch (status.code) {
        case 404:
        case 408:
        case 423: return DeliveryVerdict::go_on;
        case 409: return conflict(status, bytes, now);
        case 503: pause(now); return DeliveryVerdict::lost;
        case 400:
        case 412: pause(now); return DeliveryVerdict::refused;
        default: pause(now); return DeliveryVerdict::warn;
    }
}

/// Ends the request of a status other than a heartbeat: removes what the status says the request had left, or all of it
/// if the status does not say.
void PullPipeline::end_request(const PullStatus& status, TimePoint now) {
    const auto found = std::ranges::find(open_, status.request, &Open::number);
    const auto left = std::min(status.pending_messages.value_or(found->batch), found->batch);
    asked_bytes_ -= found->bytes;
    open_.erase(found);
    asked_ -= std::min(left, asked_);
    if (open_.empty()) asked_ = 0;
    if (asked_ == 0) forget_requests();
    if (++in_vain_ > unpaced) not_before_ = std::max({not_before_, sent_ + pace, now});
}

DeliveryVerdict PullPipeline::conflict(const PullStatus& status, std::size_t bytes, TimePoint now) {
    const auto says = [&](std::string_view text) { return status.text.starts_with(text); };
    if (says("Consumer Deleted")) return DeliveryVerdict::lost;
    if (says("Consumer is push based")) return DeliveryVerdict::refused;
    if (says("Batch Completed")) return DeliveryVerdict::go_on;
    if (says("Message Size Exceeds MaxBytes")) {
        // Asking again would not help until there is more room.
        too_large_ = std::max(too_large_, std::min(status.pending_bytes.value_or(bytes), bytes));
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

/// Lowers the limits of requests, because the consumer allows less, or says so. They are restored later, and never
/// exceed what the user set.
DeliveryVerdict PullPipeline::limit(std::string_view text, TimePoint now) {
    const auto allowed = number_in(text);
    lowered_ = true;
    restore_at_ = now + lowered_for;
    if (text.starts_with("Exceeded MaxRequestBatch") && allowed > 0) {
        request_.batch = std::min(request_.batch, allowed);
    } else if (text.starts_with("Exceeded MaxRequestMaxBytes") && allowed > 0) {
        request_.bytes = std::min(request_.bytes, allowed);
    } else if (text.starts_with("Exceeded MaxRequestExpires")) {
        request_.expires =
            std::max<std::chrono::nanoseconds>(request_.expires / 2,
                                               std::min<std::chrono::nanoseconds>(request_.expires, least_expires));
    } else {
        pause(now);
    }
    return DeliveryVerdict::warn;
}

void PullPipeline::pause(TimePoint now) noexcept { not_before_ = now + pause_time; }

void PullPipeline::forget_requests() noexcept {
    open_.clear();
    asked_ = asked_bytes_ = 0;
}

void PullPipeline::reset(const RequestLimits& consumer, TimePoint now) {
    forget_requests();
    consumer_ = consumer;
    restore_limits();
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
