// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/eight.hpp"

namespace freshet::detail {

/// Returns bits of high_bits, the lowest of them in the first byte that is a quote, a backslash, a control character or
/// not ASCII; 0 if there is no such byte. Bits above the lowest one mean nothing: subtraction may have borrowed from
/// them.
inline Eight json_stops(Eight bytes) noexcept {
    return (bytes | (bytes - eight_of(0x20)) | ((bytes ^ eight_of('"')) - eight_of(1)) |
            ((bytes ^ eight_of('\\')) - eight_of(1))) &
           high_bits;
}

/// Returns bits of high_bits, the lowest of them in the first byte that is a quote, a backslash or a control character;
/// 0 if there is no such byte. Bits above the lowest one mean nothing.
inline Eight json_escapes(Eight bytes) noexcept {
    const Eight quote = bytes ^ eight_of('"');
    const Eight backslash = bytes ^ eight_of('\\');
    return (((bytes - eight_of(0x20)) & ~bytes) | ((quote - eight_of(1)) & ~quote) |
            ((backslash - eight_of(1)) & ~backslash)) &
           high_bits;
}

/// Returns the bytes of a text of up to 7, each at least once, in no order; letters for an empty text.
inline Eight load_few(std::string_view text) noexcept {
    const auto ends = [text]<class Word>(Word first, Word last) {
        std::memcpy(&first, text.data(), sizeof first);
        std::memcpy(&last, text.data() + text.size() - sizeof last, sizeof last);
        return first | Eight{last} << 8 * sizeof last;
    };
    if (text.size() >= 4) return ends(std::uint32_t{}, std::uint32_t{});
    if (text.size() >= 2) return ends(std::uint16_t{}, std::uint16_t{}) * 0x1'0000'0001;
    return eight_of(text.empty() ? 'a' : static_cast<unsigned char>(text.front()));
}

inline bool is_ascii(std::string_view text) noexcept {
    Eight all = 0;
    for (; text.size() >= 8; text.remove_prefix(8)) all |= load_eight(text.data());
    return ((all | load_few(text)) & high_bits) == 0;
}

}  // namespace freshet::detail
