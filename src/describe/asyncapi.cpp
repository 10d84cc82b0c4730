// SPDX-License-Identifier: Apache-2.0
// A description as an AsyncAPI 3.1 document.
#include "describe/asyncapi.hpp"

#include <utility>

#include <freshet/asyncapi.hpp>

#include "describe/schemas.hpp"

namespace freshet {
namespace detail {
namespace {

constexpr const char* spec_version = "3.1.0";
constexpr const char* binding_version = "0.1.0";
constexpr const char* no_version = "0.0.0";  // the document needs one

Json ref(std::string target) { return {{"$ref", std::move(target)}}; }

Json schema_json(const std::string& text) {
    auto schema = Json::parse(text);
    replace_references(schema, definitions, asyncapi_schemas);
    return schema;
}

void set(Json& json, const char* key, const std::string& text) {
    if (!text.empty()) json[key] = text;
}
void set(Json& json, const char* key, const std::vector<std::string>& list) {
    if (!list.empty()) json[key] = list;
}
/// Sets settings, which are JSON already.
void set_settings(Json& json, const char* key, const std::string& settings) {
    if (!settings.empty()) json[key] = Json::parse(settings);
}

void set_tags(Json& json, const std::vector<std::string>& tags) {
    for (const auto& tag : tags) json["tags"].push_back({{"name", tag}});
}

Json info_of(const Description& description) {
    Json info{{"title", description.title},
              {"version", description.version.empty() ? no_version : description.version}};
    set(info, "description", description.text);
    set_tags(info, description.tags);
    return info;
}

Json server_of(const ServerDescription& server) {
    Json json{{"host", server.host}, {"protocol", "nats"}};
    if (server.protocol != "nats") json["x-freshet-protocol"] = server.protocol;
    set(json, "x-freshet-connection-name", server.connection_name);
    return json;
}

Json messages_of(const std::vector<std::string>& names) {
    auto messages = Json::object();
    for (const auto& name : names) messages[name] = ref("#/components/messages/" + name);
    return messages;
}

Json channel_of(const ChannelDescription& channel) {
    Json json{{"address", channel.address}, {"x-freshet-subject", channel.subject}};
    for (const auto& server : channel.servers) json["servers"].push_back(ref("#/servers/" + server));
    for (const auto& parameter : channel.parameters) {
        Json made{{"x-freshet-schema", schema_json(parameter.schema)}};
        set(made, "enum", parameter.allowed);
        json["parameters"][parameter.name] = std::move(made);
    }
    if (!channel.messages.empty()) json["messages"] = messages_of(channel.messages);
    set(json, "x-freshet-bucket", channel.bucket);
    return json;
}

std::string reply_channel(const OperationDescription& operation) { return operation.id + ".reply"; }

Json message_refs(const std::string& channel, const std::vector<std::string>& names) {
    auto refs = Json::array();
    for (const auto& name : names) refs.push_back(ref("#/channels/" + channel + "/messages/" + name));
    return refs;
}

Json source_of(const SourceDescription& source) {
    Json json{{"kind", to_string(source.kind)}};
    set(json, "stream", source.stream);
    set(json, "streamSubjects", source.stream_subjects);
    set_settings(json, "streamSettings", source.stream_settings);
    set(json, "consumer", source.consumer);
    set_settings(json, "consumerSettings", source.consumer_settings);
    set(json, "filterSubjects", source.filter_subjects);
    set(json, "queue", source.queue);
    set(json, "bucket", source.bucket);
    set(json, "ackPolicy", source.ack_policy);
    set(json, "domain", source.domain);
    set(json, "apiPrefix", source.api_prefix);
    return json;
}

Json retry_of(const RetryDescription& retry) {
    auto backoff = Json::array();
    for (const auto wait : retry.backoff) backoff.push_back(wait.count());
    Json json{{"maxAttempts", retry.max_attempts}, {"backoffMilliseconds", std::move(backoff)}};
    set(json, "deadLetter", retry.dead_letter);
    return json;
}

Json operation_of(const OperationDescription& operation) {
    using Kind = OperationDescription::Kind;
    Json json{{"action", operation.kind == Kind::receive ? "receive" : "send"},
              {"channel", ref("#/channels/" + operation.channel)},
              {"messages", message_refs(operation.channel, operation.messages)},
              {"x-freshet-kind", to_string(operation.kind)}};
    set(json, "title", operation.about.title);
    set(json, "description", operation.about.text);
    set_tags(json, operation.about.tags);
    if (operation.about.deprecated) json["x-freshet-deprecated"] = true;
    if (!operation.queue.empty())
        json["bindings"]["nats"] = {{"queue", operation.queue}, {"bindingVersion", binding_version}};
    if (operation.reply) {
        const auto channel = reply_channel(operation);
        json["reply"] = {{"address", {{"location", "$message.header#/reply-to"}}},
                         {"channel", ref("#/channels/" + channel)},
                         {"messages", message_refs(channel, operation.reply->messages)}};
        if (operation.reply->optional) json["reply"]["x-freshet-optional"] = true;
    }
    if (operation.source) {
        json["x-freshet-source"] = source_of(*operation.source);
        if (operation.source->retry) json["x-freshet-retry"] = retry_of(*operation.source->retry);
    }
    if (operation.batch > 0) json["x-freshet-batch"] = operation.batch;
    set(json, "x-freshet-caused-by", operation.caused_by);
    return json;
}

Json headers_of(const std::vector<HeaderDescription>& headers) {
    Json json{{"type", "object"}};
    for (const auto& header : headers) {
        json["properties"][header.name] = schema_json(header.schema);
        if (header.required) json["required"].push_back(header.name);
    }
    return json;
}

const char* body_name(MessageDescription::Body body) noexcept {
    switch (body) {
        case MessageDescription::Body::none: return "none";
        case MessageDescription::Body::typed: return "typed";
        case MessageDescription::Body::unknown: return "unknown";
    }
    return "unknown";
}

Json message_of(const MessageDescription& message) {
    Json json{{"name", message.name}, {"x-freshet-body", body_name(message.body)}};
    set(json, "x-freshet-type", message.type);
    if (!message.content_types.empty()) json["contentType"] = message.content_types.front();
    if (message.content_types.size() > 1) json["x-freshet-content-types"] = message.content_types;
    if (!message.headers.empty()) json["headers"] = headers_of(message.headers);
    if (!message.schema_format.empty())
        json["payload"] = {{"schemaFormat", message.schema_format}, {"schema", message.schema}};
    else if (!message.schema.empty()) json["payload"] = schema_json(message.schema);
    for (const auto& example : message.examples) json["examples"].push_back({{"payload", Json::parse(example)}});
    return json;
}

Json stream_of(const StreamDescription& stream) {
    auto json = Json::object();
    set(json, "subjects", stream.subjects);
    set_settings(json, "settings", stream.settings);
    return json;
}

Json service_of(const ServiceDescription& service) {
    Json json{{"name", service.name}, {"version", service.version}, {"endpoints", Json::array()}};
    set(json, "title", service.about.title);
    set(json, "description", service.about.text);
    set_tags(json, service.about.tags);
    if (service.about.deprecated) json["deprecated"] = true;
    if (!service.metadata.empty()) json["metadata"] = service.metadata;
    for (const auto& endpoint : service.endpoints) {
        Json made{{"name", endpoint.name}, {"operation", endpoint.operation}};
        if (!endpoint.metadata.empty()) made["metadata"] = endpoint.metadata;
        json["endpoints"].push_back(std::move(made));
    }
    return json;
}

Json bucket_of(const BucketDescription& bucket) {
    const bool is_kv = bucket.kind == BucketDescription::Kind::key_value;
    Json json{{"name", bucket.name}, {"kind", is_kv ? "key_value" : "object_store"}};
    set_settings(json, "settings", bucket.settings);
    set(json, "messages", bucket.messages);
    return json;
}

}  // namespace

void replace_references(Json& schema, std::string_view from, std::string_view to) {
    if (!schema.is_array() && !schema.is_object()) return;
    for (auto& part : schema) replace_references(part, from, to);
    if (!schema.is_object() || !schema.contains("$ref") || !schema["$ref"].is_string()) return;
    const auto target = schema["$ref"].get<std::string>();
    if (target.starts_with(from)) schema["$ref"] = std::string{to} + target.substr(from.size());
}

Json asyncapi_of(const Description& description) {
    Json document{{"asyncapi", spec_version},
                  {"info", info_of(description)},
                  {"channels", Json::object()},
                  {"operations", Json::object()}};
    for (const auto& server : description.servers) document["servers"][server.name] = server_of(server);
    for (const auto& channel : description.channels) document["channels"][channel.name] = channel_of(channel);
    for (const auto& operation : description.operations) {
        document["operations"][operation.id] = operation_of(operation);
        if (operation.reply)
            document["channels"][reply_channel(operation)] = {{"address", nullptr},
                                                              {"messages", messages_of(operation.reply->messages)}};
    }
    auto& components = document["components"] = Json::object();
    for (const auto& message : description.messages) components["messages"][message.name] = message_of(message);
    for (const auto& schema : description.schemas) components["schemas"][schema.name] = schema_json(schema.schema);
    for (const auto& stream : description.streams) document["x-freshet-streams"][stream.name] = stream_of(stream);
    for (const auto& bucket : description.buckets) document["x-freshet-buckets"].push_back(bucket_of(bucket));
    for (const auto& service : description.services) document["x-freshet-services"].push_back(service_of(service));
    if (!description.unknown.empty()) document["x-freshet-without-schema"] = description.unknown;
    return document;
}

}  // namespace detail

std::string asyncapi_json(const Description& description) { return detail::asyncapi_of(description).dump(2) + '\n'; }
std::string asyncapi_yaml(const Description& description) { return detail::yaml_of(detail::asyncapi_of(description)); }

}  // namespace freshet
