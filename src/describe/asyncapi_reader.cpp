// SPDX-License-Identifier: Apache-2.0
// A description from the AsyncAPI document that was made of it.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/asyncapi.hpp>
#include <freshet/error.hpp>

#include "describe/asyncapi.hpp"
#include "describe/schemas.hpp"

namespace freshet {
namespace detail {
namespace {

using Names = std::vector<std::string>;

Json part(const Json& json, const char* key) { return json.value(key, Json::object()); }
/// Calls `take(name, part)` for each part of an object that may be missing.
template <class Take>
void each(const Json& json, const char* key, Take take) {
    const auto parts = part(json, key);
    for (const auto& [name, one] : parts.items()) take(name, one);
}
std::string text(const Json& json, const char* key) { return json.value(key, std::string{}); }
Names names(const Json& json, const char* key) { return json.value(key, Names{}); }
/// Returns settings, which a description has as text.
std::string settings(const Json& json, const char* key) { return json.contains(key) ? json[key].dump() : ""; }

std::string schema_text(Json schema) {
    replace_references(schema, asyncapi_schemas, definitions);
    return schema.dump();
}

/// Returns the last part of a reference; of a message within a channel, its name.
std::string target(const Json& ref) {
    const auto path = ref.at("$ref").get<std::string>();
    return path.substr(path.rfind('/') + 1);
}
Names targets(const Json& refs) {
    Names all;
    for (const auto& ref : refs) all.push_back(target(ref));
    return all;
}
Names tags(const Json& json) {
    Names all;
    for (const auto& tag : json.value("tags", Json::array())) all.push_back(text(tag, "name"));
    return all;
}
Names keys(const Json& json) {
    Names all;
    for (const auto& [key, value] : json.items()) all.push_back(key);
    return all;
}

ServerDescription server_from(const std::string& name, const Json& json) {
    return {.name = name,
            .protocol = json.value("x-freshet-protocol", json.at("protocol").get<std::string>()),
            .host = json.at("host"),
            .connection_name = text(json, "x-freshet-connection-name")};
}

/// Returns the names of a subject's parameters in their order, which JSON does not keep.
Names parameter_names(const std::string& address) {
    Names all;
    for (auto at = address.find('{'); at != std::string::npos; at = address.find('{', at + 1))
        all.push_back(address.substr(at + 1, address.find('}', at) - at - 1));
    return all;
}

ChannelDescription channel_from(const std::string& name, const Json& json) {
    ChannelDescription channel{.name = name,
                               .address = json.at("address"),
                               .subject = text(json, "x-freshet-subject"),
                               .servers = targets(json.value("servers", Json::array())),
                               .messages = keys(part(json, "messages")),
                               .bucket = text(json, "x-freshet-bucket")};
    const auto parameters = part(json, "parameters");
    for (const auto& one : parameter_names(channel.address)) {
        const auto made = part(parameters, one.c_str());
        channel.parameters.push_back(
            {.name = one, .schema = schema_text(part(made, "x-freshet-schema")), .allowed = names(made, "enum")});
    }
    return channel;
}

template <class Enum>
Enum from_name(const std::string& name, std::initializer_list<Enum> all, Enum otherwise) {
    const auto found = std::ranges::find_if(all, [&](Enum one) { return name == to_string(one); });
    return found == all.end() ? otherwise : *found;
}

RetryDescription retry_from(const Json& json) {
    RetryDescription retry{.max_attempts = json.at("maxAttempts"), .dead_letter = text(json, "deadLetter")};
    for (const auto& wait : json.at("backoffMilliseconds"))
        retry.backoff.emplace_back(wait.get<std::chrono::milliseconds::rep>());
    return retry;
}

SourceDescription source_from(const Json& json, const Json& operation) {
    using enum SourceKind;
    SourceDescription source{
        .kind = from_name(text(json, "kind"), {core, pull, push, ordered, key_value, object_store}, other),
        .stream = text(json, "stream"),
        .stream_subjects = names(json, "streamSubjects"),
        .stream_settings = settings(json, "streamSettings"),
        .consumer = text(json, "consumer"),
        .consumer_settings = settings(json, "consumerSettings"),
        .filter_subjects = names(json, "filterSubjects"),
        .queue = text(json, "queue"),
        .bucket = text(json, "bucket"),
        .ack_policy = text(json, "ackPolicy"),
        .domain = text(json, "domain"),
        .api_prefix = text(json, "apiPrefix")};
    if (operation.contains("x-freshet-retry")) source.retry = retry_from(operation["x-freshet-retry"]);
    return source;
}

OperationDescription operation_from(const std::string& id, const Json& json) {
    using enum OperationDescription::Kind;
    const auto otherwise = json.at("action") == "receive" ? receive : json.contains("reply") ? request : publish;
    OperationDescription operation{
        .id = id,
        .kind = from_name(text(json, "x-freshet-kind"), {receive, publish, request, dead_letter}, otherwise),
        .channel = target(json.at("channel")),
        .about = {.title = text(json, "title"),
                  .text = text(json, "description"),
                  .tags = tags(json),
                  .deprecated = json.value("x-freshet-deprecated", false)},
        .queue = text(part(part(json, "bindings"), "nats"), "queue"),
        .messages = targets(json.value("messages", Json::array())),
        .batch = json.value("x-freshet-batch", std::size_t{0}),
        .caused_by = names(json, "x-freshet-caused-by")};
    if (json.contains("reply")) {
        const auto& reply = json["reply"];
        operation.reply =
            ReplyDescription{targets(reply.value("messages", Json::array())), reply.value("x-freshet-optional", false)};
    }
    if (json.contains("x-freshet-source")) operation.source = source_from(json["x-freshet-source"], json);
    return operation;
}

MessageDescription message_from(const std::string& name, const Json& json) {
    using enum MessageDescription::Body;
    MessageDescription message{
        .name = name, .type = text(json, "x-freshet-type"), .content_types = names(json, "x-freshet-content-types")};
    const auto body = json.value("x-freshet-body", std::string{json.contains("payload") ? "typed" : "unknown"});
    message.body = body == "none" ? none : body == "typed" ? typed : unknown;
    if (message.content_types.empty() && json.contains("contentType"))
        message.content_types.push_back(json["contentType"]);
    const auto payload = part(json, "payload");
    if (payload.contains("schemaFormat") && payload.contains("schema")) {
        message.schema_format = payload["schemaFormat"];
        const auto& schema = payload["schema"];
        message.schema = schema.is_string() ? schema.get<std::string>() : schema.dump();
    } else if (json.contains("payload")) {
        message.schema = schema_text(payload);
    }
    const auto headers = part(json, "headers");
    const auto required = names(headers, "required");
    each(headers, "properties", [&](const std::string& header, const Json& schema) {
        const bool needed = std::ranges::find(required, header) != required.end();
        message.headers.push_back({.name = header, .schema = schema_text(schema), .required = needed});
    });
    for (const auto& example : json.value("examples", Json::array()))
        if (example.contains("payload")) message.examples.push_back(example["payload"].dump());
    return message;
}

BucketDescription bucket_from(const Json& json) {
    using enum BucketDescription::Kind;
    return {.name = json.at("name"),
            .kind = text(json, "kind") == "object_store" ? object_store : key_value,
            .settings = settings(json, "settings"),
            .messages = names(json, "messages")};
}

std::map<std::string, std::string> metadata(const Json& json) {
    return json.value("metadata", std::map<std::string, std::string>{});
}

ServiceDescription service_from(const Json& json) {
    ServiceDescription service{.name = json.at("name"),
                               .version = text(json, "version"),
                               .about = {.title = text(json, "title"),
                                         .text = text(json, "description"),
                                         .tags = tags(json),
                                         .deprecated = json.value("deprecated", false)},
                               .metadata = metadata(json)};
    for (const auto& one : json.value("endpoints", Json::array()))
        service.endpoints.push_back({one.at("name"), text(one, "operation"), metadata(one)});
    return service;
}

Description description_from(const Json& document) {
    const auto& info = document.at("info");
    Description made{.title = text(info, "title"),
                     .version = text(info, "version") == "0.0.0" ? "" : text(info, "version"),
                     .text = text(info, "description"),
                     .tags = tags(info),
                     .unknown = names(document, "x-freshet-without-schema")};
    const auto components = part(document, "components");
    each(document, "servers",
         [&](const std::string& name, const Json& one) { made.servers.push_back(server_from(name, one)); });
    each(document, "channels", [&](const std::string& name, const Json& one) {
        if (!one.at("address").is_null()) made.channels.push_back(channel_from(name, one));
    });
    each(document, "operations",
         [&](const std::string& id, const Json& one) { made.operations.push_back(operation_from(id, one)); });
    each(components, "messages",
         [&](const std::string& name, const Json& one) { made.messages.push_back(message_from(name, one)); });
    each(components, "schemas",
         [&](const std::string& name, const Json& one) { made.schemas.push_back({name, schema_text(one)}); });
    each(document, "x-freshet-streams", [&](const std::string& name, const Json& one) {
        made.streams.push_back({name, names(one, "subjects"), settings(one, "settings")});
    });
    for (const auto& one : document.value("x-freshet-buckets", Json::array())) made.buckets.push_back(bucket_from(one));
    for (const auto& one : document.value("x-freshet-services", Json::array()))
        made.services.push_back(service_from(one));
    return made;
}

}  // namespace
}  // namespace detail

Description description_from_asyncapi(std::string_view json) {
    try {
        const auto document = detail::Json::parse(json);
        if (!document.value("asyncapi", std::string{}).starts_with("3."))
            raise({Errc::bad_payload, "reading an AsyncAPI document: it is not one of version 3"});
        return detail::description_from(document);
    } catch (const detail::Json::exception& error) {
        raise({Errc::bad_payload, std::string{"reading an AsyncAPI document: "} + error.what()});
    }
}

}  // namespace freshet
