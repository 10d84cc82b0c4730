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

/// Sees each delivery of a broker: for tests. Called on the thread that handles the message.
class DeliveryObserver {
public:
    DeliveryObserver() = default;
    DeliveryObserver(const DeliveryObserver&) = delete;
    DeliveryObserver& operator=(const DeliveryObserver&) = delete;
    virtual ~DeliveryObserver() = default;

    /// The handlers of the subscriber with this pattern take the object provided for `type`.
    virtual void on_inject(std::string_view pattern, const std::type_info& type) = 0;
    /// A message is about to be handled.
    virtual void on_delivery(const SubscriberCore& subscriber, const Context& context) noexcept = 0;
    /// It has come to the handler, through all middlewares. What this throws counts as thrown by the handler.
    virtual void on_handler(const SubscriberCore& subscriber) = 0;
    /// The handler threw.
    virtual void on_thrown(const Context& context, const std::exception_ptr& thrown) noexcept = 0;
    /// The message is about to be settled. The same context as before; its message may be empty by now.
    virtual void on_settled(const SubscriberCore& subscriber, const Context& context,
                            const Handled& handled) noexcept = 0;
    /// A message of a batch is about to be settled: all there is of it, since a batch has one context for its messages.
    virtual void on_batched(const SubscriberCore& subscriber, const Message& message,
                            const Handled& handled) noexcept = 0;
};

}  // namespace freshet::detail
