// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace freshet::detail {

enum class ConnectionChange : std::uint8_t { lost, back };

/// An object that wants to know when a broker's connection is lost, and when it is back.
class ConnectionWatcher {
public:
    /// Called on the transport's callback thread, once at a time. Must not block.
    virtual void on_connection(ConnectionChange change) noexcept = 0;

protected:
    ~ConnectionWatcher() = default;
};

}  // namespace freshet::detail
