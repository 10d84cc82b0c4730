// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace freshet {
class Context;
}

namespace freshet::detail {

class Link;
class PublishStep;

/// Marks, while it lives, that this thread runs a user's code that freshet called, so that it must not wait for
/// freshet's own threads.
class CallbackScope {
public:
    CallbackScope() noexcept { ++depth_; }
    CallbackScope(const CallbackScope&) = delete;
    CallbackScope& operator=(const CallbackScope&) = delete;
    ~CallbackScope() { --depth_; }

    static bool inside() noexcept { return depth_ > 0; }

private:
    friend class OutsideScope;
    static inline thread_local int depth_ = 0;
};

/// The link and the publish middleware that a subscriber's handlers send through, and the correlation id of a delivery.
struct PublishRoute {
    const Link* link = nullptr;
    std::string_view (*correlation_of)(const Context& delivery) = nullptr;
    std::span<PublishStep* const> steps = {};
};

/// The CallbackScope of a handler: messages that the handler sends pass its subscriber's publish middleware and carry
/// the correlation id of its delivery. Scopes nest.
class HandlerScope {
public:
    HandlerScope(Context& context, const PublishRoute& route) noexcept
        : context_{&context}, route_{&route}, outer_{current_} {
        current_ = this;
    }
    HandlerScope(const HandlerScope&) = delete;
    HandlerScope& operator=(const HandlerScope&) = delete;
    ~HandlerScope() { current_ = outer_; }

    /// Returns the scope of the delivery that this thread handles, or null.
    static const HandlerScope* current() noexcept { return current_; }

    Context& context() const noexcept { return *context_; }
    const PublishRoute& route() const noexcept { return *route_; }
    /// The correlation id of the delivery; empty if there is none that can be sent on.
    std::string_view correlation() const { return route_->correlation_of(*context_); }

private:
    friend class OutsideScope;
    static inline thread_local const HandlerScope* current_ = nullptr;

    CallbackScope callback_ = {};
    Context* context_;
    const PublishRoute* route_;
    const HandlerScope* outer_;
};

/// A CallbackScope on a thread that brings answers, or ends them at their deadlines: waiting there for an answer would
/// be waiting for itself, and every other request of the broker would wait along. Calls that block ask may_wait()
/// first.
class NoWaitScope {
public:
    NoWaitScope() noexcept { ++depth_; }
    NoWaitScope(const NoWaitScope&) = delete;
    NoWaitScope& operator=(const NoWaitScope&) = delete;
    ~NoWaitScope() { --depth_; }

    static bool inside() noexcept { return depth_ > 0; }

private:
    friend class OutsideScope;
    static inline thread_local int depth_ = 0;

    CallbackScope callback_ = {};
};

/// Marks, while it lives, that this thread waits: code that it runs meanwhile is not part of the handler or callback
/// that the thread is in.
class OutsideScope {
public:
    OutsideScope() noexcept
        : depth_{std::exchange(CallbackScope::depth_, 0)},
          no_wait_{std::exchange(NoWaitScope::depth_, 0)},
          handler_{std::exchange(HandlerScope::current_, nullptr)} {}
    OutsideScope(const OutsideScope&) = delete;
    OutsideScope& operator=(const OutsideScope&) = delete;
    ~OutsideScope() {
        CallbackScope::depth_ = depth_;
        NoWaitScope::depth_ = no_wait_;
        HandlerScope::current_ = handler_;
    }

private:
    int depth_;
    int no_wait_;
    const HandlerScope* handler_;
};

}  // namespace freshet::detail
