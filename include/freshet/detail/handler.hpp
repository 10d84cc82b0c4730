// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/codec_format.hpp>
#include <freshet/context.hpp>
#include <freshet/extract.hpp>

namespace freshet::detail {

/// A dependency of a delivery (see Depends), which lies on the stack of the call that asked for it first. The slots are
/// linked in the order of the calls, newest first.
class DependencySlot {
public:
    DependencySlot() = default;
    DependencySlot(const DependencySlot&) = delete;
    DependencySlot& operator=(const DependencySlot&) = delete;
    virtual ~DependencySlot() = default;

    virtual const void* key() const noexcept = 0;
    virtual void* value() const noexcept = 0;
    /// Tells the value the outcome, then destroys it. Throws the exceptions that the value throws when it is told.
    virtual void end(const Outcome& outcome) = 0;

private:
    friend struct ContextAccess;
    DependencySlot* older_ = nullptr;
};

/// Ends, newest first, the dependencies that were added to a delivery while this object lived.
class DependencyScope {
public:
    explicit DependencyScope(Context& context) noexcept;
    DependencyScope(const DependencyScope&) = delete;
    DependencyScope& operator=(const DependencyScope&) = delete;
    /// Tells the remaining dependencies nack: without a call of end(), an exception is passing.
    ~DependencyScope();

    /// Tells the dependencies the outcome and returns it. Throws the exception of a dependency that throws; the older
    /// dependencies are then told nack.
    Outcome end(Outcome outcome);
    /// Calls `call`, tells the dependencies its outcome, and returns it. `call` may throw Ack, Nack, Reject or Skip,
    /// which count as outcomes.
    template <class Call>
    Outcome end(Call&& call)
        requires(!std::is_same_v<std::remove_cvref_t<Call>, Outcome>);

private:
    void end_newest(const Outcome& outcome);

    Context& context_;
    DependencySlot* const outer_;
};

struct HandlerShape;

/// A handler with its types erased, as the compiled core sees it. `invoke` may run on several threads at once.
class HandlerBase {
public:
    explicit HandlerBase(const HandlerShape* shape = nullptr) noexcept : shape_{shape} {}
    HandlerBase(const HandlerBase&) = delete;
    HandlerBase& operator=(const HandlerBase&) = delete;
    virtual ~HandlerBase() = default;

    /// Returns true if the handler takes batches: invoke() then gets a context that has Items.
    virtual bool takes_batches() const noexcept { return false; }
    /// Returns true if the handler takes the body of each message and has no use for a message without one.
    virtual bool takes_body() const noexcept { return false; }
    /// Prepares the handler and reports its mistakes to `binder`. Called before the first message.
    virtual void bind(Binder& binder) = 0;
    /// Extracts the parameters, calls the function, encodes the result, answers and publishes. Exceptions of the
    /// function pass through.
    virtual Outcome invoke(Context& context) = 0;
    /// Called once, after the last message, or instead of the first one.
    virtual void end() noexcept {}
    /// Adds what the handler takes and returns; one shape for each function that it may call. A null stands for a
    /// function of which nothing is known.
    virtual void describe(std::vector<const HandlerShape*>& shapes) const;

private:
    const HandlerShape* shape_;
};

/// The access of the handler templates to a delivery, compiled once in the core.
struct ContextAccess {
    /// Marks the message as one that cannot be handled, because it does not decode or a path or header does not parse,
    /// and returns the outcome.
    static Outcome reject(Context& context, Error error);
    /// Rejects the message with `error`, and returns the outcome. Without an error, the context knows why the handler
    /// was not called.
    static Outcome refuse(Context& context, std::optional<Error> error);
    /// Marks the delivery as failed, as the handler reported, and returns the outcome: term for an answer of 400 to 499
    /// that does not say "later", else nack.
    static Outcome fail(Context& context, Error error);
    /// Returns true if the failure is that the message cannot be handled at all.
    static bool rejected(const Context& context) noexcept { return context.rejected_; }
    /// Returns true if the result of the handler will be answered or published.
    static bool result_wanted(const Context& context) noexcept;
    /// Returns the format for the result of the handler: the request's, else the broker's.
    static Format result_format(const Context& context);
    /// Answers, then publishes to every publish_to. Returns the outcome.
    static Outcome emit(Context& context, Bytes body, std::string_view content_type, const Headers* headers);
    static std::string_view content_type(const Context& context);
    static std::stop_token stop_token(const Context& context) noexcept;

