// SPDX-License-Identifier: Apache-2.0
// What handlers take in other ways than as a body of one type, and codecs that one subscriber or publisher has.
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/describe.hpp>
#include <freshet/freshet.hpp>

using namespace freshet;
using Names = std::vector<std::string>;

namespace {

struct Created {
    std::string id = {};
};
FRESHET_JSON(Created, id);
struct Deleted {
    int reason = 0;
};
FRESHET_JSON(Deleted, reason);
enum class Color { red, green };
FRESHET_ENUM(Color, red, green);

using ByHeader = std::variant<Created, Deleted>;
FRESHET_VARIANT(ByHeader, by_header("type"), (Created, "created"), (Deleted, "deleted"));
using ByPath = std::variant<Deleted, Created>;
FRESHET_VARIANT(ByPath, by_path("kind"), (Created, "created"), (Deleted, "deleted"));
using Tried = std::variant<Created, int>;
FRESHET_VARIANT(Tried, by_decoding);

struct Csv {
    static constexpr std::string_view content_type = "text/csv";
    static void encode(const Created& value, Buffer& out) { out.append(value.id); }
    static Expected<void> decode(Bytes, Created&) { return {}; }
};
struct Line : Csv {
    static std::string schema() { return R"({"type": "string", "maxLength": 80})"; }
};

const MessageDescription& message_of(const Description& description, std::string_view operation) {
    const auto* found = description.operation(operation);
    REQUIRE(found != nullptr);
    REQUIRE(found->messages.size() == 1);
    return *description.message(found->messages[0]);
}

}  // namespace

TEST_CASE("parameters Field are the members of an object") {
    Broker broker;
    broker.subscriber<"orders">().handle([](Field<"id", int>, Field<"note", std::optional<std::string>>,
                                            Field<"pages", int, 1>, Field<"tenant", std::string, "none">,
                                            Header<"trace">) { return Created{}; });
    const auto description = broker.describe();
    const auto& message = message_of(description, "receive_orders");
    CHECK(message.body == MessageDescription::Body::typed);
    CHECK(message.type.empty());
    CHECK(message.schema == R"({"properties":{"id":{"maximum":2147483647,"minimum":-2147483648,"type":"integer"},)"
                            R"("note":{"type":["string","null"]},)"
                            R"("pages":{"default":1,"maximum":2147483647,"minimum":-2147483648,"type":"integer"},)"
                            R"("tenant":{"default":"none","type":"string"}},"required":["id"],"type":"object"})");
    REQUIRE(message.headers.size() == 1);
    CHECK(message.headers[0].name == "trace");
    CHECK(description.without_schema().empty());
}

TEST_CASE("a header with a default may be absent") {
    Broker broker;
    broker.subscriber<"orders.{region}">().handle([](const Created&, Header<"pages", int, 7>,
                                                     Header<"color", Color, Color::green>, Path<"region", std::string>,
                                                     Path<"shop", std::string, "main">) {});
    const auto description = broker.describe();
    const auto& message = message_of(description, "receive_orders_region");
    REQUIRE(message.headers.size() == 2);
    CHECK(message.headers[0] ==
          HeaderDescription{"color", R"({"default":"green","enum":["red","green"],"type":"string"})", false});
    CHECK(message.headers[1].name == "pages");
    CHECK(message.headers[1].schema.find(R"("default":7)") != std::string::npos);
    CHECK_FALSE(message.headers[1].required);
    CHECK(description.channels[0].parameters.size() == 1);
    CHECK(description.without_schema().empty());
}

TEST_CASE("what names the type of a body is described, with the names") {
    const std::string both = R"({"anyOf":[{"$ref":"#/definitions/Created"},{"$ref":"#/definitions/Deleted"}]})";
    Broker broker;
    broker.subscriber<"by.header">().handle([](const ByHeader&) {});
    broker.subscriber<"by.batch">({.batch = {.size = 4}}).handle([](std::span<const ByHeader>) {});
    broker.subscriber<"by.path.{kind}">().handle([](const ByPath&) {});
    broker.subscriber<"by.trial">().handle([](const Tried&) {});
    const auto description = broker.describe();
    for (const auto* operation : {"receive_by_header", "receive_by_batch"}) {
        const auto& message = message_of(description, operation);
        CHECK(message.schema == both);
        REQUIRE(message.headers.size() == 1);
        CHECK(message.headers[0] ==
              HeaderDescription{"type", R"({"enum":["created","deleted"],"type":"string"})", true});
    }
    CHECK(message_of(description, "receive_by_path_kind").body == MessageDescription::Body::typed);
    CHECK(description.channel("by.path.kind")->parameters[0].allowed == Names{"created", "deleted"});
    CHECK(message_of(description, "receive_by_trial").schema.starts_with(R"({"anyOf":[{"$ref":)"));
    CHECK(description.without_schema().empty());
}

TEST_CASE("the codec of one subscriber or publisher says what its bodies are") {
    Broker broker;
    broker.subscriber<"lines">().codec<Line>().handle([](const Created& created) { return created; });
    broker.subscriber<"packed">().codec<InFormat<Format::cbor>>().handle([](const Created&) {});
    std::ignore = broker.publisher<Created, "out">().codec<Line>();
    const auto description = broker.describe();
    for (const auto* operation : {"receive_lines", "publish_out"}) {
        const auto& message = message_of(description, operation);
        CHECK(message.content_types == Names{"text/csv"});
        CHECK(message.schema == R"({"$ref":"#/definitions/Line"})");
    }
    CHECK(description.schema("Line")->schema == R"({"maxLength":80,"type":"string"})");
    CHECK(message_of(description, "receive_packed").content_types == Names{"application/cbor"});
    CHECK(message_of(description, "receive_packed").schema == R"({"$ref":"#/definitions/Created"})");
    CHECK(description.without_schema().empty());

    Broker other;
    other.subscriber<"lines">().codec<Csv>().handle([](const Created&) {});
    CHECK(message_of(other.describe(), "receive_lines").body == MessageDescription::Body::unknown);
    CHECK(other.describe().without_schema().size() == 1);
}

TEST_CASE("the headers that publish_to adds are described") {
    Broker broker;
    broker.subscriber<"orders">().publish_to<"invoices">({.headers = {{"origin", "shop"}}}).handle([](const Created&) {
        return Deleted{};
    });
    const auto description = broker.describe();
    const auto& message = message_of(description, "publish_invoices");
    REQUIRE(message.headers.size() == 1);
    CHECK(message.headers[0].name == "origin");
    for (const auto& name : description.operation("receive_orders")->reply->messages)
        CHECK((name == "error" || description.message(name)->headers.empty()));
}

TEST_CASE("an error that answers has no message of its own") {
    Broker broker;
    broker.subscriber<"orders">()
        .on_error<std::runtime_error>(503)
        .on_error<std::logic_error>([](const std::logic_error&) { return RemoteError{400, "no"}; })
        .handle([](const Created&) { return Deleted{}; });
    CHECK(broker.describe().operation("receive_orders")->reply->messages == Names{"Deleted", "error"});
}
