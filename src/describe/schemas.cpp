// SPDX-License-Identifier: Apache-2.0
#include "describe/schemas.hpp"

#include <cstdint>
#include <limits>
#include <utility>

#include <freshet/describe.hpp>
#include <freshet/error.hpp>

#include "base/quoted.hpp"
#include "describe/wire_name.hpp"

namespace freshet::detail {
namespace {

Json constant(const FieldFact& fact) {
    switch (fact.kind) {
        case FieldFact::Kind::boolean: return fact.boolean;
        case FieldFact::Kind::integer: return fact.integer;
        case FieldFact::Kind::natural: return fact.natural;
        case FieldFact::Kind::real: return fact.real;
        case FieldFact::Kind::text: return fact.text;
    }
    return nullptr;
}

// The format "duration" of JSON Schema has no fractions of seconds, no signs, and years, which freshet refuses.
constexpr const char* duration_pattern = "^[-+]?P([0-9]+([.,][0-9]+)?[WD])*(T([0-9]+([.,][0-9]+)?[HMS])+)?$";

bool is_list(std::string_view keyword) { return keyword == "examples" || keyword == "enum"; }

/// Adds the facts beside a field, or beside a type's name, to its schema. Nothing may stand beside a reference.
void add_facts(Json& schema, const FieldInfo& info, const FieldFact* facts) {
    if (info.facts == 0) return;
    if (schema.contains("$ref")) schema = {{"allOf", Json::array({std::move(schema)})}};
    for (std::size_t i = 0; i < info.facts; ++i) {
        const auto& fact = facts[info.first_fact + i];
        auto& value = schema[std::string{fact.keyword}];
        if (is_list(fact.keyword)) value.push_back(constant(fact));
        else value = constant(fact);
    }
}

Json integer(std::size_t size) {
    const int bits = static_cast<int>(8 * size);
    const auto max = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
    return {{"type", "integer"}, {"minimum", -max - 1}, {"maximum", max}};
}
Json natural(std::size_t size) {
    const int bits = static_cast<int>(8 * size);
    return {{"type", "integer"}, {"minimum", 0}, {"maximum", std::numeric_limits<std::uint64_t>::max() >> (64 - bits)}};
}

Json names_of(const TypeShape& type) {
    auto names = Json::array();
    for (const auto& one : type.names) names.push_back(one.name);
    return names;
}

/// Gives references within a written schema the names that its definitions have outside of it.
void move_references(Json& schema, const std::string& name) {
    if (schema.is_array() || schema.is_object()) {
        for (auto& part : schema) move_references(part, name);
    }
    if (!schema.is_object() || !schema.contains("$ref") || !schema["$ref"].is_string()) return;
    const auto target = schema["$ref"].get<std::string>();
    for (const std::string_view prefix : {"#/definitions/", "#/$defs/"}) {
        if (target.starts_with(prefix))
            schema["$ref"] = std::string{definitions} + name + '.' + target.substr(prefix.size());
    }
    if (target == "#") schema["$ref"] = std::string{definitions} + name;
}

Error clash(const std::string& name, const Json& one, const Json& other) {
    return {Errc::bad_setup, "describe: two different types have the name " + quoted(name) + ": " + one.dump() +
                                 " and " + other.dump() + "; put one of them into another namespace, or rename it"};
}

}  // namespace

std::string Schemas::name_of(const TypeShape& type) {
    if (type.kind == ShapeKind::elsewhere) return name_of(type.declared());
    return wire_name(type.name);
}

Json Schemas::of(const TypeShape& type) {
    switch (type.kind) {
        case ShapeKind::unknown: unknown_.insert(wire_name(type.name)); return Json::object();
        case ShapeKind::null: return {{"type", "null"}};
        case ShapeKind::boolean: return {{"type", "boolean"}};
        case ShapeKind::integer: return integer(type.size);
        case ShapeKind::natural: return natural(type.size);
        case ShapeKind::real: return {{"type", "number"}};
        case ShapeKind::text: return {{"type", "string"}};
        case ShapeKind::duration: return {{"type", "string"}, {"pattern", duration_pattern}};
        case ShapeKind::time: return {{"type", "string"}, {"format", "date-time"}};
        case ShapeKind::names: return named(type, &Schemas::names);
        case ShapeKind::nullable: return nullable(type);
        case ShapeKind::alias: return of(*type.parts[0]);
        case ShapeKind::list: return {{"type", "array"}, {"items", of(*type.parts[0])}};
        case ShapeKind::array:
            return {{"type", "array"}, {"items", of(*type.parts[0])}, {"minItems", type.size}, {"maxItems", type.size}};
        case ShapeKind::tuple: {
            auto items = Json::array();
            for (const auto* part : type.parts) items.push_back(of(*part));
            Json schema{{"type", "array"}, {"minItems", items.size()}, {"maxItems", items.size()}};
            if (!items.empty()) schema["items"] = std::move(items);
            return schema;
        }
        case ShapeKind::map: return map(type);
        case ShapeKind::object: return named(type, &Schemas::object);
        case ShapeKind::variant: return variant(type);
        case ShapeKind::written: return named(type, &Schemas::written);
        case ShapeKind::elsewhere: return of(type.declared());
    }
    return Json::object();
}

Json Schemas::named(const TypeShape& type, Json (Schemas::*make)(const TypeShape& type)) {
    const auto name = wire_name(type.name);
    if (name.empty()) return (this->*make)(type);
    if (begun_.emplace(&type, name).second) add(name, (this->*make)(type));
    return {{"$ref", std::string{definitions} + name}};
}

void Schemas::add(const std::string& name, Json schema) {
    const auto [known, is_new] = named_.emplace(name, schema);
    if (!is_new && known->second != schema) raise(clash(name, known->second, schema));
}

Json Schemas::names(const TypeShape& type) { return {{"type", "string"}, {"enum", names_of(type)}}; }

Json Schemas::object(const TypeShape& type) {
    Json schema{{"type", "object"}};
    auto required = Json::array();
    for (std::size_t i = 0; i < type.parts.size(); ++i) {
        const auto& info = type.fields[i];
        auto field = of(*type.parts[i]);
        if (type.facts != nullptr) add_facts(field, info, type.facts);
        schema["properties"][std::string{info.name}] = std::move(field);
        if (!info.or_default && type.parts[i]->kind != ShapeKind::nullable) required.push_back(info.name);
    }
    if (!required.empty()) schema["required"] = std::move(required);
    if (type.facts != nullptr) add_facts(schema, type.fields[type.parts.size()], type.facts);
    return schema;
}

Json Schemas::written(const TypeShape& type) {
    const auto name = wire_name(type.name);
    auto schema = Json::parse(type.schema(), nullptr, false);
    if (!schema.is_object() && !schema.is_boolean()) {
        raise({Errc::bad_setup, "describe: Codec<" + std::string{type.name} +
                                    ">::schema() returns what is not a JSON " +
                                    "Schema; return an object, or name its format in schema_format"});
    }
    for (const auto* key : {"definitions", "$defs"}) {
        if (!schema.is_object() || !schema.contains(key)) continue;
        auto inner = std::move(schema[key]);
        schema.erase(key);
        for (auto& [inner_name, one] : inner.items()) {
            move_references(one, name);
            add(name + '.' + inner_name, std::move(one));
        }
    }
    move_references(schema, name);
    if (schema.is_object()) schema.erase("$schema");
    return schema;
}

Json Schemas::nullable(const TypeShape& type) {
    auto schema = of(*type.parts[0]);
    if (schema.is_object() && schema.empty()) return schema;
    if (schema.contains("type") && schema["type"].is_string() && !schema.contains("enum")) {
        schema["type"] = Json::array({schema["type"], "null"});
        return schema;
    }
    return {{"anyOf", Json::array({std::move(schema), Json{{"type", "null"}}})}};
}

Json Schemas::map(const TypeShape& type) {
    const auto& key = *type.parts[0];
    Json schema{{"type", "object"}, {"additionalProperties", of(*type.parts[1])}};
    if (key.kind == ShapeKind::names) schema["propertyNames"] = {{"enum", names_of(key)}};
    else if (key.kind == ShapeKind::integer) schema["propertyNames"] = {{"pattern", "^-?[0-9]+$"}};
    else if (key.kind == ShapeKind::natural) schema["propertyNames"] = {{"pattern", "^-?[0-9]+$"}};
    return schema;
}

Json Schemas::variant(const TypeShape& type) {
    auto alternatives = Json::array();
    if (type.key.empty()) {
        for (const auto* part : type.parts) alternatives.push_back(of(*part));
        return {{"anyOf", std::move(alternatives)}};
    }
    const std::string key{type.key};
    for (const auto& one : type.names) {
        Json tag{{"type", "object"}, {"properties", {{key, {{"const", one.name}}}}}, {"required", Json::array({key})}};
        auto schema = of(*type.parts[static_cast<std::size_t>(one.value)]);
        alternatives.push_back({{"allOf", Json::array({std::move(schema), std::move(tag)})}});
    }
    return {{"oneOf", std::move(alternatives)}};
}

std::optional<Json> Schemas::example_of(const TypeShape& type) {
    switch (type.kind) {
        case ShapeKind::alias:
        case ShapeKind::nullable: return example_of(*type.parts[0]);
        case ShapeKind::elsewhere: return example_of(type.declared());
        case ShapeKind::names: return type.names.empty() ? std::nullopt : std::optional<Json>{type.names[0].name};
        case ShapeKind::list: {
            auto element = example_of(*type.parts[0]);
            if (!element) return std::nullopt;
            return Json::array({*std::move(element)});
        }
        case ShapeKind::object: break;
        default: return std::nullopt;
    }
    auto example = Json::object();
    for (std::size_t i = 0; i < type.parts.size(); ++i) {
        const auto& info = type.fields[i];
        std::optional<Json> value;
        for (std::size_t fact = 0; fact < info.facts && !value; ++fact) {
            const auto& one = type.facts[info.first_fact + fact];
            if (one.keyword == "examples") value = constant(one);
        }
        if (!value) value = example_of(*type.parts[i]);
        const bool required = !info.or_default && type.parts[i]->kind != ShapeKind::nullable;
        if (!value && required) return std::nullopt;
        if (value) example[std::string{info.name}] = *std::move(value);
    }
    return example;
}

Json text_schema(const TypeShape& type, const FieldFact* otherwise) {
    auto schema = type.kind == ShapeKind::names ? Json{{"type", "string"}} : Schemas{}.of(type);
    if (type.kind == ShapeKind::names) schema["enum"] = names_of(type);
    if (otherwise != nullptr) schema[std::string{otherwise->keyword}] = constant(*otherwise);
    return schema;
}

std::string schema_text(const TypeShape& type) {
    Schemas schemas;
    auto schema = schemas.of(type);
    if (!schemas.named().empty()) {
        for (const auto& [name, one] : schemas.named()) schema["definitions"][name] = one;
    }
    return schema.dump();
}

}  // namespace freshet::detail
