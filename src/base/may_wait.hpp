// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/error.hpp>

#include "base/callback_scope.hpp"

namespace freshet::detail {

/// Whether this thread may wait for an answer of a server or service.
inline bool may_wait() noexcept { return !NoWaitScope::inside(); }

/// The error of a call that may_wait() forbids; `what` was tried, such as `request on "orders"`.
Error wait_refused(std::string_view what);

}  // namespace freshet::detail
