// SPDX-License-Identifier: Apache-2.0
#pragma once

// What glaze has been told of a type. Empty unless the target freshet::glaze is linked.
#ifdef FRESHET_GLAZE

#if __has_include(<glaze/forward.hpp>)
#include <glaze/forward.hpp>
#else
#include <glaze/core/meta.hpp>
#endif

namespace freshet::detail {

/// A type of which glaze has been told how it travels, by a glz::meta or a `glaze` of its own. Only
/// <freshet/glaze.hpp> knows what was told.
template <class T>
concept ToldToGlaze =
    requires { sizeof(glz::meta<T>); } || requires { typename T::glaze; } || requires { T::glaze_reflect; };

/// An enum or a variant of which glaze has been told the names.
template <class T>
concept NamedByGlaze = requires { glz::meta<T>::value; } || requires { glz::meta<T>::tag; };

}  // namespace freshet::detail

#else

namespace freshet::detail {

template <class T>
concept ToldToGlaze = false;
template <class T>
concept NamedByGlaze = false;

}  // namespace freshet::detail

#endif
