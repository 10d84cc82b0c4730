// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <freshet/error.hpp>
#include <freshet/stats.hpp>

#include "base/error_state.hpp"

namespace freshet::detail {

/// The names of the kinds of errors, by number: those of Condition, between "other" and "exception", as words without
/// blanks.
inline constexpr std::array error_kinds{"other",          "timeout",        "no_responders", "not_found",
                                        "already_exists", "wrong_revision", "disconnected",  "bad_payload",
                                        "bad_setup",      "remote",         "exception"};

/// Returns the number of the error's kind.
inline std::size_t kind_of(const Error& error) noexcept {
    constexpr auto exception = error_kinds.size() - 1;
    // The Error that stands for an exception of another type says bad_setup.
    if (error == Errc::bad_setup && ErrorAccess::state(error).thrown != nullptr) return exception;
    const auto condition = error.condition();
    const auto number = condition ? static_cast<std::size_t>(*condition) : 0;
    return number < exception ? number : 0;
}

/// Returns the kinds that occurred; `count(kind)` says how often.
template <class Count>
ErrorKinds error_counts(Count count) {
    ErrorKinds counts;
    for (std::size_t kind = 0; kind < error_kinds.size(); ++kind)
        if (const std::uint64_t number = count(kind)) counts.emplace_back(error_kinds[kind], number);
    return counts;
}

}  // namespace freshet::detail
