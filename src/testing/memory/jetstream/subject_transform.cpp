// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/jetstream/subject_transform.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <freshet/detail/subject_tokens.hpp>
#include <freshet/text.hpp>

#include "base/quoted.hpp"
#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {
namespace {

/// Returns the number that `text` is; 0 if it is none.
std::size_t number_of(std::string_view text) { return FromText<std::size_t>::parse(text).value_or(0); }

/// Returns the tokens that the pattern's wildcards stand for, and the rest of the subject for `>`.
std::vector<std::string_view> captures(std::string_view pattern, std::string_view subject) {
    std::vector<std::string_view> found;
    TokenReader wanted{pattern};
    TokenReader tokens{subject};
    while (wanted.next() && tokens.next()) {
        if (wanted.token() == "*") found.push_back(tokens.token());
        if (wanted.token() == ">") found.push_back(subject.substr(tokens.position()));
    }
    return found;
}

}  // namespace

std::expected<SubjectTransform::Token, std::string> SubjectTransform::read(std::string_view token) {
    std::string text{token};
    std::erase(text, ' ');
    if (const auto number = text.starts_with('$') ? number_of(std::string_view{text}.substr(1)) : 0; number > 0)
        return Token{.wildcard = number};
    if (!text.starts_with("{{")) return Token{.text = text};
    constexpr std::string_view begin = "{{wildcard(";
    constexpr std::string_view end = ")}}";
    if (std::ranges::equal(std::string_view{text}.substr(0, begin.size()), begin,
                           [](char a, char b) { return (a | 0x20) == (b | 0x20); }) &&
        text.ends_with(end)) {
        const auto inner = std::string_view{text}.substr(begin.size(), text.size() - begin.size() - end.size());
        if (const auto number = number_of(inner); number > 0) return Token{.wildcard = number};
    }
    return std::unexpected{fmt::format("the memory server does not know {} in a subject transform", text)};
}

std::expected<SubjectTransform, std::string> SubjectTransform::make(const nlohmann::json& json) {
    SubjectTransform transform;
    transform.source_ = json.value("src", "");
    if (transform.source_.empty()) transform.source_ = ">";
    const auto destination = json.value("dest", "");
    std::size_t wildcards = 0;
    for (TokenReader tokens{transform.source_}; tokens.next();)
        wildcards += tokens.token() == "*" || tokens.token() == ">" ? 1 : 0;
    if (destination.empty()) return transform;
    for (TokenReader tokens{destination}; tokens.next();) {
        auto token = read(tokens.token());
        if (!token) return std::unexpected{token.error()};
        if (token->text == ">") token->wildcard = wildcards;
        if (token->wildcard > wildcards)
            return std::unexpected{fmt::format("subject transform to {}: {} has only {} wildcards", quoted(destination),
                                               quoted(transform.source_), wildcards)};
        transform.destination_.push_back(*std::move(token));
    }
    return transform;
}

std::optional<std::string> SubjectTransform::apply(std::string_view subject) const {
    if (!wire_matches(source_, subject)) return std::nullopt;
    if (destination_.empty()) return std::string{subject};
    const auto found = captures(source_, subject);
    std::string result;
    for (const auto& token : destination_) {
        if (!result.empty()) result += '.';
        result += token.wildcard == 0 ? std::string_view{token.text} : found[token.wildcard - 1];
    }
    return result;
}

}  // namespace freshet::detail
