// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/error.hpp>

namespace freshet::detail {

/// Returns the text of the exception in flight. Must be called in a catch block.
std::string exception_text();

/// Returns the exception in flight as an error: the exception itself if it is an Error. Must be called in a catch
/// block.
Error exception_error() noexcept;

}  // namespace freshet::detail
