// SPDX-License-Identifier: Apache-2.0
#include "delivery/access_log.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <freshet/batch.hpp>
#include <freshet/clock.hpp>

#include "delivery/failure_answer.hpp"

namespace freshet::detail {
namespace {

std::string_view text_of(const Outcome& outcome) noexcept {
    switch (outcome.kind()) {
        case Outcome::Kind::nack: return "nack";
        case Outcome::Kind::term: return "term";
        default: return "ack";
    }
}

}  // namespace

Outcome run_logged(Context& context, Next next, LogLevel level) {
    if (!context.logger().enabled(level)) return next(context);
    auto& clock = context.clock();
    const auto* const items = context.get<Items>();
    const auto size = items != nullptr ? items->size() : 1;  // the handler gets only those that decode
    const auto begin = clock.now();
    auto outcome = next(context);
    const std::chrono::duration<double, std::milli> took = clock.now() - begin;
    std::string more = size == 1 ? std::string{} : fmt::format(", {} messages", size);
    if (const auto* const failure = context.failure())
        more += fmt::format(", code {}", code_of(*failure, ContextAccess::rejected(context)));
    context.logger().log(level, "delivery: {} in {:.3f} ms{}", text_of(outcome), took.count(), more);
    return outcome;
}

}  // namespace freshet::detail
