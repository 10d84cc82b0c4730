// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/buffer.hpp>
#include <freshet/codec_format.hpp>
#include <freshet/context.hpp>
#include <freshet/extract.hpp>

namespace freshet::detail {

/// What a delivery depends on (see Depends), as it lies on the stack of the call that asked first. Linked in the order of
/// the calls, newest first.
class DependencySlot {
public:
    DependencySlot() = default;
    DependencySlot(const DependencySlot&) = delete;
    DependencySlot& operator=(const DependencySlot&) = delete;
    virtual ~DependencySlot() = default;

    virtual const void* key() const noexcept = 0;
    virtual void* value() const noexcept = 0;
    /// Tells the value how it ended, then destroys it. Throws what the value throws when it is told.
    virtual void end(const Outcome& outcome) = 0;

private:
    friend struct ContextAccess;
    DependencySlot* older_ = nullptr;
};

/// Ends, newest first, the dependencies that were added to a delivery while it lived.
class DependencyScope {
public:
    explicit DependencyScope(Context& context) noexcept;
    DependencyScope(const DependencyScope&) = delete;
    DependencyScope& operator=(const DependencyScope&) = delete;
    /// Without end(): an exception passes, so they are told nack.
    ~DependencyScope();

    /// Tells them the outcome, and returns it. Throws what one of them throws; those older are then told nack.
    Outcome end(Outcome outcome);
    /// The same for the outcome of a call, which may throw Ack, Nack, Reject or Skip.
    template <class Call>
    Outcome end(Call&& call)
        requires(!std::is_same_v<std::remove_cvref_t<Call>, Outcome>);

private:
    void end_newest(const Outcome& outcome);

    Context& context_;
    DependencySlot* const outer_;
};

/// A handler with its types erased: what the compiled core sees. `invoke` may run on several threads at once.
class HandlerBase {
public:
    HandlerBase() = default;
    HandlerBase(const HandlerBase&) = delete;
    HandlerBase& operator=(const HandlerBase&) = delete;
    virtual ~HandlerBase() = default;

    /// Whether it is invoked for batches: for a context that has Items.
    virtual bool takes_batches() const noexcept { return false; }
    /// Whether it takes the body of each message, so that it has no use for one that has none.
    virtual bool takes_body() const noexcept { return false; }
    /// Once, before the first message.
    virtual void bind(Binder& binder) = 0;
    /// Extracts, calls, encodes, answers and publishes. Throws what the handler throws.
    virtual Outcome invoke(Context& context) = 0;
    /// After the last message, or instead of the first.
    virtual void end() noexcept {}
};

/// What the handler templates need of a delivery, compiled once in the core.
struct ContextAccess {
    /// The message cannot be handled: it does not decode, a path or header does not parse.
    static Outcome reject(Context& context, Error error);
    /// The same if there is an error; without one the context knows already why the handler was not called.
    static Outcome refuse(Context& context, std::optional<Error> error);
    /// The handler said that it failed.
    static Outcome fail(Context& context, Error error);
    /// Whether anybody gets what the handler returns.
    static bool result_wanted(const Context& context) noexcept;
    /// The format of what the handler returns: the request's, else the broker's.
    static Format result_format(const Context& context);
    /// Answers, then publishes to every publish_to.
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

    /// If the exception in flight is Ack, Nack, Reject or Skip: the outcome it stands for, which is decided with it.
    static std::optional<Outcome> outcome_thrown(Context& context) noexcept;
    /// What the innermost middleware gets: what was decided through the context, else what the handler returned.
    static Outcome take_decision(Context& context, Outcome returned);
    /// Makes the outcome that the outermost middleware returned the delivery's.
    static void adopt(Context& context, const Outcome& outcome);
    /// From now on results are answered, not published: they are an on_error function's.
    static void answer_only(Context& context) noexcept { context.answers_only_ = true; }
    static bool answers_only(const Context& context) noexcept { return context.answers_only_; }
    static void clear_failure(Context& context) noexcept {
        context.failure_.reset();
        context.failed_ = true;
    }
    /// It failed, even if an on_error function saw to that.
    static bool failed(const Context& context) noexcept { return context.failed_ || context.failure_; }

    static const std::optional<Error>& failure(const Context& context) noexcept { return context.failure_; }
    static const std::optional<Outcome>& decided(const Context& context) noexcept { return context.decided_; }
    static Message take_message(Context& context) noexcept { return std::move(*context.message_); }
    static Message& message(Context& context) noexcept { return *context.message_; }
    /// The handler says the outcome.
    static Outcome decide(Context& context, Outcome outcome) {
        context.decided_ = outcome;
        return outcome;
    }
    /// Nobody has said the outcome: it follows from what failed.
    static void undecide(Context& context) noexcept { context.decided_.reset(); }
    static bool answered(const Context& context) noexcept { return context.answered_; }
    static void mark_answered(Context& context) noexcept { context.answered_ = true; }
    static SubscriberCore& subscriber(const Context& context) noexcept { return *context.subscriber_; }
    /// The correlation id that travels with what the handler sends; empty if there is none that can.
    static std::string_view correlation_in_scope(const Context& context);
    /// What a log line says of a delivery. `context` is a Context.
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

/// While it lives a message has another payload, which a NUL must follow.
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

/// A buffer of this thread that keeps its capacity; leases nest.
class BufferLease {
public:
    BufferLease();
    BufferLease(const BufferLease&) = delete;
    BufferLease& operator=(const BufferLease&) = delete;
    ~BufferLease();

    Buffer& operator*() const noexcept { return *buffer_; }
    Buffer* operator->() const noexcept { return buffer_; }

private:
    Buffer* buffer_;
};

}  // namespace freshet::detail
