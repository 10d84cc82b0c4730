// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <typeinfo>

namespace freshet {
class Broker;
}

namespace freshet::detail {

class DeliveryObserver;
struct Layer;

/// What a subscriber asks of its broker beside the link: at the start, and when a handler ends the program. Never for a
/// message.
class Host {
public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    virtual Broker& owner() const noexcept = 0;
    /// The object provided for `type`, or null.
    virtual void* provided(const std::type_info& type) const = 0;
    /// The stand-in for a function of Depends, or null.
    virtual const void* replacement(const void* key) const noexcept = 0;
    /// What the broker puts around every handler.
    virtual std::shared_ptr<const Layer> layer() const noexcept = 0;
    /// Sees the deliveries; null outside of tests. Fixed before the start.
    virtual DeliveryObserver* observer() const noexcept = 0;
    /// False: no subscriber has threads of its own; handlers run in the transport's thread or the clock's.
    virtual bool threads() const noexcept = 0;
    /// Ends the program that runs the broker with `code`, else stops the broker.
    virtual void exit(int code) noexcept = 0;

protected:
    ~Host() = default;
};

}  // namespace freshet::detail
