// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/timeout_warning.hpp>

#include <chrono>
#include <string>

#include <freshet/broker.hpp>
#include <freshet/clock.hpp>

namespace freshet {

Outcome TimeoutWarning::operator()(Context& context, Next next) const {
    const std::string subject{context.subject()};
    auto& logger = context.broker().logger();
    auto& clock = context.clock();
    const auto warning = clock.schedule(clock.now() + after_, [&] {
        logger.with({.subject = subject})
            .warn("the handler still runs after {} ms",
                  std::chrono::duration_cast<std::chrono::milliseconds>(after_).count());
    });
    struct Cancel {
        Clock& clock;
        TimerId id;
        ~Cancel() { clock.cancel_and_wait(id); }
    } const cancel{clock, warning};
    return next(context);
}

}  // namespace freshet
