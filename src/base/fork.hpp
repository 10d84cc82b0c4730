// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/error.hpp>

namespace freshet::detail {

/// From now on a child of this process is known to be one. Called by what starts threads that a child will miss.
void watch_forks();

/// True in a process that was forked after watch_forks: nothing works there, what is published is lost without an error, and
/// locks are as they were.
bool forked() noexcept;

/// The error that tells so.
Error forked_error(std::string_view what);

}  // namespace freshet::detail
