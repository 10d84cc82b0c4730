// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace freshet::detail {

/// Eight characters at once; the first is in the lowest byte.
using Eight = std::uint64_t;

constexpr Eight eight_of(unsigned char byte) noexcept { return Eight{0x0101'0101'0101'0101} * byte; }

/// The highest bit of each byte.
inline constexpr Eight high_bits = eight_of(0x80);

inline Eight load_eight(const char* text) noexcept {
    Eight value = 0;
    std::memcpy(&value, text, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    return value;
}

/// Returns the bits of high_bits in the bytes that equal `byte`.
constexpr Eight equal_bytes(Eight bytes, unsigned char byte) noexcept {
    const Eight zero_if_equal = bytes ^ eight_of(byte);
    return ~(((zero_if_equal & ~high_bits) + ~high_bits) | zero_if_equal) & high_bits;
}

}  // namespace freshet::detail
