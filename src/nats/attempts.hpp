// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "nats/status.hpp"

namespace freshet::detail::nats {

/// An attempt to reach one server that failed.
struct FailedAttempt {
    std::string server = {};  ///< "host:port"; empty if it is not known which
    Failure failure = {};
};

/// Remembers how the attempts of one connection to reach its servers end. cnats tries one server after the other inside
/// one call, and tells only of the last. Thread-safe.
class Attempts {
public:
    /// Notes that this thread begins to connect to `server`. If an attempt was open, it has failed for the reason that
    /// cnats and OpenSSL remember for this thread; forgets that reason.
    void begin(std::string server);
    /// Notes that the open attempt, if there is one, has failed: for `failure`, or for the thread's reason if it is OK.
    void fail(Failure failure = {});
    /// Notes that the open attempt has succeeded, and forgets the failed ones.
    void succeed();
    /// Returns the attempts that have failed since the last call, in their order.
    std::vector<FailedAttempt> take();

private:
    std::mutex mutex_ = {};
    std::optional<std::string> open_ = {};
    std::vector<FailedAttempt> failed_ = {};
};

}  // namespace freshet::detail::nats
