// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/eight.hpp"

namespace freshet::detail {
namespace {

/// Returns the size of the sequence of 2 to 4 bytes that begins with the lowest byte; 0 if it is not UTF-8.
std::size_t sequence_size(Eight bytes) noexcept {
    if ((bytes & 0xc0e0) == 0x80c0) return (bytes & 0x1e) != 0 ? 2 : 0;  // 0: overlong
    if ((bytes & 0xc0'c0f0) == 0x80'80e0) {
        const auto bits = bytes & 0x200f;
        return bits != 0 && bits != 0x200d ? 3 : 0;  // overlong, a surrogate
    }
    if ((bytes & 0xc0c0'c0f8) == 0x8080'80f0) {
        const auto bits = bytes & 0x3007;
        return bits != 0 && ((bits & 4) == 0 || (bits & 0x3003) == 0) ? 4 : 0;  // overlong, above U+10FFFF
    }
    return 0;
}

bool are_ascii(Eight bytes) noexcept { return (bytes & high_bits) == 0; }

/// Returns how many bytes at the front are known to be ASCII. Looks at several bytes at once, since most texts are
/// ASCII only.
std::size_t ascii_prefix(std::string_view text) noexcept {
    const char* const begin = text.data();
    std::size_t done = 0;
    for (; text.size() - done >= 32; done += 32) {
        const char* const next = begin + done;
        if (!are_ascii(load_eight(next) | load_eight(next + 8) | load_eight(next + 16) | load_eight(next + 24)))
            return done;
    }
    for (; text.size() - done >= 8; done += 8) {
        if (!are_ascii(load_eight(begin + done))) return done;
    }
    // The last ones again with what is before them.
    return text.size() >= 8 && are_ascii(load_eight(begin + text.size() - 8)) ? text.size() : done;
}

}  // namespace

std::size_t utf8_prefix(std::string_view text) noexcept {
    std::size_t i = ascii_prefix(text);
    while (text.size() - i >= 8) {
        const Eight bytes = load_eight(text.data() + i);
        if (are_ascii(bytes)) {
            i += 8;
        } else if ((bytes & 0x80) == 0) {
            i += static_cast<std::size_t>(std::countr_zero(bytes & high_bits)) / 8;
        } else {
            const auto size = sequence_size(bytes);
            if (size == 0) return i;
            i += size;
        }
    }
    while (i < text.size()) {
        const auto size = character_size(text.substr(i));
        if (size == 0) return i;
        i += size;
    }
    return text.size();
}

bool valid_utf8(std::string_view text) noexcept { return utf8_prefix(text) == text.size(); }

char* write_utf8(char* at, std::uint32_t code_point) noexcept {
    const auto following = [&](int shift) { *at++ = static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
    if (code_point < 0x80) {
        *at++ = static_cast<char>(code_point);
    } else if (code_point < 0x800) {
        *at++ = static_cast<char>(0xc0 | code_point >> 6);
        following(0);
    } else if (code_point < 0x10000) {
        *at++ = static_cast<char>(0xe0 | code_point >> 12);
        following(6), following(0);
    } else {
        *at++ = static_cast<char>(0xf0 | code_point >> 18);
        following(12), following(6), following(0);
    }
    return at;
}

std::size_t character_size(std::string_view text) noexcept {
    if (text.empty()) return 0;
    Eight bytes = 0;
    for (std::size_t i = 0; i < text.size() && i < 4; ++i) bytes |= Eight{static_cast<unsigned char>(text[i])} << 8 * i;
    return (bytes & 0x80) == 0 ? 1 : sequence_size(bytes);
}

std::size_t control_size(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.empty()) return 0;
    if (byte(0) < 0x20 || byte(0) == 0x7f) return 1;
    return byte(0) == 0xc2 && text.size() > 1 && byte(1) >= 0x80 && byte(1) < 0xa0 ? 2 : 0;
}

}  // namespace freshet::detail
