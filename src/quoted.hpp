// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

/// `text` in quotes, for an error's message: control characters as \xNN, cut after 100 bytes.
std::string quoted(std::string_view text);

}  // namespace freshet::detail
