// SPDX-License-Identifier: Apache-2.0
#include "service/endpoint_schemas.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <freshet/describe.hpp>

#include "describe/description_builder.hpp"
#include "describe/json.hpp"
#include "describe/schemas.hpp"

namespace freshet::detail {
namespace {

/// Adds the named types that a schema refers to, and those that they refer to, to `into`.
void add_definitions(const Json& schema, const Description& from, Json& into) {
    if (!schema.is_structured()) return;
    for (const auto& part : schema) add_definitions(part, from, into);
    if (!schema.is_object() || !schema.contains("$ref") || !schema["$ref"].is_string()) return;
    const auto target = schema["$ref"].get<std::string>();
    if (!target.starts_with(definitions)) return;
    const auto name = target.substr(definitions.size());
    const auto* const known = from.schema(name);
    if (known == nullptr || into.contains(name)) return;
    const auto& added = into[name] = Json::parse(known->schema);
    add_definitions(Json{added}, from, into);
}

bool is_error_answer(const MessageDescription& message) {
    return message.body == MessageDescription::Body::none &&
           std::ranges::any_of(message.headers, [](const auto& header) { return header.name == "Nats-Service-Error"; });
}

/// Returns the schema of the bodies of these messages; "" if one of them has none.
std::string schema_of(const std::vector<const MessageDescription*>& messages, const Description& from) {
    auto alternatives = Json::array();
    for (const auto* message : messages) {
        if (message->schema.empty() || !message->schema_format.empty()) return {};
        alternatives.push_back(Json::parse(message->schema));
    }
    if (alternatives.empty()) return {};
    auto schema = alternatives.size() == 1 ? std::move(alternatives[0]) : Json{{"anyOf", std::move(alternatives)}};
    auto named = Json::object();
    add_definitions(schema, from, named);
    if (!named.empty()) schema["definitions"] = std::move(named);
    return schema.dump();
}

std::vector<const MessageDescription*> find_all(const std::vector<std::string>& names, const Description& in) {
    std::vector<const MessageDescription*> found;
    for (const auto& name : names) {
        const auto* const message = in.message(name);
        if (message != nullptr && !is_error_answer(*message)) found.push_back(message);
    }
    return found;
}

EndpointSchemas schemas_in(const Description& description) {
    EndpointSchemas schemas;
    const auto receive =
        std::ranges::find(description.operations, OperationDescription::Kind::receive, &OperationDescription::kind);
    if (receive == description.operations.end()) return schemas;
    const auto requests = find_all(receive->messages, description);
    const auto answers =
        receive->reply ? find_all(receive->reply->messages, description) : std::vector<const MessageDescription*>{};
    for (const auto& list : {answers, requests})
        for (const auto* message : list)
            if (!message->content_types.empty()) schemas.content_type = message->content_types.front();
    schemas.request = schema_of(requests, description);
    schemas.response = schema_of(answers, description);
    return schemas;
}

}  // namespace

EndpointSchemas schemas_of(const BrokerCore& broker, const SubscriberSpec& spec) {
    try {
        DescriptionBuilder builder;
        builder.add(broker, spec);
        return schemas_in(builder.finish());
    } catch (const Error& error) {
        if (error.code() == Errc::bad_subject) return {};  // the start says so
        return {.problem = std::string{error.message()}};
    }
}

}  // namespace freshet::detail
