// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/options.hpp>

namespace freshet::detail {

/// The value of an environment variable; empty where it is not set.
std::string variable(const char* name);

/// The parts of a comma separated list of server URLs, without spaces around them.
std::vector<std::string> split_servers(std::string_view list);

/// Throws Error(Errc::bad_setup) unless the file that `setting` names can be read. An empty path is no file.
void check_readable(std::string_view setting, const std::string& path);

/// One of several ways to say who connects, and what it is called where it was said.
struct NamedCredentials {
    std::string_view name = {};
    Credentials credentials = {};
};
/// The one that is given, or none. Throws Error(Errc::bad_setup) with both names for two; `where` begins the message.
Credentials the_only(const std::vector<NamedCredentials>& given, std::string_view where);

}  // namespace freshet::detail
