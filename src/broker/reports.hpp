// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/broker_stats.hpp>

namespace freshet::detail {

/// Adds the counters of a subscriber to a sum.
void add_to(SubscriberStats& sum, const SubscriberStats& one);

/// What subscribers have counted, together for each subject and group. Not thread-safe.
class Reports {
public:
    /// Adds counters; `most`: how many subjects are kept apart, the others become one.
    void add(std::string_view subject, std::string_view group, const SubscriberStats& stats,
             std::size_t most = static_cast<std::size_t>(-1));
    std::vector<SubscriberReport> list() const;
    /// Returns the sum over all.
    SubscriberStats sum() const;

private:
    std::map<std::pair<std::string, std::string>, SubscriberStats> reports_ = {};
};

}  // namespace freshet::detail
