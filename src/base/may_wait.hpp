// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/error.hpp>

#include "base/callback_scope.hpp"

namespace freshet::detail {

/// Returns true if this thread may wait for an answer of a server or service: if it does not bring answers itself.
inline bool may_wait() noexcept { return !NoWaitScope::inside(); }

/// Returns the error of a call that may_wait() forbids. `what` names the call, such as `request on "orders"`.
Error wait_refused(std::string_view what);

}  // namespace freshet::detail
