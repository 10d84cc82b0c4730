// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <freshet/detail/subject_tokens.hpp>

namespace freshet {

/// The longest subject or pattern, in bytes. A server takes protocol lines of up to 4096 bytes by default and closes
/// the connection on longer ones; the difference is for the reply subject, the queue group and the sizes.
inline constexpr std::size_t max_subject_size = 3'072;

/// The fault of a subject or a pattern.
enum class SubjectFault : std::uint8_t {
    none,
    empty,
    too_long,           ///< over max_subject_size
    empty_token,        ///< `a..b`, `.a`, `a.`
    bad_character,      ///< a space, a tab or another control character
    partial_wildcard,   ///< `a*`, `>>`
    partial_parameter,  ///< `a{b}`, `{a`
    bad_name,           ///< `{}`, `{1st}`, `{a-b}`
    duplicate_name,     ///< `{a}.{a}`
    tail_not_last,      ///< `a.>.b`
    wildcard,           ///< `*` or `>` in a subject to publish on
    parameter,          ///< `{a}` in a subject that is published on unchanged
};

/// The purpose of a subject, which decides what it may contain.
enum class SubjectUse : std::uint8_t {
    subscribe,  ///< a pattern: `*`, `>` and `{name}`
    fill,       ///< a template, filled before each publication: `{name}`
    publish,    ///< a literal
};

/// Returns the fault and its rule in words, without naming the subject.
constexpr std::string_view explain(SubjectFault fault) noexcept {
    switch (fault) {
        case SubjectFault::none: return "nothing is wrong";
        case SubjectFault::empty: return "it is empty";
        case SubjectFault::too_long: return "it is longer than 3072 bytes, more than a server is sure to take";
        case SubjectFault::empty_token: return "empty token; tokens are separated by single dots";
        case SubjectFault::bad_character: return "space or control character; a token has none";
        case SubjectFault::partial_wildcard: return "'*' or '>' inside a longer token; a wildcard is a whole token";
        case SubjectFault::partial_parameter:
            return "'{' or '}' inside a longer token; a parameter is a whole token, {name}";
        case SubjectFault::bad_name:
            return "bad parameter name; a name is made of letters, digits and '_' and does not start with a digit";
        case SubjectFault::duplicate_name: return "second parameter of the same name; names are unique";
        case SubjectFault::tail_not_last: return "'>' before the end; it is the last token only";
        case SubjectFault::wildcard: return "wildcard; '*' and '>' are for subscribing only";
        case SubjectFault::parameter:
            return "parameter; a subject with {name} is for subscribing and for publishers, which fill it";
    }
    return "unknown";
}

namespace detail {

struct SubjectFinding {
    SubjectFault fault = SubjectFault::none;
    std::size_t position = 0;  ///< offset of the token at fault
};

constexpr bool is_space_or_control(char c) noexcept { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

/// Returns true for characters that no token of a subject to publish on may have: spaces, controls, and the characters
/// of patterns.
constexpr bool is_reserved(char c) noexcept {
    return is_space_or_control(c) || c == '*' || c == '>' || c == '{' || c == '}';
}

/// Returns true if `text` may stand for one token of a subject to publish on.
constexpr bool is_plain_token(std::string_view text) noexcept {
    for (const char c : text) {
        if (c == '.' || is_reserved(c)) return false;
    }
    return !text.empty();
}

constexpr bool contains_either(std::string_view text, char a, char b) noexcept {
    for (const char c : text) {
        if (c == a || c == b) return true;
    }
    return false;
}

constexpr bool is_name(std::string_view text) noexcept {
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool digit = c >= '0' && c <= '9';
        if (!letter && !digit) return false;
    }
    return !text.empty() && !(text.front() >= '0' && text.front() <= '9');
}

/// Returns the fault of a token that has braces.
constexpr SubjectFault parameter_fault(std::string_view token, SubjectUse use) noexcept {
    const bool whole = token.size() > 1 && token.front() == '{' && token.back() == '}' &&
                       !contains_either(token.substr(1, token.size() - 2), '{', '}');
    if (!whole) return SubjectFault::partial_parameter;
    if (!is_name(parameter_name(token))) return SubjectFault::bad_name;
    return use == SubjectUse::publish ? SubjectFault::parameter : SubjectFault::none;
}

/// Returns the fault of a token, wherever it stands in the subject.
constexpr SubjectFault token_fault(std::string_view token, SubjectUse use) noexcept {
    if (token.empty()) return SubjectFault::empty_token;
    for (const char c : token) {
        if (is_space_or_control(c)) return SubjectFault::bad_character;
    }
    if (token == "*" || token == ">") return use == SubjectUse::subscribe ? SubjectFault::none : SubjectFault::wildcard;
    if (contains_either(token, '{', '}')) return parameter_fault(token, use);
    return contains_either(token, '*', '>') ? SubjectFault::partial_wildcard : SubjectFault::none;
}

/// Returns the first fault of `text`, and where it is.
constexpr SubjectFinding inspect_subject(std::string_view text, SubjectUse use) noexcept {
    if (text.empty()) return {SubjectFault::empty, 0};
    if (text.size() > max_subject_size) return {SubjectFault::too_long, max_subject_size};
    for (TokenReader tokens{text}; tokens.next();) {
        const auto token = tokens.token();
        const auto at = tokens.position();
        if (const auto fault = token_fault(token, use); fault != SubjectFault::none) return {fault, at};
        if (token == ">" && !tokens.is_last()) return {SubjectFault::tail_not_last, at};
        const auto name = parameter_name(token);
        if (!name.empty() && find_parameter(text.substr(0, at), name)) return {SubjectFault::duplicate_name, at};
    }
    return {};
}

}  // namespace detail

/// Checks a pattern to subscribe to: tokens are separated by single dots; `*` and `{name}` stand for one token, `>` at
/// the end for one or more. A token has no spaces and no control characters; any other character, such as UTF-8, is
/// allowed. Returns the fault, or SubjectFault::none.
constexpr SubjectFault check_pattern(std::string_view pattern) noexcept {
    return detail::inspect_subject(pattern, SubjectUse::subscribe).fault;
}

/// Checks a template that is filled before each publication: it may have `{name}`, but no wildcards. Returns the fault,
/// or SubjectFault::none.
constexpr SubjectFault check_template(std::string_view pattern) noexcept {
    return detail::inspect_subject(pattern, SubjectUse::fill).fault;
}

/// Checks a subject to publish on: it has no wildcards and no parameters. Returns the fault, or SubjectFault::none.
constexpr SubjectFault check_subject(std::string_view subject) noexcept {
    return detail::inspect_subject(subject, SubjectUse::publish).fault;
}

}  // namespace freshet
