// SPDX-License-Identifier: Apache-2.0
// The description as an AsyncAPI document, and back.
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include <freshet/asyncapi.hpp>

#include "describe/asyncapi.hpp"
#include "everything.hpp"

using namespace freshet;
using nlohmann::json;

namespace {

Description everything_described() {
    Broker broker{{.servers = {"tls://user:s3cret@example.com"}, .name = "shop", .version = "1.2.0"}};
    everything::wire(broker);
    return broker.describe();
}

}  // namespace

TEST_CASE("a document says what AsyncAPI has words for") {
    const auto document = json::parse(asyncapi_json(everything_described()));
    CHECK(document["asyncapi"] == "3.1.0");
    CHECK(document["info"] == json{{"title", "shop"}, {"version", "1.2.0"}});
    CHECK(document["servers"]["shop"]["host"] == "example.com:4222");
    CHECK(document["servers"]["shop"]["protocol"] == "nats");

    const auto& channel = document["channels"]["orders.region.status"];
    CHECK(channel["address"] == "orders.{region}.{status}");
    CHECK(channel["x-freshet-subject"] == "orders.*.*");
    CHECK(channel["parameters"]["status"]["enum"] == json::array({"open", "in-progress"}));
    CHECK_FALSE(channel["parameters"]["region"].contains("schema"));

    const auto& receive = document["operations"]["receive_orders_region_status"];
    CHECK(receive["action"] == "receive");
    CHECK(receive["channel"]["$ref"] == "#/channels/orders.region.status");
    CHECK(receive["bindings"]["nats"] == json{{"queue", "billing"}, {"bindingVersion", "0.1.0"}});
    CHECK(receive["reply"]["address"]["location"] == "$message.header#/reply-to");
    CHECK(receive["reply"]["x-freshet-optional"] == true);
    CHECK(document["channels"]["receive_orders_region_status.reply"]["address"].is_null());
    CHECK(receive["tags"][0]["name"] == "orders");

    const auto& line = document["components"]["messages"]["everything.Line"];
    CHECK(line["payload"]["$ref"] == "#/components/schemas/everything.Line");
    CHECK(line["contentType"] == "application/json");
    CHECK(line["examples"][0]["payload"] == json{{"sku", "a1"}, {"quantity", 2}});
    const auto& proto = document["components"]["messages"]["everything.Proto"];
    CHECK(proto["payload"]["schemaFormat"] == "application/vnd.google.protobuf;version=3");

    const auto& job = document["operations"]["receive_jobs_id"];
    CHECK(job["x-freshet-source"]["stream"] == "JOBS");
    CHECK(job["x-freshet-retry"] ==
          json{{"maxAttempts", 3}, {"backoffMilliseconds", {1000, 5000}}, {"deadLetter", "dead.jobs"}});
    CHECK(document["operations"]["dead_letter_dead_jobs"]["action"] == "send");
}

TEST_CASE("no credentials get into a document") {
    const auto description = everything_described();
    for (const auto& text : {asyncapi_json(description), asyncapi_yaml(description)}) {
        CHECK(text.find("s3cret") == std::string::npos);
        CHECK(text.find("user:") == std::string::npos);
    }
}

TEST_CASE("a description comes back from its document") {
    const auto description = everything_described();
    const auto back = description_from_asyncapi(asyncapi_json(description));
    CHECK(back.operations == description.operations);
    CHECK(back.channels == description.channels);
    CHECK(back.messages == description.messages);
    CHECK(back.schemas == description.schemas);
    CHECK(back == description);
    CHECK(asyncapi_json(back) == asyncapi_json(description));
    CHECK_THROWS_AS(description_from_asyncapi("{}"), Error);
    CHECK_THROWS_AS(description_from_asyncapi("nonsense"), Error);
    CHECK_THROWS_AS(description_from_asyncapi(R"({"asyncapi":"3.0.0"})"), Error);
}

TEST_CASE("YAML writes every string so that no reader takes it for something else") {
    const json document{{"no", "no"},
                        {"version", "3.10"},
                        {"tilde", "~"},
                        {"list", {1, json::array(), "- x"}},
                        {"empty", json::object()},
                        {"a b", nullptr},
                        {"big", 1e22},
                        {"line", "one\ntwo: #"}};
    CHECK(detail::yaml_of(document) == R"("a b": null
big: 1.0e+22
empty: {}
line: "one\ntwo: #"
list:
  - 1
  - []
  - "- x"
"no": "no"
tilde: "~"
version: "3.10"
)");
}
