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
    if (const auto asked = guard_.begun(); asked.stop) subscription_->drain(*asked.stop);
    // Fails if the subscription has ended, which does no harm.
    if (max_messages_ != 0) std::ignore = subscription_->auto_unsubscribe(max_messages_);
    return {};
}

std::optional<Error> CoreSource::refusal() const { return guard_.running() ? subscription_->refusal() : std::nullopt; }

void CoreSource::bind(const Subject&, Binder& binder) {
    if (!spec_.queue.empty() && check_subject(spec_.queue) != SubjectFault::none) {
        // The server accepts any token, but misreads the ones that a subject may not have either.
        binder.problem("its queue group " + quoted(spec_.queue) + " has spaces, wildcards or empty tokens");
    }
    if (max_messages_ > std::numeric_limits<int>::max())
        binder.problem("max_messages is " + std::to_string(max_messages_) + "; the most is 2147483647");
}

void CoreSource::stop(std::chrono::milliseconds timeout) noexcept {
    if (guard_.stop(timeout)) subscription_->drain(timeout);
}

void CoreSource::settle(Message, const Handled&) noexcept {}

std::size_t CoreSource::pending() const noexcept { return guard_.running() ? subscription_->pending() : 0; }

std::uint64_t CoreSource::dropped() const noexcept { return guard_.running() ? subscription_->dropped() : 0; }

}  // namespace freshet::detail
