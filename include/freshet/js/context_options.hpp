// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/detail/chrono.hpp>

namespace freshet::js {

/// Which JetStream to use, and how long to wait for its answers.
struct ContextOptions {
    std::string domain = {};  ///< domain of a leaf node or a hub; empty: the connection's own
    /// Prefix of the API's subjects, for an API that another account exports; empty: `$JS.API`. Not with `domain`.
    std::string prefix = {};
    std::chrono::milliseconds timeout{5'000};  ///< how long to wait for each answer of the server
};

}  // namespace freshet::js
