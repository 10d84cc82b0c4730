// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

/// Returns the name under which others know a C++ type: `app::Order` is "app.Order", `app::Page<app::Order>` is
/// "app.Page.app.Order". Anonymous namespaces and functions around a type are left out, so that compilers agree.
std::string wire_name(std::string_view type);

/// Returns a subject as the name of a channel: `orders.{region}.>` is "orders.region._". Different subjects may have
/// one name.
std::string channel_name(std::string_view address);

/// Returns a name with `_` for each character that an id must not have.
std::string id_of(std::string_view name);

}  // namespace freshet::detail
