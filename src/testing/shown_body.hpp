// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

/// Returns a body as failed comparisons print it: escaped, and cut where it is long.
std::string shown_body(std::string_view body);

}  // namespace freshet::detail
