// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <typeinfo>

#include <freshet/error.hpp>

namespace freshet {
class Broker;
}

namespace freshet::detail {

class DeliveryObserver;
class StallWatch;
struct Layer;

/// The broker as a subscriber sees it, beside the link. The subscriber asks it at the start, and when a handler ends
/// the program, but not for each message.
class Host {
public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    virtual Broker& owner() const noexcept = 0;
    /// Returns the object provided for `type`, or null.
    virtual void* provided(const std::type_info& type) const = 0;
    /// Returns the stand-in for a function of Depends, or null.
    virtual const void* replacement(const void* key) const noexcept = 0;
    /// Returns the layer that the broker puts around every handler.
    virtual std::shared_ptr<const Layer> layer() const noexcept = 0;
    /// Returns the observer of deliveries, null outside of tests. Does not change after the start.
    virtual DeliveryObserver* observer() const noexcept = 0;
    /// Returns false if no subscriber may have threads of its own: handlers then run in the transport's thread or the
    /// clock's.
    virtual bool threads() const noexcept = 0;
    /// Ends the program that runs the broker, else the broker, because a subscriber is lost for good. Does not block.
    virtual void on_lost(std::string_view subject, const Error& why) noexcept = 0;
    /// Returns true if a subscriber of this broker on core NATS gets the messages on `subject`, and answers them.
    virtual bool answers(std::string_view subject) const = 0;
    /// Ends the program that runs the broker with `code`, else stops the broker.
    virtual void exit(int code) noexcept = 0;
    /// Returns what watches the handlers on delivery threads; null unless threads().
    virtual StallWatch* stall_watch() noexcept = 0;

protected:
    ~Host() = default;
};

}  // namespace freshet::detail
