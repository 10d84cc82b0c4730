// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace freshet::detail {

/// Who wants to know when a broker's connection is lost, and when it is back.
class ConnectionWatcher {
public:
    /// From the transport's callback thread, one call at a time; must not block.
    virtual void on_connection(bool up) noexcept = 0;

protected:
    ~ConnectionWatcher() = default;
};

}  // namespace freshet::detail
