// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/batch.hpp>
#include <freshet/context.hpp>
#include <freshet/detail/handler.hpp>
#include <freshet/detail/source.hpp>

#include "delivery/delivery_observer.hpp"
#include "delivery/failure_answer.hpp"
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

    /// From now on, the first request that is acknowledged without an answer is logged.
    void expect_answers() noexcept { unanswered_told_.store(false, std::memory_order_relaxed); }

    /// Ends the delivery of the context's message. Returns how, for the counts.
    Ended conclude(SubscriberCore& subscriber, Context& context, const Outcome& returned) noexcept {
        const auto& failure = ContextAccess::failure(context);
        const auto& decided = ContextAccess::decided(context);
        Handled handled{.outcome = decided ? *decided : returned, .decided = decided.has_value()};
        if (failure) [[unlikely]] {
            handled.failure = &*failure;
            handled.rejected = ContextAccess::rejected(context) && returned.kind() == Outcome::Kind::term;
        }
        if (confirmed_ && postpone(subscriber, context, handled)) return Ended::later;
        return end(subscriber, context, handled);
    }
    /// Ends the delivery of each message of a batch: as its item decided, else as the context decided, else as
    /// `returned`.
    void conclude(SubscriberCore& subscriber, Context& context, const Outcome& returned,
                  std::span<Item> items) noexcept;
    /// Ends the delivery of a message of a batch that was rejected or has an outcome of its own.
    void conclude(SubscriberCore& subscriber, Item& item) noexcept;

    void log(Context& context, FailureLog::Kind kind, std::string_view what, const Error& why,
             LogLevel level = LogLevel::error) noexcept {
        log_.write(context.logger(), kind, what, why, level);
    }
    std::vector<ErrorCount> errors() const { return errors_.list(); }

    /// Writes the log lines that are still due. Call it last: no delivery may be concluded afterwards.
    void finish() noexcept { log_.finish(); }

private:
    struct Postponed;

    Ended end(const SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept {
        if (handled.failure != nullptr || handled.outcome != Outcome::ack)
            return end_failed(subscriber, context, handled);
        if (!ContextAccess::answered(context) && leaves_unanswered(context.message())) warn_unanswered(context);
        if (observer_ != nullptr) observer_->on_settled(subscriber, context, handled);
        source_.settle(ContextAccess::take_message(context), handled);
        return Ended::ack;
    }
    Ended end_failed(const SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept;
    /// Has the delivery end when the publications of its handler are confirmed: as a failed one if they are not.
    /// Returns false if it need not wait for any.
    bool postpone(SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept;
    void end(Postponed& postponed, const Error* unconfirmed) noexcept;
    void report(const SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept;
    /// Counts a failed delivery, and returns the code of its error.
    int count(const Error& failure, const Handled& handled) noexcept;
    /// Writes the log line of a failed delivery.
    void write(Logger& logger, const Error& failure, const Handled& handled, int code, bool asked,
               std::string_view what = "handler failed");
    void settle(const SubscriberCore& subscriber, Item& item, const Handled& handled) noexcept;
    void end_item(SubscriberCore& subscriber, Item& item, Handled handled, std::string_view what) noexcept;
    void end_of_batch(SubscriberCore& subscriber, Context& context, Item& item, Handled handled, std::size_t size,
                      bool told) noexcept;
    void answer(Context& context, const Error& failure, const Handled& handled, int code) noexcept;
    /// Returns true if the caller of `request` waits for an answer that nobody sends, and nobody was told so far.
    bool leaves_unanswered(const Message& request) const noexcept {
        return !unanswered_told_.load(std::memory_order_relaxed) && !request.reply_to().empty();
    }
    void warn_unanswered(Context& context) noexcept;

    Link& link_;
    Source& source_;
    SubscriberCounts& counts_;
    FailureLog log_;
    DeliveryObserver* observer_ = nullptr;
    bool confirmed_ = false;
    ErrorCounts errors_ = {};
    std::atomic<bool> unanswered_told_ = true;  // also where no answer is expected
};

}  // namespace freshet::detail
