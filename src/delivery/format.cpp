// SPDX-License-Identifier: Apache-2.0
#include <freshet/format.hpp>

#include <chrono>
#include <string>

#include <fmt/format.h>

namespace freshet::detail {

fmt::format_context::iterator HandOn::write(fmt::format_context& context, fmt::format_args value) const {
    return fmt::vformat_to(context.out(), fmt::format("{{:{}}}", spec_), value);
}

fmt::format_context::iterator HandOn::write(fmt::format_context& context, std::string_view text) const {
    return write(context, fmt::make_format_args(text));
}

}  // namespace freshet::detail

fmt::format_context::iterator fmt::formatter<freshet::Outcome>::format(const freshet::Outcome& outcome,
                                                                       fmt::format_context& context) const {
    using Kind = freshet::Outcome::Kind;
    std::string text = outcome.kind() == Kind::ack ? "ack" : outcome.kind() == Kind::nack ? "nack" : "term";
    if (outcome.kind() == Kind::nack && outcome.delay().count() != 0) {
        const auto delay = std::chrono::duration_cast<std::chrono::milliseconds>(outcome.delay());
        text += fmt::format(" in {} ms", delay.count());
    }
    if (!outcome.reason().empty()) text.append(": ").append(outcome.reason());
    return write(context, text);
}
