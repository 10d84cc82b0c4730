// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// The body of the JSON lanes, 179 bytes.
inline constexpr std::string_view order_json =
    R"({"id":"ord-042","customer":"cust-4711","region":"eu","lines":[{"sku":"sku-1001","quantity":2,)"
    R"("price":19.99},{"sku":"sku-2002","quantity":1,"price":5.5}],"total":45.48,"paid":true})";
static_assert(order_json.size() == 179);

struct Line {
    std::string sku = {};
    int quantity = 0;
    double price = 0;
};
struct Order {
    std::string id = {};
    std::string customer = {};
    std::string region = {};
    std::vector<Line> lines = {};
    double total = 0;
    bool paid = false;
};

/// The same type under another name: what freshet decodes by FRESHET_JSON, while Order is for reflection.
struct DeclaredLine {
    std::string sku = {};
    int quantity = 0;
    double price = 0;
};
struct DeclaredOrder {
    std::string id = {};
    std::string customer = {};
    std::string region = {};
    std::vector<DeclaredLine> lines = {};
    double total = 0;
    bool paid = false;
};

/// The order of order_json, to be encoded.
template <class O, class L>
O make_order() {
    return {.id = "ord-042",
            .customer = "cust-4711",
            .region = "eu",
            .lines = {L{.sku = "sku-1001", .quantity = 2, .price = 19.99},
                      L{.sku = "sku-2002", .quantity = 1, .price = 5.5}},
            .total = 45.48,
            .paid = true};
}

}  // namespace bench
