// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/error.hpp>
#include <freshet/static_subject.hpp>
#include <freshet/subject_grammar.hpp>

namespace freshet {

/// A `{name}` of a pattern.
struct SubjectParameter {
    std::string name = {};  ///< the name, without braces
    std::size_t token = 0;  ///< the token of the subject that the parameter stands for, counted from 0
};

/// A pattern to subscribe to, checked and taken apart once; see check_pattern() for the grammar. Immutable, so that
/// threads may share it.
class Subject {
public:
    /// Returns the parsed pattern, or Errc::bad_subject with a text that says what is wrong in `pattern`, and where.
    static Expected<Subject> parse(std::string_view pattern);

    /// Parses `pattern`. Throws Error(Errc::bad_subject), which says what is wrong, and where.
    explicit Subject(std::string_view pattern);

    /// Returns the pattern as it was written: `orders.{region}.created`.
    const std::string& pattern() const noexcept { return pattern_; }
    /// Returns the pattern as it is sent to the server: `orders.*.created`.
    const std::string& wire() const noexcept { return wire_; }

    /// Returns the parameters, in order of appearance.
    const std::vector<SubjectParameter>& parameters() const noexcept { return parameters_; }
    /// Returns the token that stands for the parameter `name`, counted from 0; nothing if there is no such parameter.
    std::optional<std::size_t> token_of(std::string_view name) const noexcept;

    /// Returns true if the pattern has neither wildcards nor parameters, so that it matches only itself.
    bool is_literal() const noexcept;
    /// Returns true if the pattern ends in `>`.
    bool ends_in_tail() const noexcept { return wire_.back() == '>'; }

    /// Returns true if the pattern matches a message that is published on `subject`, by the server's rules. Does not
    /// allocate. `subject` should satisfy check_subject(); an empty token counts as a token.
    bool matches(std::string_view subject) const noexcept;

    /// Returns this pattern with `prefix`, such as "billing.{tenant}.", put before it unchanged. Checks the result as a
    /// whole, since both parts may have a parameter of one name: Errc::bad_subject.
    Expected<Subject> prefixed(std::string_view prefix) const;

private:
    Subject() = default;

    std::string pattern_ = {};
    std::string wire_ = {};
    std::vector<SubjectParameter> parameters_ = {};
};

namespace detail {

/// Returns the error for a `text` that is not valid: it quotes the text and names the fault and the rule. `text` must
/// have a fault.
Error subject_error(std::string_view text, SubjectUse use);

}  // namespace detail

}  // namespace freshet
