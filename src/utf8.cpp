// SPDX-License-Identifier: Apache-2.0
#include "utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace freshet::detail {
namespace {

struct Sequence {
    std::size_t length;  // 0: not a first byte
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

bool ascii_8(const char* text) noexcept {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text, sizeof bytes);
    return (bytes & 0x8080'8080'8080'8080) == 0;
}

}  // namespace

bool valid_utf8(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        if (text.size() - i >= 8 && ascii_8(text.data() + i)) {
            i += 8;
            continue;
        }
        if (byte(i) < 0x80) {
            ++i;
            continue;
        }
        const auto [length, min, max] = sequence_of(byte(i));
        if (length == 0 || text.size() - i < length || byte(i + 1) < min || byte(i + 1) > max) return false;
        for (std::size_t k = 2; k < length; ++k) {
            if ((byte(i + k) & 0xc0) != 0x80) return false;
        }
        i += length;
    }
    return true;
}

}  // namespace freshet::detail
