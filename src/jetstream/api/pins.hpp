// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace freshet::detail {

/// The pins that the server gave this program (ADR-42): who asks with one keeps getting the messages of its group.
/// Thread-safe.
class Pins {
public:
    /// `consumer`: `STREAM.NAME`. Empty: there is none.
    std::string of(std::string_view consumer, std::string_view group) const {
        const std::lock_guard lock{mutex_};
        const auto found = pins_.find(key(consumer, group));
        return found == pins_.end() ? std::string{} : found->second;
    }
    /// An empty pin takes the one there was away.
    void set(std::string_view consumer, std::string_view group, std::string pin) {
        const std::lock_guard lock{mutex_};
        if (pin.empty()) pins_.erase(key(consumer, group));
        else pins_.insert_or_assign(key(consumer, group), std::move(pin));
    }

private:
    static std::string key(std::string_view consumer, std::string_view group) {
        return std::string{consumer} + ' ' + std::string{group};
    }

    mutable std::mutex mutex_ = {};
    std::map<std::string, std::string> pins_ = {};
};

}  // namespace freshet::detail
