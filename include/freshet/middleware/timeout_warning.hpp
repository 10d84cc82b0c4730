// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <freshet/context.hpp>
#include <freshet/middleware.hpp>

namespace freshet {

/// Logs a warning, once, when a handler still runs after `after`, or at most a tenth of that later, while it runs:
/// `broker.use(TimeoutWarning{5s})`. It stops nothing. One timer of the broker's clock for all messages, none while no
/// handler runs; nothing is allocated per message. Copies share their timer.
class TimeoutWarning {
public:
    /// Throws Error(Errc::bad_setup) for a time that is not above zero.
    explicit TimeoutWarning(std::chrono::nanoseconds after);
    Outcome operator()(Context& context, Next next) const;

private:
    class Watches;
    std::shared_ptr<Watches> watches_;
};

}  // namespace freshet
