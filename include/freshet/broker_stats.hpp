// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <freshet/stats.hpp>
#include <freshet/transport.hpp>

namespace freshet {

/// What the subscribers of one subject and group have counted.
struct SubscriberReport {
    std::string subject = {};  ///< as declared, with its `{names}`; "(other)" beyond a thousand that have ended
    std::string group = {};    ///< the queue group or the durable consumer; empty: none
    SubscriberStats stats = {};
};

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
    bool running = false;                 ///< see Broker::running
    bool connected = false;               ///< there is a server now
    std::uint64_t slow_consumers = 0;     ///< events of the kind slow_consumer
    std::size_t unconfirmed = 0;          ///< messages of AsyncPublishers that no stream has confirmed yet
    std::size_t most_unconfirmed = 0;     ///< how many the AsyncPublishers allow
    /// The subscribers, also those that have ended; those with the same subject and group count together.
    std::vector<SubscriberReport> by_subscriber = {};
    std::vector<PublisherStats> by_publisher = {};  ///< publishers, `publish_to`, and what has no declared subject
    std::vector<RequestStats> by_client = {};       ///< clients, and requests that have no declared subject
    std::vector<StoreStats> by_store = {};          ///< operations on buckets
};

}  // namespace freshet
