// SPDX-License-Identifier: Apache-2.0
#include "delivery/core_source.hpp"

#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include <freshet/extract.hpp>
#include <freshet/subject.hpp>

#include "base/quoted.hpp"
#include "link/link.hpp"

namespace freshet::detail {

CoreSource::CoreSource(const SubscriberOptions& options)
    : spec_{.queue = options.queue,
            .max_pending_messages = options.max_pending_messages,
            .max_pending_bytes = options.max_pending_bytes},
      max_messages_{options.max_messages} {}

Expected<void> CoreSource::start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) {
    spec_.subject = subject.wire();
    auto subscription = link.transport().subscribe(spec_, std::move(sink));
    if (!subscription) return std::unexpected{std::move(subscription).error()};
    subscription_ = *std::move(subscription);
    live_.store(subscription_.get());
    if (const auto timeout = stop_timeout_.load(); timeout >= 0)
        subscription_->drain(std::chrono::milliseconds{timeout});
    if (max_messages_ != 0) std::ignore = subscription_->auto_unsubscribe(max_messages_);  // refused where it has ended
    return {};
}

std::optional<Error> CoreSource::refusal() const {
    const auto* const subscription = live_.load(std::memory_order_acquire);
    return subscription == nullptr ? std::nullopt : subscription->refusal();
}

void CoreSource::bind(const Subject&, Binder& binder) {
    if (!spec_.queue.empty() && check_subject(spec_.queue) != SubjectFault::none) {
        // The server takes any token; what it would misread is what a subject may not have either.
        binder.problem("its queue group " + quoted(spec_.queue) + " has spaces, wildcards or empty tokens");
    }
    if (max_messages_ > std::numeric_limits<int>::max())
        binder.problem("max_messages is " + std::to_string(max_messages_) + "; the most is 2147483647");
}

void CoreSource::stop(std::chrono::milliseconds timeout) noexcept {
    stop_timeout_.store(timeout.count());  // if it starts at this moment
    if (auto* const subscription = live_.load()) subscription->drain(timeout);
}

void CoreSource::settle(Message, const Handled&) noexcept {}

std::size_t CoreSource::pending() const noexcept {
    const auto* const subscription = live_.load(std::memory_order_acquire);
    return subscription == nullptr ? 0 : subscription->pending();
}

std::uint64_t CoreSource::dropped() const noexcept {
    const auto* const subscription = live_.load(std::memory_order_acquire);
    return subscription == nullptr ? 0 : subscription->dropped();
}

}  // namespace freshet::detail
