// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/js/account_info.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Asks what the account has and may have. Blocks.
Expected<js::AccountInfo> account_info(const JsApi& api);

}  // namespace freshet::detail
