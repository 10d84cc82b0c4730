// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <freshet/context.hpp>
#include <freshet/middleware.hpp>

namespace freshet {

/// Logs a warning, once per message, while a handler runs longer than `after`: `broker.use(TimeoutWarning{5s})`. The
/// warning comes at most a tenth of `after` late. It does not stop the handler. All messages share one timer of the
/// broker's clock, which does not run while no handler runs. Allocates nothing per message. Copies share the timer.
/// Thread-safe.
class TimeoutWarning {
public:
    /// Throws Errc::bad_setup for a time that is not above zero.
    explicit TimeoutWarning(std::chrono::nanoseconds after);
    Outcome operator()(Context& context, Next next) const;

private:
    class Watches;
    std::shared_ptr<Watches> watches_;
};

}  // namespace freshet
