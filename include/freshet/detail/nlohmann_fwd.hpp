// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace freshet::detail {

template <class T>
concept HasNlohmannJson = requires(nlohmann::json& json, const T& value) { to_json(json, value); } ||
                          requires(const nlohmann::json& json, T& value) { from_json(json, value); };

}  // namespace freshet::detail
