// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

namespace freshet::detail {

using Json = nlohmann::json;

}  // namespace freshet::detail
