// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace freshet::detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace freshet::detail
