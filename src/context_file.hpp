// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/options.hpp>

namespace freshet::detail {

/// The parts of a comma separated list of server URLs, without spaces around them.
std::vector<std::string> split_servers(std::string_view list);

/// Throws Error(Errc::bad_setup) unless a file named by `setting` can be read.
void check_readable(std::string_view setting, const std::string& path);

}  // namespace freshet::detail
