// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include <freshet/about.hpp>
#include <freshet/extract.hpp>

#include "delivery/delivery_observer.hpp"

namespace freshet::detail {

/// What a service is called, and what it says of itself. See ServiceOptions.
struct ServiceFacts {
    std::string name = {};
    std::string version = {};
    About about = {};
    std::map<std::string, std::string> metadata = {};
};

/// A subscriber's part in a service: what it is called there, and an observer of its deliveries, which takes the place
/// of the host's and passes everything on to it. So a subscriber without one pays nothing.
class Endpoint : public DeliveryObserver {
public:
    /// Returns the facts of its service; those of one service are one object.
    virtual const ServiceFacts& service() const noexcept = 0;
    virtual const std::string& name() const noexcept = 0;
    /// Returns what the program says of it.
    virtual const std::map<std::string, std::string>& metadata() const noexcept = 0;
    /// Reports what is wrong with it to `binder`. `next` is the host's observer, or null. Called before the first
    /// message.
    virtual void bind(Binder& binder, DeliveryObserver* next) = 0;
};

}  // namespace freshet::detail
