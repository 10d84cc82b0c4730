// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "broker/broker_core.hpp"

namespace freshet::detail {

/// Counts the deliveries that publications will cause at a broker's own subscribers, so that a test with a real server
/// knows how long to wait. Thread-safe.
class Awaited {
public:
    explicit Awaited(const BrokerCore& core) : core_{core} {}

    /// Expects the deliveries of a message that is about to be published.
    void expect(std::string_view subject);
    /// Called when a delivery was settled.
    void settled(const SubscriberCore& subscriber);
    /// Blocks until all expected deliveries were settled, or until `timeout`; then nothing is expected any more.
    void wait(std::chrono::milliseconds timeout);

private:
    static std::string key_of(const SubscriberCore& subscriber);

    const BrokerCore& core_;
    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::map<std::string, int> expected_ = {};  // by queue group, else by subject
};

}  // namespace freshet::detail
