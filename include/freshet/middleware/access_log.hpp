// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/context.hpp>
#include <freshet/logger.hpp>
#include <freshet/middleware.hpp>

namespace freshet {

/// Logs one line for each delivery: its outcome, how long the handler and the inner middlewares took, and the code of
/// its error if it failed: `broker.use(AccessLog{})` for all subscribers, `.use(AccessLog{})` for one. While a
/// broker's logger writes level debug, it does this by itself, at that level. Thread-safe.
class AccessLog {
public:
    /// @param level  level of the lines
    explicit AccessLog(LogLevel level = LogLevel::info) noexcept : level_{level} {}
    Outcome operator()(Context& context, Next next) const;

private:
    LogLevel level_;
};

}  // namespace freshet
