// SPDX-License-Identifier: Apache-2.0
// What a service tells of the bodies of its requests and answers, and where its description has it.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include <freshet/asyncapi.hpp>
#include <freshet/describe.hpp>
#include <freshet/diff.hpp>
#include <freshet/freshet.hpp>
#include <freshet/service.hpp>
#include <freshet/testing.hpp>

using namespace freshet;
using Json = nlohmann::json;

namespace schemas {

struct Thing {
    std::string id = {};
    std::optional<std::string> note = {};
};
FRESHET_JSON((Thing, about("One of them")), (id, example("a1")), note);
struct Basket {
    std::vector<Thing> items = {};
    std::optional<Thing> gift = {};
};
FRESHET_JSON(Basket, items, gift);
struct Total {
    double value = 0;
};
FRESHET_JSON(Total, value);

/// A type whose schema is as long as a test wants.
template <int N>
struct Long {};

}  // namespace schemas

template <int N>
struct freshet::Codec<schemas::Long<N>> {
    static constexpr std::string_view content_type = "application/json";
    static void encode(const schemas::Long<N>&, Buffer& out) { out.append("{}"); }
    static Expected<void> decode(Bytes, schemas::Long<N>&) { return {}; }
    static std::string schema() { return R"({"type":"object","description":")" + std::string(N, 'x') + "\"}"; }
};

using namespace schemas;

namespace {

Total price(const Basket&) { return {1}; }

EndpointInfo endpoint(const ServiceInfo& info, std::string_view name) {
    return *std::ranges::find(info.endpoints, name, &EndpointInfo::name);
}

void wire(Broker& broker) {
    auto shop = broker.service<"shop", "1.0.0">({.about = {.title = "Shop", .text = "Sells", .tags = {"x"}},
                                                 .metadata = {{"team", "a"}}});
    shop.endpoint<"shop.{region}.price">({.metadata = {{"cost", "low"}}}).handle(price);
    shop.endpoint<"shop.raw">().handle([](Bytes) { return std::string{"x"}; });
    broker.subscriber<"elsewhere">().handle([](std::string_view) {});
}

}  // namespace

TEST_CASE("schemas stand in the metadata of endpoints, complete in themselves") {
    Broker broker;
    auto shop = broker.service<"shop", "1.0.0">({});
    shop.endpoint<"price">().handle(price);
    shop.endpoint<"raw">().handle([](Bytes) { return std::string{"x"}; });
    const auto info = shop.info();
    const auto told = endpoint(info, "price").metadata;
    const auto request = Json::parse(told.at("freshet.request_schema"));
    CHECK(request["$ref"] == "#/definitions/schemas.Basket");
    REQUIRE(request["definitions"].size() == 2);
    CHECK(request["definitions"]["schemas.Thing"]["description"] == "One of them");
    CHECK(Json::parse(told.at("freshet.response_schema"))["definitions"]["schemas.Total"]["required"] ==
          Json::array({"value"}));
    CHECK(told.at("content-type") == "application/json");
    CHECK(endpoint(info, "raw").metadata.empty());
}

TEST_CASE("an endpoint with several handlers takes any of their bodies") {
    Broker broker;
    auto shop = broker.service<"shop", "1.0.0">({});
    shop.endpoint<"price">()
        .when([](const Message& message) { return message.header("kind") == "basket"; }, price)
        .handle([](const Thing&) { return Total{}; });
    const auto request = Json::parse(shop.info().endpoints[0].metadata.at("freshet.request_schema"));
    CHECK(request["anyOf"].size() == 2);
    CHECK(request["definitions"].size() == 2);
}

