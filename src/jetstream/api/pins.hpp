// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace freshet::detail {

/// The pins that the server gave this program (ADR-42). A client that sends its pin keeps getting the messages of its
/// group. Thread-safe.
class Pins {
public:
    /// Returns the pin of a group; empty if there is none. `consumer`: `STREAM.NAME`.
    std::string of(std::string_view consumer, std::string_view group) const {
        const std::lock_guard lock{mutex_};
        const auto found = pins_.find(key(consumer, group));
        return found == pins_.end() ? std::string{} : found->second;
    }
    /// Sets the pin of a group; an empty pin removes it.
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
