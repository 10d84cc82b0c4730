// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace freshet::detail {

/// An integer of up to 64 bits and its sign. -0 is 0 and not negative.
struct WholeNumber {
    bool negative = false;
    std::uint64_t magnitude = 0;
};

/// Returns the exact integer that a number of JSON's grammar stands for: 150 for `1.50e2`. Returns nothing if the
/// number has a fraction or does not fit.
std::optional<WholeNumber> whole_number(std::string_view number) noexcept;
/// Returns the integer that a double holds; nothing if it has a fraction or does not fit.
std::optional<WholeNumber> whole_number(double number) noexcept;

/// Returns true for a number with a fraction, and for NaN.
bool has_fraction(std::string_view number) noexcept;
bool has_fraction(double number) noexcept;

/// Returns the nearest value of the type: 0 for a number that is too near to it, nothing for one that is too large.
std::optional<double> nearest_double(std::string_view number) noexcept;
std::optional<float> nearest_float(std::string_view number) noexcept;
std::optional<float> nearest_float(double number) noexcept;

}  // namespace freshet::detail
