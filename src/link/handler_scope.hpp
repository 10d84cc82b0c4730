// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include <freshet/detail/publish_step.hpp>

#include "base/callback_scope.hpp"

namespace freshet {
class Context;
}

namespace freshet::detail {

class Link;

/// The link and the publish middleware that a subscriber's handlers send through, and the function that reads the
/// correlation id of a delivery.
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
        : context_{&context}, route_{&route}, outer_{CallbackSlot::exchange(this)} {}
    HandlerScope(const HandlerScope&) = delete;
    HandlerScope& operator=(const HandlerScope&) = delete;
    ~HandlerScope() { CallbackSlot::exchange(outer_); }

    /// Returns the scope of the delivery that this thread handles, or null.
    static const HandlerScope* current() noexcept { return static_cast<const HandlerScope*>(CallbackSlot::held()); }

    Context& context() const noexcept { return *context_; }
    const PublishRoute& route() const noexcept { return *route_; }
    /// Returns the correlation id of the delivery; empty if it has none that can be sent on.
    std::string_view correlation() const { return route_->correlation_of(*context_); }

private:
    CallbackScope callback_ = {};
    Context* context_;
    const PublishRoute* route_;
    const void* outer_;
};

}  // namespace freshet::detail
