// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include <freshet/fixed_string.hpp>
#include <freshet/subject_grammar.hpp>

namespace freshet {

/// A pattern known to the compiler, which checks it: `broker.subscriber<"orders.{region}.created">()`. At most one of
/// the assertions fails.
template <FixedString Pattern>
struct StaticSubject {
    static constexpr SubjectFault fault = check_pattern(Pattern.view());
    static constexpr bool valid = fault == SubjectFault::none;

    static_assert(fault != SubjectFault::empty, "freshet: a subject pattern is empty. See docs/handlers.md#subjects");
    static_assert(fault != SubjectFault::too_long,
                  "freshet: a subject pattern is longer than 3072 bytes. See docs/handlers.md#subjects");
    static_assert(
        fault != SubjectFault::empty_token,
        "freshet: a subject pattern has an empty token ('..', or a '.' at an end). See docs/handlers.md#subjects");
    static_assert(fault != SubjectFault::bad_character,
                  "freshet: a subject pattern has a space or a control character. See docs/handlers.md#subjects");
    static_assert(fault != SubjectFault::partial_wildcard,
                  "freshet: a subject pattern has '*' or '>' inside a longer token; a wildcard is a whole token. "
                  "See docs/handlers.md#subjects");
    static_assert(fault != SubjectFault::partial_parameter,
                  "freshet: a subject pattern has '{' or '}' inside a longer token; a parameter is a whole token, "
                  "{name}. See docs/handlers.md#subjects");
    static_assert(fault != SubjectFault::bad_name,
                  "freshet: a subject pattern has a bad parameter name; a name is made of letters, digits and '_' and "
                  "does not start with a digit. See docs/handlers.md#subjects");
    static_assert(fault != SubjectFault::duplicate_name,
                  "freshet: a subject pattern has two parameters of the same name. See docs/handlers.md#subjects");
    static_assert(fault != SubjectFault::tail_not_last,
                  "freshet: a subject pattern has '>' before its end. See docs/handlers.md#subjects");

    static constexpr std::size_t parameter_count = detail::count_parameters(Pattern.view());

    /// Returns the pattern as it was written.
    static constexpr std::string_view view() noexcept { return Pattern.view(); }

    /// Returns which token is the parameter `name`, counted from 0; -1 if there is none.
    static constexpr int token_of(std::string_view name) noexcept {
        const auto token = detail::find_parameter(view(), name);
        return token ? static_cast<int>(*token) : -1;
    }

    /// Returns true if the pattern has a parameter `name`.
    static constexpr bool has(std::string_view name) noexcept { return token_of(name) >= 0; }

    /// Returns true if a subject that matched this pattern gives a value for every parameter of `target`; publish_to
    /// needs that.
    static constexpr bool fills(std::string_view target) noexcept { return detail::can_fill(target, view()); }
};

/// A template of subjects to publish on, known to the compiler: `broker.publisher<Order, "orders.{region}">()`.
template <FixedString Pattern>
struct StaticTemplate : StaticSubject<Pattern> {
    static constexpr bool valid = check_template(Pattern.view()) == SubjectFault::none;

    static_assert(valid || !StaticSubject<Pattern>::valid,
                  "freshet: a subject to publish on has a wildcard; '*' and '>' are for subscribing only. "
                  "See docs/handlers.md#subjects");
};

}  // namespace freshet
