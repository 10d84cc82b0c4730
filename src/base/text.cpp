// SPDX-License-Identifier: Apache-2.0
#include <freshet/text.hpp>

#include <charconv>

namespace freshet::detail {
namespace {

template <class T>
bool parse_whole(std::string_view text, T& out) noexcept {
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, out);
    return error == std::errc{} && rest == end;
}

}  // namespace

bool parse_number(std::string_view text, long long& out) noexcept { return parse_whole(text, out); }
bool parse_number(std::string_view text, unsigned long long& out) noexcept { return parse_whole(text, out); }
bool parse_number(std::string_view text, double& out) noexcept { return parse_whole(text, out); }

}  // namespace freshet::detail
