// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/context.hpp>
#include <freshet/middleware.hpp>

namespace freshet {

/// Logs a warning when a handler still runs after `after`, while it runs: `broker.use(TimeoutWarning{5s})`. It stops
/// nothing. Takes a timer of the broker's clock, and so an allocation, per message.
class TimeoutWarning {
public:
    explicit TimeoutWarning(std::chrono::nanoseconds after) noexcept : after_{after} {}
    Outcome operator()(Context& context, Next next) const;

private:
    std::chrono::nanoseconds after_;
};

}  // namespace freshet
