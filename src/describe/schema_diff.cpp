// SPDX-License-Identifier: Apache-2.0
#include "describe/schema_diff.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "describe/schemas.hpp"

namespace freshet::detail {
namespace {

using Names = std::vector<std::string>;

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// Returns the types that a schema allows; empty: any.
std::set<std::string> types_of(const Json& schema) {
    std::set<std::string> types;
    const auto type = schema.value("type", Json());
    if (type.is_string()) types.insert(type.get<std::string>());
    else
        for (const auto& one : type) types.insert(one.get<std::string>());
    return types;
}

std::string list_of(const std::set<std::string>& types) {
    std::string text;
    for (const auto& type : types) text += (text.empty() ? "" : " or ") + type;
    return text.empty() ? "anything" : text;
}

/// Returns true if each of `few` is one of `many`. An integer is a number.
bool covered(const std::set<std::string>& few, const std::set<std::string>& many) {
    if (many.empty()) return true;
    if (few.empty()) return false;
    return std::ranges::all_of(few, [&](const std::string& one) {
        return many.contains(one) || (one == "integer" && many.contains("number"));
    });
}

std::set<std::string> texts_of(const Json& list) {
    std::set<std::string> texts;
    for (const auto& one : list) texts.insert(text_of(one));
    return texts;
}

/// An anyOf of a schema and null, as optional types have, is the schema itself that allows null.
bool takes_null(Json& schema) {
    const auto any = schema.find("anyOf");
    if (any == schema.end() || any->size() != 2) return false;
    for (std::size_t i = 0; i < 2; ++i) {
        if ((*any)[i] != Json{{"type", "null"}}) continue;
        auto other = (*any)[1 - i];
        for (const auto& [key, value] : schema.items())
            if (key != "anyOf") other[key] = value;
        schema = std::move(other);
        return true;
    }
    return false;
}

constexpr std::array lower_limits{"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"};
constexpr std::array upper_limits{"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"};
constexpr std::array opaque{"pattern", "format", "multipleOf", "const", "not", "propertyNames", "uniqueItems"};

}  // namespace

Json SchemaDiff::resolved(const Json& schema, const Description& description) {
    Json now = schema;
    for (int depth = 0; depth < 16 && now.is_object(); ++depth) {
        if (const auto ref = now.find("$ref"); ref != now.end()) {
            const auto name = ref->get<std::string>().substr(definitions.size());
            const auto* named = description.schema(name);
            if (named == nullptr) return now;
            now = Json::parse(named->schema);
        } else if (const auto all = now.find("allOf"); all != now.end() && all->size() == 1) {
            auto inner = (*all)[0];
            now.erase(all);
            if (inner.contains("$ref")) inner = resolved(inner, description);
            inner.update(now);
            now = std::move(inner);
        } else {
            return now;
        }
    }
    return now;
}

void SchemaDiff::compare(const std::string& before, const std::string& after, const std::string& where,
                         std::vector<Change>& changes) {
    changes_ = &changes;
    compare(Json::parse(before), Json::parse(after), where);
}

void SchemaDiff::compare(const Json& before, const Json& after, const std::string& where) {
    const auto [active, is_new] = active_.emplace(before.dump(), after.dump());
    if (!is_new) return;  // a type that holds itself
    compare_once(before, after, where);
    active_.erase(active);
}

void SchemaDiff::compare_once(const Json& before, const Json& after, const std::string& where) {
    auto from = resolved(before, before_);
    auto to = resolved(after, after_);
    if (!from.is_object() || !to.is_object()) {
        if (from != to) add(where, "the schema changed", Impact::look, Impact::look);
        return;
    }
    const bool from_null = takes_null(from);
    const bool to_null = takes_null(to);
    if (from_null != to_null) to_null ? wider(where, "may be null now") : narrower(where, "cannot be null any more");
    if (from_null || to_null) return compare(from, to, where);
    if (!compare_type(from, to, where)) return;
    compare_values(from, to, where);
    if (from.contains("default") && to.contains("default") && from["default"] != to["default"]) {
        const auto what = "the default was " + from["default"].dump() + ", is " + to["default"].dump();
        add(where, what, Impact::look, Impact::look);
    }
    compare_limits(from, to, where);
    compare_members(from, to, where);
    compare_elements(from, to, where);
    compare_alternatives(from, to, where, "anyOf");
    compare_alternatives(from, to, where, "oneOf");
}

bool SchemaDiff::compare_type(const Json& before, const Json& after, const std::string& where) {
    const auto from = types_of(before);
    const auto to = types_of(after);
    if (from == to) return true;
    const auto what = "was " + list_of(from) + ", is " + list_of(to);
    const bool all_old = covered(from, to);
    const bool all_new = covered(to, from);
    add(where, what, all_new ? Impact::safe : Impact::breaking, all_old ? Impact::safe : Impact::breaking);
    return all_new || all_old;
}

void SchemaDiff::compare_values(const Json& before, const Json& after, const std::string& where) {
    const bool had = before.contains("enum");
    const bool has = after.contains("enum");
    if (had && !has) return wider(where, "is not limited to some values any more");
    if (!had && has) return narrower(where, "is limited to some values now");
    if (!had) return;
    const auto from = texts_of(before["enum"]);
    const auto to = texts_of(after["enum"]);
    for (const auto& value : to)
        if (!from.contains(value)) wider(where, "may be \"" + value + "\" now");
    for (const auto& value : from)
        if (!to.contains(value)) narrower(where, "cannot be \"" + value + "\" any more");
}

void SchemaDiff::compare_limits(const Json& before, const Json& after, const std::string& where) {
    const auto changed = [&](const char* key, bool is_lower) {
        const bool had = before.contains(key);
        const bool has = after.contains(key);
        if ((!had && !has) || (had && has && before[key] == after[key])) return;
        const std::string name{key};
        if (!had) return narrower(where, name + " is " + after[key].dump() + " now");
        if (!has) return wider(where, "has no " + name + " any more");
        const auto what = name + " was " + before[key].dump() + ", is " + after[key].dump();
        const bool raised = before[key] < after[key];
        raised == is_lower ? narrower(where, what) : wider(where, what);
    };
    // A type that changed has other limits, which say nothing more.
    if (before.value("type", Json()) != after.value("type", Json()) && !before.contains("properties")) return;
    for (const auto* key : lower_limits) changed(key, true);
    for (const auto* key : upper_limits) changed(key, false);
    for (const auto* key : opaque) {
        const auto from = before.value(key, Json());
        const auto to = after.value(key, Json());
        if (from == to) continue;
        if (from.is_null()) narrower(where, std::string{key} + " is " + to.dump() + " now");
        else if (to.is_null()) wider(where, std::string{"has no "} + key + " any more");
        else add(where, std::string{key} + " was " + from.dump() + ", is " + to.dump(), Impact::look, Impact::look);
    }
}

void SchemaDiff::compare_members(const Json& before, const Json& after, const std::string& where) {
    const auto from = before.value("properties", Json::object());
    const auto to = after.value("properties", Json::object());
    const auto needed = texts_of(before.value("required", Json::array()));
    const auto needs = texts_of(after.value("required", Json::array()));
    const auto below = [&](const std::string& name) { return where + (where.ends_with(": ") ? "" : ".") + name; };
    for (const auto& [name, schema] : from.items()) {
        if (!to.contains(name)) {
            add(below(name), "is gone", needed.contains(name) ? Impact::breaking : Impact::look, Impact::safe);
            continue;
        }
        if (needed.contains(name) && !needs.contains(name)) wider(below(name), "may be absent now");
        if (!needed.contains(name) && needs.contains(name)) narrower(below(name), "is required now");
        compare(schema, to[name], below(name));
    }
    for (const auto& [name, schema] : to.items()) {
        if (from.contains(name)) continue;
        if (needs.contains(name)) add(below(name), "is new, and required", Impact::safe, Impact::breaking);
        else add(below(name), "is new", Impact::safe, Impact::safe);
    }
    const auto others_before = before.value("additionalProperties", Json(true));
    const auto others_after = after.value("additionalProperties", Json(true));
    if (others_before.is_object() && others_after.is_object()) compare(others_before, others_after, where + "[key]");
    else if (others_before != others_after)
        add(where, "other members than those listed: the rule changed", Impact::look, Impact::look);
}

void SchemaDiff::compare_elements(const Json& before, const Json& after, const std::string& where) {
    const auto from = before.value("items", Json::object());
    const auto to = after.value("items", Json::object());
    if (from.is_object() && to.is_object()) {
        if (!from.empty() || !to.empty()) compare(from, to, where + "[]");
        return;
    }
    if (!from.is_array() || !to.is_array()) return add(where, "its elements changed", Impact::look, Impact::look);
    for (std::size_t i = 0; i < std::min(from.size(), to.size()); ++i)
        compare(from[i], to[i], where + '[' + std::to_string(i) + ']');
}

void SchemaDiff::compare_alternatives(const Json& before, const Json& after, const std::string& where,
                                      const char* key) {
    if (!before.contains(key) && !after.contains(key)) return;
    if (!before.contains(key) || !after.contains(key))
        return add(where, "the alternatives changed", Impact::look, Impact::look);
    const auto& from = before[key];
    const auto& to = after[key];
    const auto missing = [](const Json& list, const Json& in) {
        return std::ranges::count_if(list, [&](const Json& one) { return std::ranges::find(in, one) == in.end(); });
    };
    const auto added = missing(to, from);
    const auto removed = missing(from, to);
    if (added > 0) wider(where, "has " + std::to_string(added) + " more alternative" + (added == 1 ? "" : "s"));
    if (removed > 0)
        narrower(where, "has lost " + std::to_string(removed) + " alternative" + (removed == 1 ? "" : "s"));
    for (std::size_t i = 0; i < std::min(from.size(), to.size()); ++i)
        if (from[i] == to[i]) compare(from[i], to[i], where);
}

void SchemaDiff::wider(const std::string& where, std::string what) {
    add(where, std::move(what), Impact::breaking, Impact::safe);
}
void SchemaDiff::narrower(const std::string& where, std::string what) {
    add(where, std::move(what), Impact::safe, Impact::breaking);
}
void SchemaDiff::add(const std::string& where, std::string what, Impact consumer, Impact producer) {
    changes_->push_back({.where = where, .what = std::move(what), .consumer = consumer, .producer = producer});
}

}  // namespace freshet::detail
