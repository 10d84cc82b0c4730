// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace freshet::detail {

/// An object that wants to know when a broker's connection is lost, and when it is back.
class ConnectionWatcher {
public:
    /// Called on the transport's callback thread, once at a time. `up` is false at a loss. Must not block.
    virtual void on_connection(bool up) noexcept = 0;

protected:
    ~ConnectionWatcher() = default;
};

}  // namespace freshet::detail