    static const DependencySlot* find_dependency(const Context& context, const void* key) noexcept {
        const DependencySlot* slot = context.dependencies_;
        while (slot != nullptr && slot->key() != key) slot = slot->older_;
        return slot;
    }
    static void add_dependency(Context& context, DependencySlot& slot) noexcept {
        slot.older_ = std::exchange(context.dependencies_, &slot);
    }
    static DependencySlot* newest_dependency(const Context& context) noexcept { return context.dependencies_; }
    static void remove_newest_dependency(Context& context) noexcept {
        context.dependencies_ = context.dependencies_->older_;
    }

    /// Returns the outcome that the exception in flight stands for, if it is Ack, Nack, Reject or Skip, and makes it
    /// the decision of the context. Returns nothing for other exceptions.
    static std::optional<Outcome> outcome_thrown(Context& context) noexcept;
    /// Returns the outcome for the innermost middleware: the decision that was made through the context, else the
    /// outcome that the handler returned.
    static Outcome take_decision(Context& context, Outcome returned);
    /// Makes the outcome that the outermost middleware returned the outcome of the delivery.
    static void adopt(Context& context, const Outcome& outcome);
    /// Has results answered and not published from now on: they are the results of an on_error function.
    static void answer_only(Context& context) noexcept { context.answers_only_ = true; }
    static bool answers_only(const Context& context) noexcept { return context.answers_only_; }
    static void clear_failure(Context& context) noexcept {
        context.failure_.reset();
        context.failed_ = true;
        context.rejected_ = false;
    }
    /// Returns true if the delivery failed, even if an on_error function dealt with the failure.
    static bool failed(const Context& context) noexcept { return context.failed_ || context.failure_; }

    /// Replaces the failure of an on_error function by one that also says what it was about.
    static void add_cause(Context& context, const Error& cause) noexcept;

    static const std::optional<Error>& failure(const Context& context) noexcept { return context.failure_; }
    static const std::optional<Outcome>& decided(const Context& context) noexcept { return context.decided_; }
    static Message take_message(Context& context) noexcept { return std::move(*context.message_); }
    static Message& message(Context& context) noexcept { return *context.message_; }
    /// Makes `outcome` the decision of the handler, and returns it.
    static Outcome decide(Context& context, Outcome outcome) {
        context.decided_ = outcome;
        return outcome;
    }
    /// Takes the decision back, so that the outcome follows from the failure.
    static void undecide(Context& context) noexcept { context.decided_.reset(); }
    static bool answered(const Context& context) noexcept { return context.answered_; }
    static void mark_answered(Context& context) noexcept { context.answered_ = true; }
    static SubscriberCore& subscriber(const Context& context) noexcept { return *context.subscriber_; }
    /// Returns the correlation id that travels with everything the handler sends; empty if there is none that can be
    /// sent.
    static std::string_view correlation_in_scope(const Context& context);
    /// Returns the fields of a log line about a delivery. `context` points to a Context.
    static LogFields log_fields(const void* context);
};

template <class Call>
Outcome DependencyScope::end(Call&& call)
    requires(!std::is_same_v<std::remove_cvref_t<Call>, Outcome>)
{
    std::optional<Outcome> outcome;
    try {
        outcome = call();
    } catch (...) {
        outcome = ContextAccess::outcome_thrown(context_);
        if (!outcome) throw;
    }
    return end(*std::move(outcome));
}

/// Gives a message another payload while this object lives. A NUL must follow the payload.
class BodyScope {
public:
    BodyScope(Message& message, Bytes body) noexcept
        : message_{message}, arrived_{std::exchange(message.payload_, body)} {}
    BodyScope(const BodyScope&) = delete;
    BodyScope& operator=(const BodyScope&) = delete;
    ~BodyScope() { message_.payload_ = arrived_; }

private:
    Message& message_;
    const Bytes arrived_;
};

}  // namespace freshet::detail