TEST_CASE("schemas of more than 16 kB at an endpoint are given out by an endpoint of their own") {
    Broker broker;
    auto shop = broker.service<"shop", "1.0.0">({});
    shop.endpoint<"small">().handle([](const Long<15'000>&) { return 1; });
    testing::TestBroker test{broker};
    CHECK(shop.info().endpoints.size() == 1);
    CHECK(shop.info().endpoints[0].metadata.contains("freshet.request_schema"));

    shop.endpoint<"large">().handle([](const Long<17'000>&) { return Total{}; });  // while the broker runs
    const auto info = test.client().services().info("shop").at(0);
    REQUIRE(info.endpoints.size() == 3);
    const auto told = endpoint(info, "large").metadata;
    CHECK_FALSE(told.contains("freshet.request_schema"));
    const auto& hash = told.at("freshet.request_schema_sha256");
    CHECK(hash.size() == 64);
    const auto giving = endpoint(info, "freshet-schemas");
    CHECK(giving.subject == "freshet.schemas.shop." + shop.id());
    CHECK(giving.queue_group.empty());
    const auto schema = Json::parse(test.request<std::string>(giving.subject, hash));
    CHECK(schema.dump().size() > 17'000);
    CHECK(test.request<std::string>(giving.subject, told.at("freshet.response_schema_sha256")).size() < 500);
    CHECK(test.try_request<std::string>(giving.subject, "other").error().remote_code() == 404);
}

TEST_CASE("schemas of more than 256 kB in all are given out apart, so that INFO fits into a message") {
    Broker broker;
    auto shop = broker.service<"shop", "1.0.0">({});
    for (int i = 0; i < 100; ++i) shop.endpoint("e" + std::to_string(i)).handle([](const Long<15'000>&) { return 1; });
    testing::TestBroker test{broker};
    CHECK(test.request<std::string>("$SRV.INFO.shop", "").size() < 400'000);
    const auto info = test.client().services().info("shop").at(0);
    CHECK(info.endpoints.size() == 101);
    CHECK(endpoint(info, "e0").metadata.contains("freshet.request_schema"));
    CHECK(endpoint(info, "e99").metadata.contains("freshet.request_schema_sha256"));
}

TEST_CASE("the description of a broker has its services") {
    Broker broker{{.name = "shop"}};
    wire(broker);
    const auto description = broker.describe();
    REQUIRE(description.services.size() == 1);
    const auto& service = *description.service("shop");
    CHECK(service.version == "1.0.0");
    CHECK(service.about.text == "Sells");
    CHECK(service.metadata.at("team") == "a");
    REQUIRE(service.endpoints.size() == 2);
    CHECK(service.endpoints[0].name == "shop_raw");
    CHECK(service.endpoints[1].name == "shop_region_price");
    CHECK(service.endpoints[1].metadata.size() == 1);
    const auto* const operation = description.operation(service.endpoints[1].operation);
    REQUIRE(operation != nullptr);
    CHECK(operation->queue == "q");
    CHECK(description.channel(operation->channel)->subject == "shop.*.price");

    const auto text = asyncapi_json(description);
    CHECK(Json::parse(text)["x-freshet-services"][0]["endpoints"].size() == 2);
    CHECK(description_from_asyncapi(text) == description);

    Broker plain;
    plain.subscriber<"elsewhere">().handle([](std::string_view) {});
    CHECK(asyncapi_json(plain.describe()).find("services") == std::string::npos);
}

TEST_CASE("the differences between services") {
    Broker broker;
    wire(broker);
    const auto before = broker.describe();
    const auto changes_to = [&](const auto& change) {
        auto after = before;
        change(after);
        std::string all;
        for (const auto& one : diff(before, after))
            all += std::string{to_string(one.impact)} + ": " + one.where + ": " + one.what + "\n";
        return all;
    };
    CHECK(changes_to([](Description&) {}).empty());
    CHECK(changes_to([](Description& after) { after.services[0].version = "1.1.0"; }) ==
          "safe: service shop: the version was 1.0.0, is 1.1.0\n");
    CHECK(changes_to([](Description& after) { after.services.clear(); }) ==
          "look: service shop: nobody finds it by this name any more\n");
    CHECK(changes_to([](Description& after) { after.services[0].endpoints[0].name = "other"; }) ==
          "look: service shop: nobody finds the endpoint shop_raw by this name any more\n"
          "safe: service shop: the endpoint other is new\n");
    CHECK(changes_to([](Description& after) { after.services[0].metadata.clear(); }) ==
          "look: service shop: the metadata is other\n");
    CHECK(changes_to([](Description& after) {
              std::swap(after.services[0].endpoints[0].operation, after.services[0].endpoints[1].operation);
          }) == "look: service shop: the endpoint shop_raw has another subject\n"
                "look: service shop: the endpoint shop_region_price has another subject\n");
    Broker empty;
    CHECK(diff(empty.describe(), before).size() >= 1);
}
