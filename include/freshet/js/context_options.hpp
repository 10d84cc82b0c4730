// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/detail/chrono.hpp>

namespace freshet::js {

/// Which JetStream to talk to, and how long to wait for it.
struct ContextOptions {
    std::string domain = {};  ///< of a leaf node or a hub; empty: the connection's own
    std::string prefix =
        {};  ///< of the API's subjects where another account exports it; empty: `$JS.API`. Not with `domain`
    std::chrono::milliseconds timeout{5'000};  ///< for each answer of the server's
};

}  // namespace freshet::js
