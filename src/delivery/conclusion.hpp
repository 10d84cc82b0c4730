// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <freshet/batch.hpp>
#include <freshet/context.hpp>
#include <freshet/detail/handler.hpp>
#include <freshet/detail/source.hpp>

#include "delivery/delivery_observer.hpp"
#include "delivery/subscriber_counts.hpp"
#include "link/failure_log.hpp"

namespace freshet::detail {

class Link;

/// Ends deliveries, whichever dispatcher brought them: counts, answers and logs a failure, tells the observer, and has
/// the source settle the message. Thread-safe.
class Conclusion {
public:
    Conclusion(Link& link, Source& source, SubscriberCounts& counts, const std::string& subject);

    void observe(DeliveryObserver* observer) noexcept { observer_ = observer; }

    /// From now on, deliveries end when the publications of their handlers are confirmed. Call it before the first one.
    void await_confirmations() noexcept { confirmed_ = true; }

    /// Ends the delivery of the context's message. Returns how, for the counts.
    Ended conclude(SubscriberCore& subscriber, Context& context, const Outcome& returned) noexcept {
        const auto& failure = ContextAccess::failure(context);
        const auto& decided = ContextAccess::decided(context);
        const Handled handled{.outcome = decided ? *decided : returned,
                              .failure = failure ? &*failure : nullptr,
                              .rejected = failure && returned.kind() == Outcome::Kind::term,
                              .decided = decided.has_value()};
        if (confirmed_ && postpone(subscriber, context, handled)) return Ended::later;
        return end(subscriber, context, handled);
    }
    /// Ends the delivery of each message of a batch: as its item decided, else as the context decided, else as
    /// `returned`.
    void conclude(SubscriberCore& subscriber, Context& context, const Outcome& returned,
                  std::span<Item> items) noexcept;

    void log(Context& context, FailureLog::Kind kind, std::string_view what, const Error& why,
             LogLevel level = LogLevel::error) noexcept {
        log_.write(context.logger(), kind, what, why, level);
    }

    /// Writes the log lines that are still due. Call it last: no delivery may be concluded afterwards.
    void finish() noexcept { log_.finish(); }

private:
    struct Postponed;

    Ended end(const SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept {
        if (handled.failure != nullptr || handled.outcome != Outcome::ack) report(subscriber, context, handled);
        if (observer_ != nullptr) observer_->on_settled(subscriber, context, handled);
        return ended_as(source_.settle(ContextAccess::take_message(context), handled), handled);
    }
    /// Has the delivery end when the publications of its handler are confirmed: as a failed one if they are not.
    /// Returns false if it need not wait for any.
    bool postpone(SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept;
    void end(Postponed& postponed, const Error* unconfirmed) noexcept;
    void report(const SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept;
    void settle(const SubscriberCore& subscriber, Item& item, const Handled& handled) noexcept;
    void answer(const Message& request, const Error& error, int code) noexcept;

    Link& link_;
    Source& source_;
    SubscriberCounts& counts_;
    FailureLog log_;
    DeliveryObserver* observer_ = nullptr;
    bool confirmed_ = false;
};

}  // namespace freshet::detail
