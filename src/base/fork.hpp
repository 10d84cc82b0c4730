// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/error.hpp>

namespace freshet::detail {

/// Begins to watch for forks, so that a child of this process is recognised. Code that starts threads, which a child
/// will not have, calls it.
void watch_forks();

/// Returns true in a process that was forked after watch_forks. Nothing works there: publications are lost without an
/// error, and locks are in the state that they had at the fork.
bool forked() noexcept;

/// Returns the error for a call in a forked process; `what` was tried.
Error forked_error(std::string_view what);

}  // namespace freshet::detail
