// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>

// What running services say of themselves (ADR-32), and how to ask them.
namespace freshet {

/// An instance of a service, as it answers a ping.
struct ServiceId {
    std::string name = {};                             ///< of the service
    std::string id = {};                               ///< of this instance: no other one has it
    std::string version = {};                          ///< semantic version
    std::map<std::string, std::string> metadata = {};  ///< what the service says beside

    friend bool operator==(const ServiceId&, const ServiceId&) = default;
};

/// An endpoint of a service: a subject on which it answers requests.
struct EndpointInfo {
    std::string name = {};
    std::string subject = {};                          ///< on the wire; may have wildcards
    std::string queue_group = {};                      ///< empty: each instance answers each request
    std::map<std::string, std::string> metadata = {};  ///< with the schemas: see docs/services.md#schemas

    friend bool operator==(const EndpointInfo&, const EndpointInfo&) = default;
};

/// What an instance offers.
struct ServiceInfo {
    ServiceId service = {};
    std::string description = {};
    std::vector<EndpointInfo> endpoints = {};  ///< in the order of their declaration

    friend bool operator==(const ServiceInfo&, const ServiceInfo&) = default;
};

/// What an endpoint has done since its start, or since the last reset.
struct EndpointStats {
    std::string name = {};
    std::string subject = {};
    std::string queue_group = {};
    std::uint64_t num_requests = 0;                       ///< requests whose handling has ended
    std::uint64_t num_errors = 0;                         ///< of these, those that were answered with an error
    std::string last_error = {};                          ///< code and text that the caller got: `404:no such file`
    std::chrono::nanoseconds processing_time{0};          ///< sum of the times that handlers took
    std::chrono::nanoseconds average_processing_time{0};  ///< of one request
    std::string data = {};                                ///< JSON of the service's own; empty: none

    friend bool operator==(const EndpointStats&, const EndpointStats&) = default;
};

/// What an instance has done.
struct ServiceStats {
    ServiceId service = {};
    std::chrono::system_clock::time_point started = {};  ///< of the instance, or of the last reset
    std::vector<EndpointStats> endpoints = {};

    friend bool operator==(const ServiceStats&, const ServiceStats&) = default;
};

/// How to ask services.
struct DiscoveryOptions {
    std::chrono::milliseconds timeout{0};  ///< deadline for all answers; 0: the broker's request_timeout
    std::chrono::milliseconds stall{300};  ///< the longest pause after an answer; 0: no limit
    std::string prefix = "$SRV";           ///< first tokens of the subjects
};

/// Asks the services on the bus, of whatever language, what they are: `broker.services().ping("calc")`.
///
/// Each function asks once and blocks until all answers are there: until an instance that was asked for by its id has
/// answered, until none came for DiscoveryOptions::stall, or until the deadline. It returns the answers, sorted by name
/// and id; none if no service runs. What is not an answer of that kind is left out. Throws Error: bad_setup for a name
/// that no service can have, Condition::disconnected, Errc::closed; try_* returns it instead. May be called from any
/// thread, but not in functions given to async. Cheap to copy; must not outlive its broker.
class Services {
public:
    Services(detail::Link& link, DiscoveryOptions options) : link_{&link}, options_{std::move(options)} {}

    /// Returns the instances that run: of all services, of those of this name, or the one with this id.
    std::vector<ServiceId> ping(std::string_view name = {}, std::string_view id = {}) const {
        return value_or_raise(try_ping(name, id));
    }
    Expected<std::vector<ServiceId>> try_ping(std::string_view name = {}, std::string_view id = {}) const;

    /// Returns what they offer.
    std::vector<ServiceInfo> info(std::string_view name = {}, std::string_view id = {}) const {
        return value_or_raise(try_info(name, id));
    }
    Expected<std::vector<ServiceInfo>> try_info(std::string_view name = {}, std::string_view id = {}) const;

    /// Returns what they have done.
    std::vector<ServiceStats> stats(std::string_view name = {}, std::string_view id = {}) const {
        return value_or_raise(try_stats(name, id));
    }
    Expected<std::vector<ServiceStats>> try_stats(std::string_view name = {}, std::string_view id = {}) const;

private:
    detail::Link* link_;
    DiscoveryOptions options_;
};

}  // namespace freshet
