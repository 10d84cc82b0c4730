// SPDX-License-Identifier: Apache-2.0
#include "describe/wire_name.hpp"

#include <catch2/catch_test_macros.hpp>

using freshet::detail::channel_name;
using freshet::detail::wire_name;

TEST_CASE("the wire name of a type does not depend on the compiler") {
    CHECK(wire_name("Order") == "Order");
    CHECK(wire_name("app::v1::Order") == "app.v1.Order");
    CHECK(wire_name("{anonymous}::Order") == "Order");            // GCC
    CHECK(wire_name("(anonymous namespace)::Order") == "Order");  // Clang
    CHECK(wire_name("app::{anonymous}::Order") == "app.Order");
    CHECK(wire_name("main()::Order") == "Order");  // GCC; Clang writes Order
    CHECK(wire_name("app::wire(freshet::Broker&)::Order") == "Order");
    CHECK(wire_name("app::Page<app::Order>") == "app.Page.app.Order");
    CHECK(wire_name("app::Page<std::__cxx11::basic_string<char> >") == "app.Page.std.string");
    CHECK(wire_name("app::Page<std::basic_string<char>>") == "app.Page.std.string");
}

TEST_CASE("the name of a channel has no character that tools refuse") {
    CHECK(channel_name("orders.{region}.created") == "orders.region.created");
    CHECK(channel_name("orders.*.>") == "orders._._");
    CHECK(channel_name("$KV.flags.ui.{name}") == "_KV.flags.ui.name");
    CHECK(channel_name("a/b:c") == "a_b_c");
}
