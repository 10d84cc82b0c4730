// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/token_text.hpp>

#include <charconv>
#include <iterator>

namespace freshet::detail {

namespace {

template <class T>
std::size_t write(char (&digits)[20], T value) noexcept {
    return static_cast<std::size_t>(std::to_chars(digits, std::end(digits), value).ptr - digits);
}

}  // namespace

std::size_t write_decimal(char (&digits)[20], std::int64_t value) noexcept { return write(digits, value); }
std::size_t write_decimal(char (&digits)[20], std::uint64_t value) noexcept { return write(digits, value); }

}  // namespace freshet::detail
