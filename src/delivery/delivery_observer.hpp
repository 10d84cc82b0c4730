// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string_view>
#include <typeinfo>

#include <freshet/detail/source.hpp>

namespace freshet {
class Context;
class Message;
}  // namespace freshet

namespace freshet::detail {

class SubscriberCore;

/// Sees each delivery of a broker, for tests. The subscriber calls it on the thread that handles the message.
class DeliveryObserver {
public:
    DeliveryObserver() = default;
    DeliveryObserver(const DeliveryObserver&) = delete;
    DeliveryObserver& operator=(const DeliveryObserver&) = delete;
    virtual ~DeliveryObserver() = default;

    /// Called at the binding: a handler of the subscriber with this pattern takes the object provided for `type`.
    virtual void on_inject(std::string_view pattern, const std::type_info& type) = 0;
    /// Called before the middlewares see the message.
    virtual void on_delivery(const SubscriberCore& subscriber, const Context& context) noexcept = 0;
    /// Called when the message has passed all middlewares. An exception of this function counts as thrown by the
    /// handler.
    virtual void on_handler(const SubscriberCore& subscriber) = 0;
    /// Called when the handler or a middleware threw.
    virtual void on_thrown(const Context& context, const std::exception_ptr& thrown) noexcept = 0;
    /// Called when the handler has returned and the message is settled later: `later` then takes the place of the
    /// context that on_delivery got.
    virtual void on_postponed(const Context& context, const Context& later) noexcept = 0;
    /// Called before the message is settled, with the context that on_delivery got. The context's message may be empty
    /// by now.
    virtual void on_settled(const SubscriberCore& subscriber, const Context& context,
                            const Handled& handled) noexcept = 0;
    /// Called before a message of a batch is settled. There is no context for it, since a batch has one for all its
    /// messages.
    virtual void on_batched(const SubscriberCore& subscriber, const Message& message,
                            const Handled& handled) noexcept = 0;
};

}  // namespace freshet::detail
