// SPDX-License-Identifier: Apache-2.0
#include "describe/html_schema.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "describe/schemas.hpp"

namespace freshet::detail {
namespace {

struct Limit {
    const char* keyword;
    const char* before;
};
constexpr std::array<Limit, 13> limit_words{{{"minimum", "at least "},
                                             {"exclusiveMinimum", "above "},
                                             {"maximum", "at most "},
                                             {"exclusiveMaximum", "below "},
                                             {"multipleOf", "multiple of "},
                                             {"minLength", "min. length "},
                                             {"maxLength", "max. length "},
                                             {"minItems", "min. items "},
                                             {"maxItems", "max. items "},
                                             {"format", "format "},
                                             {"pattern", "pattern "},
                                             {"const", "always "},
                                             {"default", "default "}}};

/// Returns what a list of alternatives is called.
const char* alternatives_of(const Json& schema) noexcept {
    for (const char* key : {"anyOf", "oneOf"})
        if (schema.contains(key)) return key;
    return nullptr;
}

bool has_members(const Json& schema) { return schema.contains("properties") && !schema["properties"].empty(); }

/// Returns the name of an integer type that has just the bounds of a schema; "" if there is none.
std::string width_of(const Json& schema) {
    if (!schema.contains("minimum") || !schema.contains("maximum")) return {};
    for (const int bits : {8, 16, 32, 64}) {
        const auto most = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
        if (schema["minimum"] == -most - 1 && schema["maximum"] == most) return std::to_string(bits) + " bit";
        const auto natural = std::numeric_limits<std::uint64_t>::max() >> (64 - bits);
        if (schema["minimum"] == 0 && schema["maximum"] == natural) return std::to_string(bits) + " bit, unsigned";
    }
    return {};
}
bool is_bound(std::string_view keyword) { return keyword == "minimum" || keyword == "maximum"; }

/// Returns the types that a schema names: "string", or "string or null".
std::string words_of(const Json& types) {
    if (types.is_string()) return types.get<std::string>();
    std::string words;
    for (const auto& one : types) words += (words.empty() ? "" : " or ") + one.get<std::string>();
    return words;
}

const Json& items_of(const Json& schema) {
    static const Json nothing;
    if (schema.contains("items")) return schema["items"];
    if (schema.contains("additionalProperties")) return schema["additionalProperties"];
    return nothing;
}

}  // namespace

HtmlSchemas::HtmlSchemas(HtmlWriter& html, const Description& description) : html_{html} {
    for (const auto& one : description.schemas) schemas_[one.name] = Json::parse(one.schema);
}

std::string HtmlSchemas::named(const Json& schema) {
    if (!schema.is_object() || !schema.contains("$ref")) return {};
    const auto& target = schema["$ref"].get_ref<const std::string&>();
    return target.starts_with(definitions) ? target.substr(definitions.size()) : std::string{};
}

bool HtmlSchemas::unfolds(const Json& schema) {
    if (const auto name = named(schema); !name.empty()) {
        const auto known = schemas_.find(name);
        if (known == schemas_.end() || std::ranges::find(open_, name) != open_.end()) return false;
        open_.push_back(name);
        const bool does = unfolds(known->second);
        open_.pop_back();
        return does;
    }
    if (!schema.is_object()) return false;
    if (has_members(schema)) return true;
    if (schema.contains("allOf"))
        return std::ranges::any_of(schema["allOf"], [&](const Json& x) { return unfolds(x); });
    if (const char* list = alternatives_of(schema))
        return std::ranges::any_of(schema[list], [&](const Json& x) { return unfolds(x); });
    const auto& items = items_of(schema);
    if (items.is_array()) return std::ranges::any_of(items, [&](const Json& x) { return unfolds(x); });
    return unfolds(items);
}

void HtmlSchemas::joined(const Json& list, std::string_view separator) {
    bool is_first = true;
    for (const auto& one : list) {
        if (!std::exchange(is_first, false)) html_.text(separator);
        type(one);
    }
}

void HtmlSchemas::type(const Json& schema) {
    if (const auto name = named(schema); !name.empty()) return html_.link(id_of(name), name);
    if (!schema.is_object() || schema.empty()) return html_.text("anything");
    if (schema.contains("enum")) {
        html_.text("one of ");
        bool is_first = true;
        for (const auto& value : schema["enum"]) {
            if (!std::exchange(is_first, false)) html_.text(", ");
            html_.element("code", value.dump());
        }
    } else if (schema.contains("allOf")) {
        joined(schema["allOf"], " and ");
    } else if (const char* list = alternatives_of(schema)) {
        joined(schema[list], " or ");
    } else if (schema.contains("items")) {
        const auto& items = schema["items"];
        html_.text(items.is_array() ? "list of " : "array of ");
        if (items.is_array()) joined(items, ", ");
        else type(items);
    } else if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object()) {
        html_.text("map to ");
        type(schema["additionalProperties"]);
    } else if (schema.contains("type")) {
        html_.text(words_of(schema["type"]));
    } else {
        html_.text("anything");
    }
}

