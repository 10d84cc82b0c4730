// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <freshet/events.hpp>
#include <freshet/health.hpp>

namespace freshet::detail {

/// What the events of a connection say of it so far. Thread-safe.
class ConnectionState {
public:
    void on(const ConnectionEvent& event);
    /// Notes why the connection could not be made.
    void fail(const Error& why);
    /// Adds what is known to the health of a broker, whose state is set.
    void tell(Health& health) const;
    bool connected() const;

private:
    mutable std::mutex mutex_ = {};
    bool connected_ = false;
    std::string reason_ = {};
    std::vector<Health::Unreachable> unreachable_ = {};
};

}  // namespace freshet::detail
