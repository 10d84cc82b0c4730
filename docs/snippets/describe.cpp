// SPDX-License-Identifier: Apache-2.0
// The code of docs/describe.md.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/asyncapi.hpp>
#include <freshet/describe.hpp>
#include <freshet/diff.hpp>
#include <freshet/freshet.hpp>

#include "support.hpp"

using snippets::shown;

namespace shop {

// [fields]
struct Order {
    std::string id = {};
    double amount = 0;
    std::optional<std::string> note = {};
};
FRESHET_JSON((Order, about("What a customer wants")),  // beside the type's name: what the type means
             (id, about("the shop's own number"), example("a1")), (amount, example(12.5)), note);
// [fields]
struct Invoice {
    std::string order_id = {};
};
FRESHET_JSON(Invoice, order_id);

// [subscriber]
void wire(freshet::Broker& broker) {
    broker
        .subscriber<"orders.{region}.created">(
            {.queue = "billing", .about = {.title = "New orders", .text = "Each *once*.", .tags = {"orders"}}})
        .handle([](const Order& order) { return Invoice{order.id}; });
}
// [subscriber]

}  // namespace shop

// [codec]
struct Money {
    long cents = 0;
};

template <>
struct freshet::Codec<Money> {
    static constexpr std::string_view content_type = "text/plain";
    static void encode(const Money& value, Buffer& out) { out.append(std::to_string(value.cents)); }
    static std::string schema() { return R"({"type": "string", "pattern": "^[0-9]+$"})"; }
};
// [codec]

struct Tenant {
    std::string name;
};
// [extractor]
template <>
struct freshet::Extractor<Tenant> {
    static Expected<Tenant> extract(Context& context) {
        return Tenant{std::string{context.message().header("tenant").value_or("")}};
    }
    static void describe(Describer& describer) { describer.header<std::optional<std::string>>("tenant"); }
};
// [extractor]

TEST_CASE("describe: what a broker says of itself") {
    // [describe]
    freshet::Broker broker{{.name = "billing"}};
    shop::wire(broker);
    const freshet::Description description = broker.describe();  // no connection, no start
    for (const auto& operation : description.operations)
        std::printf("%s on %s\n", operation.id.c_str(), description.channel(operation.channel)->address.c_str());
    // [describe]
    REQUIRE(description.operations.size() == 1);
    CHECK(description.operations[0].id + " on " + description.channels[0].address + "\n" == shown(R"(
// [described]
receive_orders_region_created on orders.{region}.created
// [described]
)") + "\n");
    CHECK(description.operations[0].about.title == "New orders");
    CHECK(description.schemas[1].name == "shop.Order");
    CHECK(description.schemas[1].schema.find("What a customer wants") != std::string::npos);

    // [schema]
    const std::string schema = freshet::schema_of<shop::Invoice>();
    // [schema]
    CHECK(schema == shown(R"(
// [schema-text]
{"$ref":"#/definitions/shop.Invoice","definitions":{"shop.Invoice":{"properties":{"order_id":{"type":"string"}},"required":["order_id"],"type":"object"}}}
// [schema-text]
)"));
}

TEST_CASE("describe: a test can demand that everything has a schema") {
    freshet::Broker broker;
    // [unknown]
    broker.subscriber<"raw">().handle([](freshet::Bytes) {});
    broker.subscriber<"pay">().handle([](Tenant) { return Money{100}; });
    const auto missing = broker.describe().without_schema();
    // [unknown]
    REQUIRE(missing.size() == 1);
    CHECK(missing[0] == shown(R"(
// [unknown-text]
receive_raw: the body is bytes
// [unknown-text]
)"));
}

TEST_CASE("describe: documents and their differences") {
    freshet::Broker broker{{.name = "billing"}};
    shop::wire(broker);
    // [asyncapi]
    std::ofstream{"billing.json"} << freshet::asyncapi_json(broker.describe());
    std::ofstream{"billing.yaml"} << freshet::asyncapi_yaml(broker.describe());
    // [asyncapi]
    std::ifstream released{"billing.json"};
    const std::string text{std::istreambuf_iterator<char>{released}, {}};

    freshet::Broker next{{.name = "billing"}};
    next.subscriber<"orders.{region}.created">({.queue = "billing"})
        .handle([](const shop::Order&, freshet::Header<"tenant">) { return Money{1}; });
    std::string printed;
    // [diff]
    const auto before = freshet::description_from_asyncapi(text);  // the released document
    for (const auto& change : freshet::diff(before, next.describe())) {
        printed += freshet::to_string(change.impact);
        printed += ": " + change.where + ": " + change.what + "\n";
    }
    // [diff]
    CHECK(printed == shown(R"(
// [diff-text]
breaking: receive orders.{region}.created: header tenant: is new, and required
breaking: receive orders.{region}.created: the answer: the content type was "application/json", is "text/plain"
breaking: receive orders.{region}.created: the answer: the body: was object, is string
// [diff-text]
)") + "\n");
}
