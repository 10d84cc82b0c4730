// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <freshet/error.hpp>
#include <freshet/obj/info.hpp>

namespace freshet::detail {

/// Errc::bad_setup for what a description cannot hold: an empty name, and a text that is not UTF-8, of which JSON
/// would keep another one. `what` is for the error message.
Expected<void> check_object_info(std::string_view what, const obj::Info& info);

/// The name under which an object is found whose description is on `subject` and says `told`. Clients encode names
/// that are not UTF-8 in the subject, and say something else in the description.
std::string object_name(std::string_view subject, std::string_view told);

}  // namespace freshet::detail
