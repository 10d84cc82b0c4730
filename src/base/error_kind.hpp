// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <freshet/error.hpp>
#include <freshet/stats.hpp>

namespace freshet::detail {

/// The names of the kinds of errors, by number: those of Condition, after "other", as words without blanks.
inline constexpr std::array error_kinds{"other",          "timeout",        "no_responders", "not_found",
                                        "already_exists", "wrong_revision", "disconnected",  "bad_payload",
                                        "bad_setup",      "remote"};

/// Returns the number of the error's kind.
inline std::size_t kind_of(const Error& error) noexcept {
    const auto condition = error.condition();
    const auto number = condition ? static_cast<std::size_t>(*condition) : 0;
    return number < error_kinds.size() ? number : 0;
}

/// Returns the kinds that occurred; `count(kind)` says how often.
template <class Count>
ErrorCounts error_counts(Count count) {
    ErrorCounts counts;
    for (std::size_t kind = 0; kind < error_kinds.size(); ++kind)
        if (const std::uint64_t number = count(kind)) counts.emplace_back(error_kinds[kind], number);
    return counts;
}

}  // namespace freshet::detail
