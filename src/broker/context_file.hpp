// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/options.hpp>

namespace freshet::detail {

/// Returns the value of an environment variable, empty if it is not set.
std::string variable(const char* name);

/// Splits a comma-separated list of server URLs. Drops blanks around the URLs, and empty ones.
std::vector<std::string> split_servers(std::string_view list);

/// Throws Error(Errc::bad_setup) unless the file that `setting` names can be read. Accepts an empty path, which names
/// no file.
void check_readable(std::string_view setting, const std::string& path);

/// Credentials, and the name of the setting that gave them.
struct NamedCredentials {
    std::string_view name = {};
    Credentials credentials = {};
};
/// Returns the credentials that are given, or none. If two are given, throws Error(Errc::bad_setup) with both names;
/// `where` begins its message.
Credentials the_only(const std::vector<NamedCredentials>& given, std::string_view where);

}  // namespace freshet::detail
