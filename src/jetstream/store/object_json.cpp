// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/object_json.hpp"

#include <freshet/subject_grammar.hpp>

#include "base/quoted.hpp"
#include "jetstream/api/api.hpp"

namespace freshet::detail {
namespace {

Json write_headers(const Headers& headers) {
    Json json = Json::object();
    for (const auto& [name, value] : headers) json[name].push_back(value);
    return json;
}

void add_header(Headers& headers, const std::string& name, const Json& value) {
    if (value.is_string() && Headers::check(name, value.get_ref<const std::string&>()))
        headers.add(name, value.get_ref<const std::string&>());
}

/// Reads headers: a list of values for each name, or a single value, as nats.py writes it.
Headers read_headers(const Json& json) {
    Headers headers;
    if (!json.is_object()) return headers;
    for (const auto& [name, values] : json.items()) {
        if (!values.is_array()) add_header(headers, name, values);
        else
            for (const auto& value : values) add_header(headers, name, value);
    }
    return headers;
}

Json write_options(const obj::Info& info) {
    Json json = Json::object();
    if (info.chunk_size != 0) json["max_chunk_size"] = info.chunk_size;
    if (info.link) {
        json["link"] = {{"bucket", info.link->bucket}};
        if (!info.link->name.empty()) json["link"]["name"] = info.link->name;
    }
    return json;
}

void read_options(const Json& json, obj::Info& info) {
    info.chunk_size = field<std::size_t>(json, "max_chunk_size");
    const auto link = json.find("link");
    if (link == json.end() || !link->is_object()) return;
    info.link = obj::Link{.bucket = field<std::string>(*link, "bucket"), .name = field<std::string>(*link, "name")};
}

}  // namespace

std::string write_object_info(const obj::Info& info) {
    Json json{
        {"name", info.name}, {"bucket", info.bucket}, {"nuid", info.id}, {"size", info.size}, {"chunks", info.chunks}};
    if (!info.description.empty()) json["description"] = info.description;
    if (!info.headers.empty()) json["headers"] = write_headers(info.headers);
    if (!info.metadata.empty()) json["metadata"] = info.metadata;
    if (auto options = write_options(info); !options.empty()) json["options"] = std::move(options);
    if (!info.digest.empty()) json["digest"] = info.digest;
    if (info.deleted) json["deleted"] = true;
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Expected<obj::Info> read_object_info(std::string_view text) {
    const auto json = parse_json(text);
    if (!json.is_object() || !json.contains("name"))
        return failure(Errc::bad_payload, "the description of an object is not one: " + detail::quoted(text));
    obj::Info info{.bucket = field<std::string>(json, "bucket"),
                   .name = field<std::string>(json, "name"),
                   .description = field<std::string>(json, "description"),
                   .metadata = field<std::map<std::string, std::string>>(json, "metadata"),
                   .id = field<std::string>(json, "nuid"),
                   .size = field<std::uint64_t>(json, "size"),
                   .chunks = field<std::uint64_t>(json, "chunks"),
                   .digest = field<std::string>(json, "digest"),
                   .deleted = field<bool>(json, "deleted")};
    // Its chunks are removed by it.
    if (!info.id.empty() && check_subject(info.id) != SubjectFault::none)
        return failure(Errc::bad_payload, "the nuid of an object is no part of a subject: " + detail::quoted(info.id));
    if (const auto headers = json.find("headers"); headers != json.end()) info.headers = read_headers(*headers);
    if (const auto options = json.find("options"); options != json.end() && options->is_object())
        read_options(*options, info);
    return info;
}

}  // namespace freshet::detail
