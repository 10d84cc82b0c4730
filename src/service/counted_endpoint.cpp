// SPDX-License-Identifier: Apache-2.0
#include "service/counted_endpoint.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <freshet/detail/service_grammar.hpp>
#include <freshet/outcome.hpp>

#include "base/quoted.hpp"
#include "delivery/failure_answer.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

/// A delivery that this thread has begun and not ended. A handler that waits may have the thread begin another one.
struct Begun {
    const Context* context;
    TimePoint when;
};
thread_local std::vector<Begun> begun;

/// Returns how long the delivery has taken; 0 if it was refused before it began.
std::chrono::nanoseconds time_of(const Context& context, TimePoint now) noexcept {
    const auto found = std::ranges::find(begun.rbegin(), begun.rend(), &context, &Begun::context);
    if (found == begun.rend()) return {};
    const auto time = now - found->when;
    begun.erase(std::prev(found.base()));
    return time;
}

}  // namespace

CountedEndpoint::CountedEndpoint(std::shared_ptr<const void> owner, const ServiceFacts& facts, std::string name,
                                 Metadata metadata)
    : owner_{std::move(owner)},
      facts_{facts},
      name_{std::move(name)},
      metadata_{std::move(metadata)},
      told_{metadata_} {}

void CountedEndpoint::bind(Binder& binder, DeliveryObserver* next) {
    next_ = next;
    if (!is_service_name(name_)) {
        binder.problem("its name as an endpoint is " + quoted(name_) +
                       "; a name has letters, digits, '-' and '_': set EndpointOptions::name");
    }
    for (const auto& [key, value] : metadata_)
        if (key.starts_with("_nats")) binder.problem("its metadata has the key " + quoted(key) + ", which is reserved");
    for (const auto& problem : problems_) binder.problem(problem);
}

void CountedEndpoint::count_into(EndpointStats& stats) const {
    stats.num_requests = requests_.load(std::memory_order_relaxed);
    stats.num_errors = errors_.load(std::memory_order_relaxed);
    const auto time = nanoseconds_.load(std::memory_order_relaxed);
    stats.processing_time = std::chrono::nanoseconds{time};
    stats.average_processing_time = std::chrono::nanoseconds{stats.num_requests == 0 ? 0 : time / stats.num_requests};
    const std::lock_guard lock{mutex_};
    stats.last_error = last_error_;
}

void CountedEndpoint::reset() {
    requests_ = 0;
    errors_ = 0;
    nanoseconds_ = 0;
    const std::lock_guard lock{mutex_};
    last_error_.clear();
}

void CountedEndpoint::count(const SubscriberCore& subscriber, const Handled& handled,
                            std::chrono::nanoseconds time) noexcept {
    nanoseconds_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)),
                           std::memory_order_relaxed);
    if (handled.failure != nullptr || handled.outcome != Outcome::ack) {
        errors_.fetch_add(1, std::memory_order_relaxed);
        try {
            const auto failure = failure_of(handled);
            const int code = code_of(failure, handled.rejected);
            auto text = fmt::format("{}:{}", code, public_text(subscriber.link(), failure, handled, code));
            const std::lock_guard lock{mutex_};
            last_error_ = std::move(text);
        } catch (...) {}  // no memory: the error is counted all the same
    }
    requests_.fetch_add(1, std::memory_order_relaxed);
}

void CountedEndpoint::on_inject(std::string_view pattern, const std::type_info& type) {
    if (next_ != nullptr) next_->on_inject(pattern, type);
}

void CountedEndpoint::on_delivery(const SubscriberCore& subscriber, const Context& context) noexcept {
    if (next_ != nullptr) next_->on_delivery(subscriber, context);
    begun.push_back({&context, subscriber.link().clock().now()});
}

void CountedEndpoint::on_handler(const SubscriberCore& subscriber) {
    if (next_ != nullptr) next_->on_handler(subscriber);
}

void CountedEndpoint::on_thrown(const Context& context, const std::exception_ptr& thrown) noexcept {
    if (next_ != nullptr) next_->on_thrown(context, thrown);
}

void CountedEndpoint::on_postponed(const Context& context, const Context& later) noexcept {
    if (next_ != nullptr) next_->on_postponed(context, later);
}

void CountedEndpoint::on_settled(const SubscriberCore& subscriber, const Context& context,
                                 const Handled& handled) noexcept {
    count(subscriber, handled, time_of(context, subscriber.link().clock().now()));
    if (next_ != nullptr) next_->on_settled(subscriber, context, handled);
}

void CountedEndpoint::on_batched(const SubscriberCore& subscriber, const Message& message,
                                 const Handled& handled) noexcept {
    count(subscriber, handled, {});
    if (next_ != nullptr) next_->on_batched(subscriber, message, handled);
}

}  // namespace freshet::detail
