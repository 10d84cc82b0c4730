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

/// A subject to publish on whose `{name}` tokens are filled in for each publication: `orders.{region}.created`. It has
/// no wildcards. Immutable, so that threads may share it.
class SubjectTemplate {
public:
    /// Returns the parsed template, or Errc::bad_subject with a text that says what is wrong in `pattern`, and where.
    static Expected<SubjectTemplate> parse(std::string_view pattern);

    /// Parses `pattern`. Throws Error(Errc::bad_subject), which says what is wrong, and where.
    explicit SubjectTemplate(std::string_view pattern);

    /// Returns the template as it was written.
    const std::string& pattern() const noexcept { return pattern_; }
    /// Returns the names of the parameters, in order of appearance.
    const std::vector<std::string>& names() const noexcept { return names_; }
    /// Returns true if there is no parameter to fill in.
    bool is_literal() const noexcept { return names_.empty(); }

    /// Appends the subject to `out`, with one value for each of names(). Returns Errc::bad_subject, and leaves `out`
    /// unchanged, for a value that is not one token, another number of values, or a subject over max_subject_size.
    /// Allocates only the memory that `out` needs.
    Expected<void> format(std::string& out, std::span<const std::string_view> values) const;

    /// Appends the subject to `out` with integers and strings as values: `format_values(out, "eu", 42)`. Returns
    /// Errc::bad_subject, and leaves `out` unchanged, for values that format() refuses.
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
    std::vector<std::string> literals_ = {};  // the text before each parameter, and the text after the last one
};

}  // namespace freshet
