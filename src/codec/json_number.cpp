// SPDX-License-Identifier: Apache-2.0
#include "codec/json_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace freshet::detail {
namespace {

/// The parts of a number of JSON's grammar.
struct Digits {
    bool negative = false;
    std::string_view before = {};  // the digits before the point
    std::string_view behind = {};  // and after it
    std::int64_t exponent = 0;     // limited to a range beyond which nothing changes

    /// Returns how far after the decimal point the last digit other than 0 is: 2 for 1.25, -1 for 120; nothing for 0.
    std::optional<std::int64_t> last() const noexcept {
        if (const auto at = behind.find_last_not_of('0'); at != std::string_view::npos)
            return static_cast<std::int64_t>(at) + 1 - exponent;
        if (const auto at = before.find_last_not_of('0'); at != std::string_view::npos)
            return static_cast<std::int64_t>(at) + 1 - static_cast<std::int64_t>(before.size()) - exponent;
        return std::nullopt;
    }
    /// Returns how far before the decimal point the first digit other than 0 is: 3 for 123, -1 for 0.01; nothing for 0.
    std::optional<std::int64_t> first() const noexcept {
        if (const auto at = before.find_first_not_of('0'); at != std::string_view::npos)
            return static_cast<std::int64_t>(before.size() - at) + exponent;
        if (const auto at = behind.find_first_not_of('0'); at != std::string_view::npos)
            return exponent - static_cast<std::int64_t>(at);
        return std::nullopt;
    }
};

Digits digits_of(std::string_view number) noexcept {
    Digits digits;
    digits.negative = number.starts_with('-');
    if (digits.negative) number.remove_prefix(1);
    const auto mark = std::min(number.find_first_of("eE"), number.size());
    const auto mantissa = number.substr(0, mark);
    const auto point = std::min(mantissa.find('.'), mantissa.size());
    digits.before = mantissa.substr(0, point);
    if (point < mantissa.size()) digits.behind = mantissa.substr(point + 1);
    if (mark == number.size()) return digits;
    number.remove_prefix(mark + 1);
    if (number.starts_with('+')) number.remove_prefix(1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), digits.exponent);
    constexpr std::int64_t beyond = std::int64_t{1} << 40;  // more digits than any body has
    if (error != std::errc{}) digits.exponent = number.starts_with('-') ? -beyond : beyond;
    digits.exponent = std::clamp(digits.exponent, -beyond, beyond);
    return digits;
}

template <class Real>
std::optional<Real> nearest(std::string_view number) noexcept {
    Real value = 0;
    const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
    if (result.ec == std::errc{} && std::isfinite(value)) return value;
    const auto first = digits_of(number).first();
    if (first && *first > 0) return std::nullopt;
    return number.starts_with('-') ? -Real{0} : Real{0};
}

}  // namespace

std::optional<WholeNumber> whole_number(std::string_view number) noexcept {
    const auto digits = digits_of(number);
    const auto first = digits.first();
    if (!first) return WholeNumber{};
    constexpr std::int64_t longest = std::numeric_limits<std::uint64_t>::digits10 + 1;
    if (*digits.last() > 0 || *first > longest) return std::nullopt;
    WholeNumber whole{.negative = digits.negative};
    auto left = *first;  // the number of digits still to come
    const auto push = [&](unsigned digit) {
        --left;
        constexpr auto max = std::numeric_limits<std::uint64_t>::max();
        if (whole.magnitude > (max - digit) / 10) return false;
        whole.magnitude = whole.magnitude * 10 + digit;
        return true;
    };
    bool begun = false;
    for (const std::string_view part : {digits.before, digits.behind}) {
        for (const char c : part) {
            begun = begun || c != '0';
            if (!begun) continue;
            if (left == 0) return whole;
            if (!push(static_cast<unsigned>(c - '0'))) return std::nullopt;
        }
    }
    while (left > 0) {
        if (!push(0)) return std::nullopt;
    }
    return whole;
}

std::optional<WholeNumber> whole_number(double number) noexcept {
    if (!(std::abs(number) < 0x1p64) || std::trunc(number) != number) return std::nullopt;
    return WholeNumber{.negative = number < 0, .magnitude = static_cast<std::uint64_t>(std::abs(number))};
}

bool has_fraction(std::string_view number) noexcept { return digits_of(number).last().value_or(0) > 0; }
bool has_fraction(double number) noexcept { return std::isnan(number) || std::trunc(number) != number; }

std::optional<double> nearest_double(std::string_view number) noexcept { return nearest<double>(number); }
std::optional<float> nearest_float(std::string_view number) noexcept { return nearest<float>(number); }
std::optional<float> nearest_float(double number) noexcept {
    // From half a step above the largest float on, the nearest float is infinity.
    if (std::isfinite(number) && std::abs(number) >= 0x1.ffffffp127) return std::nullopt;
    return static_cast<float>(number);
}

}  // namespace freshet::detail
