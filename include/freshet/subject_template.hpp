// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/detail/token_text.hpp>
#include <freshet/error.hpp>
#include <freshet/static_subject.hpp>

namespace freshet {

/// A subject to publish on whose `{name}` tokens are filled in each time: `orders.{region}.created`. No wildcards.
/// Immutable, so that threads may share it.
class SubjectTemplate {
public:
    /// Errc::bad_subject says what is wrong with `pattern`, and where.
    static Expected<SubjectTemplate> parse(std::string_view pattern);

    /// parse() that throws.
    explicit SubjectTemplate(std::string_view pattern);

    /// As it was written.
    const std::string& pattern() const noexcept { return pattern_; }
    /// The parameters, in order of appearance.
    const std::vector<std::string>& names() const noexcept { return names_; }
    /// Nothing to fill in.
    bool is_literal() const noexcept { return names_.empty(); }

    /// Appends the subject to `out`, one value for each of names(). A value that is not one token, another number of
    /// values, or a subject over max_subject_size is Errc::bad_subject, and leaves `out` as it was. Allocates only what
    /// `out` needs.
    Expected<void> format(std::string& out, std::span<const std::string_view> values) const;

    /// The same with integers and strings as they are: `format_values(out, "eu", 42)`.
    template <class... Values>
    Expected<void> format_values(std::string& out, const Values&... values) const {
        return format_list(out, {detail::TokenText{values}.view()...});
    }

private:
    SubjectTemplate() = default;

    Expected<void> format_list(std::string& out, std::initializer_list<std::string_view> values) const {
        return format(out, {values.begin(), values.size()});
    }
    Expected<void> check(std::span<const std::string_view> values) const;

    std::string pattern_ = {};
    std::vector<std::string> names_ = {};
    std::vector<std::string> literals_ = {};  // before each parameter, and one after the last
};

}  // namespace freshet
