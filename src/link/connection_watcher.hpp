// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include <freshet/error.hpp>

namespace freshet::detail {

enum class ConnectionChange : std::uint8_t {
    doubtful,  // a connection is lost, and perhaps the server; lost and back follow, or the end
    lost,
    back,
};

/// An object that wants to know when a broker's connection is lost, when it is back, and what the server refuses.
class ConnectionWatcher {
public:
    /// Called on the transport's callback thread, once at a time; for `doubtful` on any thread, perhaps several times,
    /// before what is published can reach another server. Must not block.
    virtual void on_connection(ConnectionChange change) noexcept = 0;
    /// Called on the same thread when the server has refused a publication on `subject`. Must not block.
    virtual void on_refused(std::string_view subject, const Error& why) noexcept {
        (void)subject;
        (void)why;
    }

protected:
    ~ConnectionWatcher() = default;
};

}  // namespace freshet::detail
