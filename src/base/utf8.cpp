// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <cstddef>
#include <cstdint>

#include "base/eight.hpp"

namespace freshet::detail {
namespace {

struct Sequence {
    std::size_t length;  // 0: this byte cannot be the first one
    unsigned char second_min;
    unsigned char second_max;
};

Sequence sequence_of(unsigned char first) noexcept {
    if (first < 0xc2) return {0, 0, 0};
    if (first < 0xe0) return {2, 0x80, 0xbf};
    if (first == 0xe0) return {3, 0xa0, 0xbf};
    if (first == 0xed) return {3, 0x80, 0x9f};
    if (first < 0xf0) return {3, 0x80, 0xbf};
    if (first == 0xf0) return {4, 0x90, 0xbf};
    if (first < 0xf4) return {4, 0x80, 0xbf};
    if (first == 0xf4) return {4, 0x80, 0x8f};
    return {0, 0, 0};
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

bool valid_utf8(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = ascii_prefix(text); i < text.size();) {
        if (text.size() - i >= 8 && are_ascii(load_eight(text.data() + i))) {
            i += 8;
            continue;
        }
        if (byte(i) < 0x80) {
            ++i;
            continue;
        }
        const auto size = character_size(text.substr(i));
        if (size == 0) return false;
        i += size;
    }
    return true;
}

std::size_t character_size(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.empty()) return 0;
    if (byte(0) < 0x80) return 1;
    const auto [length, min, max] = sequence_of(byte(0));
    if (length == 0 || text.size() < length || byte(1) < min || byte(1) > max) return 0;
    for (std::size_t k = 2; k < length; ++k) {
        if ((byte(k) & 0xc0) != 0x80) return 0;
    }
    return length;
}

std::size_t control_size(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.empty()) return 0;
    if (byte(0) < 0x20 || byte(0) == 0x7f) return 1;
    return byte(0) == 0xc2 && text.size() > 1 && byte(1) >= 0x80 && byte(1) < 0xa0 ? 2 : 0;
}

}  // namespace freshet::detail
