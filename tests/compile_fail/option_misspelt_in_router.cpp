// SPDX-License-Identifier: Apache-2.0
// expect: NoOptionOfASubscriberHasThisNameAndType
// expect-clang: freshet: no option of a subscriber has this name and type
#include <string_view>

#include <freshet/router.hpp>

void wire(freshet::Router<"shop.">& router) {
    router.subscriber<"orders">({.que = "billing"}).handle([](std::string_view) {});
}
