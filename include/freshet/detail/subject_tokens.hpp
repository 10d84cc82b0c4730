// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace freshet::detail {

/// Reads the tokens of a subject from left to right, without allocating:
/// `for (TokenReader t{subject}; t.next();) use(t.token());`. An empty subject is one empty token.
class TokenReader {
public:
    constexpr explicit TokenReader(std::string_view subject) noexcept : subject_{subject} {}

    /// Goes to the next token, at the first call to the first one. Returns false when there is no more.
    constexpr bool next() noexcept {
        if (next_ > subject_.size()) return false;
        begin_ = end_ = next_;
        while (end_ < subject_.size() && subject_[end_] != '.') ++end_;  // find() is not constexpr for GCC with UBSan
        next_ = end_ + 1;
        return true;
    }

    constexpr std::string_view token() const noexcept { return {subject_.data() + begin_, end_ - begin_}; }
    /// Returns the offset of the token in the subject.
    constexpr std::size_t position() const noexcept { return begin_; }
    constexpr bool is_last() const noexcept { return end_ == subject_.size(); }

private:
    std::string_view subject_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t next_ = 0;
};

/// Returns the token number `index`, counted from 0; an empty text if the subject has fewer.
constexpr std::string_view token_at(std::string_view subject, std::size_t index) noexcept {
    TokenReader tokens{subject};
    for (; tokens.next(); --index) {
        if (index == 0) return tokens.token();
    }
    return {};
}

/// Returns "region" for "{region}"; an empty text for a token that is not a parameter.
constexpr std::string_view parameter_name(std::string_view token) noexcept {
    if (token.size() < 3 || token.front() != '{' || token.back() != '}') return {};
    return token.substr(1, token.size() - 2);
}

/// Returns which token of a pattern is the parameter `name`, counted from 0.
constexpr std::optional<std::size_t> find_parameter(std::string_view pattern, std::string_view name) noexcept {
    std::size_t index = 0;
    for (TokenReader tokens{pattern}; tokens.next(); ++index) {
        const auto found = parameter_name(tokens.token());
        if (!found.empty() && found == name) return index;
    }
    return std::nullopt;
}

constexpr std::size_t count_parameters(std::string_view pattern) noexcept {
    std::size_t count = 0;
    for (TokenReader tokens{pattern}; tokens.next();) count += parameter_name(tokens.token()).empty() ? 0 : 1;
    return count;
}

/// Returns true if each parameter of `target` is one of `source` too, so that a message on `source` can fill `target`.
constexpr bool can_fill(std::string_view target, std::string_view source) noexcept {
    for (TokenReader tokens{target}; tokens.next();) {
        const auto name = parameter_name(tokens.token());
        if (!name.empty() && !find_parameter(source, name)) return false;
    }
    return true;
}

}  // namespace freshet::detail
