// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "base/depth_scope.hpp"

namespace freshet::detail {

/// Marks, while it lives, that this thread runs a user's code that freshet called, so that it must not wait for
/// freshet's own threads.
class CallbackScope : public DepthScope<CallbackScope> {};

/// A CallbackScope on a thread that brings answers, or ends them at their deadlines: waiting there for an answer would
/// be waiting for itself, and every other request of the broker would wait along. Functions that block call may_wait()
/// first.
class NoWaitScope : public DepthScope<NoWaitScope> {
    CallbackScope callback_ = {};
};

/// Holds what another room remembers about the callback that this thread runs; only that room knows its type.
class CallbackSlot {
public:
    /// Puts `held` into the slot of this thread and returns what was there; null: nothing.
    static const void* exchange(const void* held) noexcept { return std::exchange(held_, held); }
    static const void* held() noexcept { return held_; }

private:
    static constinit inline thread_local const void* held_ = nullptr;
};

/// Marks, while it lives, that this thread waits: code that it runs meanwhile is not part of the handler or callback
/// that the thread is in.
class OutsideScope {
public:
    OutsideScope() noexcept = default;
    OutsideScope(const OutsideScope&) = delete;
    OutsideScope& operator=(const OutsideScope&) = delete;
    ~OutsideScope() { CallbackSlot::exchange(held_); }

private:
    CallbackScope::Outside callback_ = {};
    NoWaitScope::Outside no_wait_ = {};
    const void* held_ = CallbackSlot::exchange(nullptr);
};

}  // namespace freshet::detail
