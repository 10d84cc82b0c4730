// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <freshet/error.hpp>
#include <freshet/health.hpp>

#include "delivery/endpoint.hpp"

namespace freshet::detail {

/// A service as its broker sees it: it can be found while the broker runs. Its endpoints are subscribers.
class HostedService {
public:
    HostedService() = default;
    HostedService(const HostedService&) = delete;
    HostedService& operator=(const HostedService&) = delete;
    virtual ~HostedService() = default;

    virtual const ServiceFacts& facts() const noexcept = 0;
    /// Adds what is wrong with the declaration to `problems`. Called with the broker's lock held.
    virtual void check(std::vector<std::string>& problems) const = 0;
    /// Begins to answer those who look for services. The subscribers have been started. The server knows of it after a
    /// flush.
    virtual Expected<void> start() = 0;
    /// Returns why the server refused a subscription of start(), or nothing. Known after a flush.
    virtual std::optional<Error> refusal() const = 0;
    /// Returns the subjects on which it cannot be found, and why.
    virtual std::vector<Health::Lost> lost() const = 0;
    /// Answers nobody any more. The subscribers have stopped. Does not wait.
    virtual void stop() noexcept = 0;
};

}  // namespace freshet::detail
