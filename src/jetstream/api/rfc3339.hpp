// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <freshet/detail/chrono.hpp>

namespace freshet::detail {

/// Parses a time as the server writes it: `2022-08-06T00:29:27.587861324Z`, with any offset instead of the Z, or
/// `2022-08-06 00:29:27.587861324 +0000 UTC`, which old servers put into the header of a direct get. Returns nothing
/// for another text, and for a time that the clock cannot hold, such as Go's zero time (year 1).
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) noexcept;

/// Returns a time as `2022-08-06T00:29:27.587861324Z`.
std::string format_rfc3339(std::chrono::system_clock::time_point time);

}  // namespace freshet::detail
