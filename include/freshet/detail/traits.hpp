// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <type_traits>

namespace freshet::detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// Whether T is a pointer, also a smart one.
template <class T>
inline constexpr bool is_pointer_like = std::is_pointer_v<T>;
template <class T>
inline constexpr bool is_pointer_like<std::shared_ptr<T>> = true;
template <class T, class Deleter>
inline constexpr bool is_pointer_like<std::unique_ptr<T, Deleter>> = true;

}  // namespace freshet::detail
