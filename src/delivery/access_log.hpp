// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <freshet/detail/layer.hpp>
#include <freshet/logger.hpp>

namespace freshet::detail {

/// Calls `next`, and logs what came of the delivery and how long it took.
Outcome run_logged(Context& context, Next next, LogLevel level);

/// The access log around everything else of a subscriber, at level debug.
class AccessLogStep final : public Step {
public:
    Outcome run(Context& context, Next next) override { return run_logged(context, std::move(next), LogLevel::debug); }
};

}  // namespace freshet::detail
