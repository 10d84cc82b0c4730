// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <freshet/context.hpp>

namespace freshet::detail {

/// While it lives, this thread runs code of a user's that freshet called: it must not wait for freshet's own threads.
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

/// A CallbackScope of a handler: what it sends carries its delivery's correlation id. Scopes nest.
class HandlerScope {
public:
    explicit HandlerScope(Context& context) noexcept : outer_{current_} { current_ = &context; }
    HandlerScope(const HandlerScope&) = delete;
    HandlerScope& operator=(const HandlerScope&) = delete;
    ~HandlerScope() { current_ = outer_; }

    /// The delivery that this thread handles, or null.
    static Context* current() noexcept { return current_; }

private:
    friend class OutsideScope;
    static inline thread_local Context* current_ = nullptr;

    CallbackScope callback_ = {};
    Context* outer_;
};

/// While it lives, this thread does other work than that of the handler or callback which it is inside of, and waits.
class OutsideScope {
public:
    OutsideScope() noexcept
        : depth_{std::exchange(CallbackScope::depth_, 0)}, context_{std::exchange(HandlerScope::current_, nullptr)} {}
    OutsideScope(const OutsideScope&) = delete;
    OutsideScope& operator=(const OutsideScope&) = delete;
    ~OutsideScope() {
        CallbackScope::depth_ = depth_;
        HandlerScope::current_ = context_;
    }

private:
    int depth_;
    Context* context_;
};

}  // namespace freshet::detail
