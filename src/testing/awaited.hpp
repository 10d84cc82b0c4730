// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "broker/broker_core.hpp"

namespace freshet::detail {

/// Deliveries that publications will lead to at a broker's own subscribers: how a test with a real server knows when to look.
/// Thread-safe.
class Awaited {
public:
    explicit Awaited(const BrokerCore& core) : core_{core} {}

    /// Something is about to be published.
    void expect(std::string_view subject);
    /// A delivery was settled.
    void settled(const SubscriberCore& subscriber);
    /// Until everything expected was settled, or `timeout`; then nothing is expected any more.
    void wait(std::chrono::milliseconds timeout);

private:
    static std::string key_of(const SubscriberCore& subscriber);

    const BrokerCore& core_;
    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::map<std::string, int> expected_ = {};  // by queue group, or by subject
};

}  // namespace freshet::detail
