// SPDX-License-Identifier: Apache-2.0
#include <freshet/subject_template.hpp>

#include <cstddef>

#include <fmt/format.h>
#include <freshet/subject.hpp>

#include "base/quoted.hpp"

namespace freshet {

Expected<SubjectTemplate> SubjectTemplate::parse(std::string_view pattern) {
    if (check_template(pattern) != SubjectFault::none) {
        return std::unexpected{detail::subject_error(pattern, SubjectUse::fill)};
    }
    SubjectTemplate result;
    result.pattern_ = pattern;
    std::size_t literal = 0;  // start of the text after the last parameter
    for (detail::TokenReader tokens{pattern}; tokens.next();) {
        const auto name = detail::parameter_name(tokens.token());
        if (name.empty()) continue;
        result.literals_.emplace_back(pattern.substr(literal, tokens.position() - literal));
        result.names_.emplace_back(name);
        literal = tokens.position() + tokens.token().size();
    }
    result.literals_.emplace_back(pattern.substr(literal));
    return result;
}

SubjectTemplate::SubjectTemplate(std::string_view pattern) : SubjectTemplate{value_or_raise(parse(pattern))} {}

Expected<void> SubjectTemplate::format(std::string& out, std::span<const std::string_view> values) const {
    if (auto valid = check(values); !valid) return valid;
    for (std::size_t i = 0; i < values.size(); ++i) out.append(literals_[i]).append(values[i]);
    out.append(literals_.back());
    return {};
}

Expected<void> SubjectTemplate::check(std::span<const std::string_view> values) const {
    if (values.size() != names_.size()) {
        return failure(Errc::bad_subject,
                       fmt::format("subject template {} takes {} values, one for each parameter, and got {}",
                                   detail::quoted(pattern_), names_.size(), values.size()));
    }
    std::size_t size = pattern_.size();
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!detail::is_plain_token(values[i])) {
            return failure(
                Errc::bad_subject,
                fmt::format("cannot fill {{{}}} of {} with {}: a value is one token, not empty and without '.', "
                            "'*', '>', '{{', '}}', spaces and control characters",
                            names_[i], detail::quoted(pattern_), detail::quoted(values[i])));
        }
        size += values[i].size() - (names_[i].size() + 2);
    }
    if (size > max_subject_size) {
        return failure(Errc::bad_subject,
                       fmt::format("subject template {} filled with these values has {} bytes, over the limit of {}",
                                   detail::quoted(pattern_), size, max_subject_size));
    }
    return {};
}

}  // namespace freshet
