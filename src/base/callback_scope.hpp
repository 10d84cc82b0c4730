// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <utility>

namespace freshet {
class Context;
}

namespace freshet::detail {

class Link;
class PublishStep;

/// While it lives, this thread runs a user's code that freshet called, so it must not wait for freshet's own threads.
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

/// The publish middleware that a subscriber's handlers send through, and the link it belongs to.
struct PublishRoute {
    const Link* link = nullptr;
    std::span<PublishStep* const> steps = {};
};

/// A CallbackScope of a handler: what the handler sends passes its subscriber's publish middleware and carries the
/// correlation id of its delivery. Scopes nest.
class HandlerScope {
public:
    HandlerScope(Context& context, const PublishRoute& route) noexcept
        : context_{&context}, route_{&route}, outer_{current_} {
        current_ = this;
    }
    HandlerScope(const HandlerScope&) = delete;
    HandlerScope& operator=(const HandlerScope&) = delete;
    ~HandlerScope() { current_ = outer_; }

    /// The delivery that this thread handles, or null.
    static const HandlerScope* current() noexcept { return current_; }

    Context& context() const noexcept { return *context_; }
    const PublishRoute& route() const noexcept { return *route_; }

private:
    friend class OutsideScope;
    static inline thread_local const HandlerScope* current_ = nullptr;

    CallbackScope callback_ = {};
    Context* context_;
    const PublishRoute* route_;
    const HandlerScope* outer_;
};

/// A CallbackScope on a thread that brings answers, or ends them at their deadlines: waiting there for an answer would be
/// waiting for itself, and every other request of the broker would wait along. Calls that block ask may_wait() first.
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

/// While it lives, this thread waits, and what it runs meanwhile is not part of the handler or callback it is inside of.
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
