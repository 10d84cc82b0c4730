// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include <freshet/buffer.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/testing/virtual_clock.hpp>

namespace freshet::testing {

/// Options of a MemoryServer.
struct MemoryServerOptions {
    std::size_t max_payload = std::size_t{1} << 20;  ///< most bytes of a message, headers included
    std::shared_ptr<VirtualClock> clock = {};        ///< the clock to use; null: makes its own
    bool jetstream = true;  ///< has streams and consumers behind `$JS.API`, see docs/testing.md
};

/// A message on its way to one subscription.
struct Passage {
    std::string_view subject = {};
    std::string_view subscription = {};  ///< the subject of the subscription
    Bytes payload = {};
};

/// What an Intercept makes of a message on its way.
struct Fate {
    std::size_t copies = 1;               ///< how often it arrives; 0: it is lost
    std::chrono::nanoseconds delay = {};  ///< how much later it arrives; others may overtake it
};

/// Decides the fate of a message on its way to a subscription. May publish: no lock that publishing needs is held.
using Intercept = std::function<Fate(const Passage&)>;

}  // namespace freshet::testing
