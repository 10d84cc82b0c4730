// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/error.hpp>

namespace freshet::detail {

/// What the exception in flight says. To be called in a catch block.
std::string exception_text();

/// The exception in flight as an error: itself if it is one. To be called in a catch block.
Error exception_error() noexcept;

}  // namespace freshet::detail
