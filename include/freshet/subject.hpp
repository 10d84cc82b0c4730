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
    std::string name = {};
    std::size_t token = 0;  ///< which token of the subject it stands for, counted from 0
};

/// A pattern to subscribe to, checked and taken apart once; see check_pattern() for the grammar. Immutable, so that
/// threads may share it.
class Subject {
public:
    /// Errc::bad_subject says what is wrong with `pattern`, and where.
    static Expected<Subject> parse(std::string_view pattern);

    /// parse() that throws.
    explicit Subject(std::string_view pattern);

    /// As it was written: `orders.{region}.created`.
    const std::string& pattern() const noexcept { return pattern_; }
    /// What the server is told: `orders.*.created`.
    const std::string& wire() const noexcept { return wire_; }

    /// In order of appearance.
    const std::vector<SubjectParameter>& parameters() const noexcept { return parameters_; }
    /// Which token stands for the parameter `name`, counted from 0.
    std::optional<std::size_t> token_of(std::string_view name) const noexcept;

    /// Neither wildcards nor parameters: it matches one subject only, itself.
    bool is_literal() const noexcept;
    /// Whether it ends in `>`.
    bool ends_in_tail() const noexcept { return wire_.back() == '>'; }

    /// Whether a message published on `subject` is meant, as a server decides it. Does not allocate. `subject` should
    /// satisfy check_subject(); an empty token counts as a token.
    bool matches(std::string_view subject) const noexcept;

    /// This pattern with `prefix` put before it as it is, such as "billing.{tenant}."; checked as a whole, since the
    /// two may share a parameter's name.
    Expected<Subject> prefixed(std::string_view prefix) const;

private:
    Subject() = default;

    std::string pattern_ = {};
    std::string wire_ = {};
    std::vector<SubjectParameter> parameters_ = {};
};

namespace detail {

/// Why `text` will not do: quotes it, names the fault and the rule. Only for a text that has a fault.
Error subject_error(std::string_view text, SubjectUse use);

}  // namespace detail

}  // namespace freshet
