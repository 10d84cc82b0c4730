// SPDX-License-Identifier: Apache-2.0
#include "subject/plain_subject.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <freshet/subject_grammar.hpp>

#include "base/eight.hpp"

namespace freshet::detail {
namespace {

/// Returns 0 if and only if none of the bytes is `byte`; the other values have no meaning.
constexpr Eight any(Eight bytes, unsigned char byte) noexcept {
    const Eight zero_if_equal = bytes ^ eight_of(byte);
    return (zero_if_equal - eight_of(1)) & ~zero_if_equal & high_bits;
}

/// Returns true if one of the characters may be reserved, or two of them are dots side by side. Takes all characters
/// from '{' on for reserved.
constexpr bool looks_wrong(Eight text) noexcept {
    const Eight to_space = (text - eight_of(' ' + 1)) & ~text;
    const Eight from_brace = text | (text + eight_of(0x80 - '{'));
    const Eight dots = equal_bytes(text, '.');
    return (((to_space | from_brace) & high_bits) | any(text, '*') | any(text, '>') | (dots & (dots << 8))) != 0;
}

/// Loads one to three characters, some of them possibly twice, filled up with a character that is not special.
Eight load_few(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return Eight{static_cast<unsigned char>(text[i])}; };
    return byte(0) | byte(text.size() / 2) << 8 | byte(text.size() - 1) << 16 | eight_of('a') << 24;
}

Eight load_four(const char* text) noexcept {
    std::uint32_t value = 0;
    std::memcpy(&value, text, sizeof value);
    return value;
}

/// Returns true for most subjects that may be published on, and never for any other text.
bool is_surely_plain(std::string_view text) noexcept {
    if (text.empty() || text.size() > max_subject_size || text.front() == '.' || text.back() == '.') return false;
    if (text.size() < 4) return !looks_wrong(load_few(text));
    const char* const end = text.data() + text.size();
    if (text.size() < 8) return !looks_wrong(load_four(text.data()) | load_four(end - 4) << 32);
    for (const char* next = text.data(); next + 8 < end; next += 7) {  // not 8: two dots must be seen together
        if (looks_wrong(load_eight(next))) return false;
    }
    return !looks_wrong(load_eight(end - 8));
}

}  // namespace

bool may_publish_on(std::string_view text) noexcept {
    return is_surely_plain(text) || check_subject(text) == SubjectFault::none;
}

}  // namespace freshet::detail