void HtmlSchemas::limits(const Json& schema) {
    if (!schema.is_object()) return;
    const auto width = width_of(schema);
    if (!width.empty()) html_.text(" (" + width + ')');
    for (const auto& [keyword, before] : limit_words) {
        if (!schema.contains(keyword) || (!width.empty() && is_bound(keyword))) continue;
        const auto& value = schema[keyword];
        html_.text(std::string{", "} + before);
        html_.element("code", value.is_string() ? value.get<std::string>() : value.dump());
    }
    if (schema.contains("items")) limits(schema["items"]);
    if (schema.contains("allOf"))
        for (const auto& part : schema["allOf"]) limits(part);
}

void HtmlSchemas::notes(const Json& schema) {
    if (!schema.is_object()) return;
    if (schema.contains("description"))
        html_.element("p", {{"class", "note"}}, schema["description"].get_ref<const std::string&>());
    if (!schema.contains("examples")) return;
    html_.element("p", {{"class", "note"}}, [&] {
        html_.text("Such as ");
        bool is_first = true;
        for (const auto& example : schema["examples"]) {
            if (!std::exchange(is_first, false)) html_.text(", ");
            html_.element("code", example.dump());
        }
    });
}

void HtmlSchemas::member(const std::string& name, const Json& schema, bool required) {
    const auto line = [&] {
        html_.element("code", {{"class", "member"}}, name);
        html_.text(" ");
        html_.element("span", {{"class", "type"}}, [&] {
            type(schema);
            limits(schema);
        });
        if (required) html_.element("span", {{"class", "required"}}, "required");
    };
    html_.element("li", [&] {
        if (!unfolds(schema)) {
            line();
            return notes(schema);
        }
        html_.element("details", [&] {
            html_.element("summary", line);
            notes(schema);
            inside(schema);
        });
    });
}

void HtmlSchemas::members(const Json& schema) {
    const auto required = schema.value("required", Json::array());
    html_.element("ul", {{"class", "members"}}, [&] {
        for (const auto& [name, one] : schema["properties"].items())
            member(name, one, std::ranges::find(required, Json(name)) != required.end());
    });
}

void HtmlSchemas::inside(const Json& schema) {
    if (!unfolds(schema)) return;
    if (const auto name = named(schema); !name.empty()) {
        open_.push_back(name);
        inside(schemas_.at(name));
        return open_.pop_back();
    }
    if (has_members(schema)) members(schema);
    else if (schema.contains("allOf")) alternatives(schema["allOf"]);
    else if (const char* list = alternatives_of(schema)) alternatives(schema[list]);
    else if (const auto& items = items_of(schema); items.is_array()) alternatives(items);
    else inside(items);
}

void HtmlSchemas::alternatives(const Json& list) {
    for (const auto& one : list) {
        if (!unfolds(one)) continue;
        html_.element("p", {{"class", "type"}}, [&] { type(one); });
        inside(one);
    }
}

void HtmlSchemas::write(std::string_view text) {
    const auto schema = Json::parse(text);
    html_.element("p", {{"class", "type"}}, [&] {
        type(schema);
        limits(schema);
    });
    notes(schema);
    inside(schema);
}

void HtmlSchemas::write_named(const std::string& name) {
    const auto& schema = schemas_.at(name);
    open_.push_back(name);
    if (!has_members(schema)) {
        html_.element("p", {{"class", "type"}}, [&] {
            type(schema);
            limits(schema);
        });
    }
    notes(schema);
    inside(schema);
    open_.pop_back();
}

void HtmlSchemas::write_type(std::string_view text) {
    const auto schema = Json::parse(text);
    type(schema);
    limits(schema);
}

}  // namespace freshet::detail
