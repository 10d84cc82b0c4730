// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <freshet/error.hpp>
#include <freshet/obj/info.hpp>

namespace freshet::detail {

/// Returns a description as it is stored (ADR-20), without the time, which is that of its message.
std::string write_object_info(const obj::Info& info);

/// Parses a stored description; the caller sets the time. Errc::bad_payload for an invalid one.
Expected<obj::Info> read_object_info(std::string_view text);

}  // namespace freshet::detail
