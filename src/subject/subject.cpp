// SPDX-License-Identifier: Apache-2.0
#include <freshet/subject.hpp>

#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"

namespace freshet {

namespace {

std::string_view noun(SubjectUse use) {
    switch (use) {
        case SubjectUse::subscribe: return "a subject pattern";
        case SubjectUse::fill: return "a subject template";
        default: return "a subject to publish on";
    }
}

}  // namespace

Expected<Subject> Subject::parse(std::string_view pattern) {
    if (check_pattern(pattern) != SubjectFault::none) {
        return std::unexpected{detail::subject_error(pattern, SubjectUse::subscribe)};
    }
    Subject subject;
    subject.pattern_ = pattern;
    std::size_t index = 0;
    for (detail::TokenReader tokens{pattern}; tokens.next(); ++index) {
        const auto name = detail::parameter_name(tokens.token());
        if (!name.empty()) subject.parameters_.push_back({std::string{name}, index});
        if (index > 0) subject.wire_ += '.';
        subject.wire_ += name.empty() ? tokens.token() : "*";
    }
    return subject;
}

Subject::Subject(std::string_view pattern) : Subject{value_or_raise(parse(pattern))} {}

std::optional<std::size_t> Subject::token_of(std::string_view name) const noexcept {
    for (const auto& parameter : parameters_) {
        if (parameter.name == name) return parameter.token;
    }
    return std::nullopt;
}

bool Subject::is_literal() const noexcept { return wire_.find_first_of("*>") == std::string::npos; }

bool Subject::matches(std::string_view subject) const noexcept {
    detail::TokenReader tokens{subject};
    for (detail::TokenReader mine{wire_}; mine.next();) {
        if (!tokens.next()) return false;
        if (mine.token() == ">") return true;
        if (mine.token() != "*" && mine.token() != tokens.token()) return false;
    }
    return tokens.is_last();
}

Expected<Subject> Subject::prefixed(std::string_view prefix) const { return parse(std::string{prefix} + pattern_); }

Error detail::subject_error(std::string_view text, SubjectUse use) {
    const auto [fault, position] = inspect_subject(text, use);
    auto message = fmt::format("{} is not {}: {}", quoted(text), noun(use), explain(fault));
    const bool in_a_token = fault != SubjectFault::empty && fault != SubjectFault::too_long;
    if (in_a_token) message += fmt::format(" (position {})", position);
    return {Errc::bad_subject, std::move(message)};
}

}  // namespace freshet
