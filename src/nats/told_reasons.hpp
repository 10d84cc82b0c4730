// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>

namespace freshet::detail::nats {

/// Knows which reasons were told of servers that cannot be reached. Each change of a server's reason is told. One that
/// comes back is told again only when it was told `pause` ago, because two may alternate from attempt to attempt. Not
/// thread-safe.
class ToldReasons {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds pause{10};

    /// Returns whether the reason is to be told, and counts it as told then.
    bool pass(const std::string& server, const std::string& reason, TimePoint now) {
        auto& known = servers_[server];
        if (known.last == reason) return false;
        const auto [told, first] = known.told.try_emplace(reason, now);
        if (!first && now - told->second < pause) return false;
        told->second = now;
        known.last = reason;
        return true;
    }
    bool empty() const noexcept { return servers_.empty(); }
    void clear() noexcept { servers_.clear(); }

private:
    struct Server {
        std::string last = {};
        std::map<std::string, TimePoint> told = {};  // each reason, and when it was told last
    };

    std::map<std::string, Server> servers_ = {};
};

}  // namespace freshet::detail::nats
