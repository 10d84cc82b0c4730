// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <freshet/error.hpp>

namespace freshet::detail::nats {

/// Returns a file's content. Errc::bad_setup "cannot read the {what} {path}: {why}"; a secret that stands in place of
/// the path is not shown.
Expected<std::string> read_file(const std::string& path, std::string_view what);

}  // namespace freshet::detail::nats
