// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <freshet/subscriber.hpp>
#include <freshet/transport.hpp>

namespace freshet {

/// Counters of a broker since it was made.
struct BrokerStats {
    TransportStats transport = {};
    std::size_t subscribers = 0;          ///< registered subscribers
    std::size_t requests_in_flight = 0;   ///< requests without an answer, an error or a timeout yet
    std::uint64_t received = 0;           ///< messages that reached the handlers of all subscribers
    std::uint64_t failed = 0;             ///< see SubscriberStats::failed; the sum over all subscribers
    std::uint64_t rejected = 0;           ///< see SubscriberStats::rejected; the sum over all subscribers
    std::uint64_t dropped = 0;            ///< see SubscriberStats::dropped; the sum over all subscribers
    std::uint64_t declined = 0;           ///< see SubscriberStats::declined; the sum over all subscribers
    std::vector<ErrorCount> errors = {};  ///< see SubscriberStats::errors; the sum over all subscribers
};

}  // namespace freshet
