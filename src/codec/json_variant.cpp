// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <freshet/detail/json/composites.hpp>

namespace freshet::detail {
namespace {

std::string_view name_of(JsonShape shape) noexcept {
    switch (shape) {
        case JsonShape::null: return "null";
        case JsonShape::boolean: return "boolean";
        case JsonShape::number: return "number";
        case JsonShape::text: return "string";
        case JsonShape::array: return "array";
        case JsonShape::object: return "object";
        default: return "something else";
    }
}

bool is_of(JsonShape shape, JsonKind kind) noexcept {
    switch (kind) {
        case JsonKind::null: return shape == JsonShape::null || shape == JsonShape::any;
        case JsonKind::boolean: return shape == JsonShape::boolean || shape == JsonShape::any;
        case JsonKind::text: return shape == JsonShape::text || shape == JsonShape::any;
        case JsonKind::array: return shape == JsonShape::array || shape == JsonShape::any;
        case JsonKind::object: return shape == JsonShape::object || shape == JsonShape::any;
        case JsonKind::binary: return shape == JsonShape::any;
        default: return shape == JsonShape::number || shape == JsonShape::any;
    }
}

}  // namespace

bool JsonReader::read_alternative(const JsonNode& node, void* variant, std::span<const JsonAlternative> alternatives) {
    bool tried = false;
    for (const auto& alternative : alternatives) {
        if (!is_of(alternative.shape, node.kind)) continue;
        if (alternative.read(*this, node, variant)) return true;
        tried = true;
    }
    if (tried) return false;  // with the reason of the last one tried
    std::string expected;
    for (const auto& alternative : alternatives) {
        const auto name = name_of(alternative.shape);
        if (expected.contains(name)) continue;
        fmt::format_to(std::back_inserter(expected), "{}{}", expected.empty() ? "" : " or ", name);
    }
    return fail(fmt::format("expected {}, got {}", expected, name_of(node.kind)));
}

bool JsonReader::read_tag(const JsonNode& node, std::string_view key, std::span<const EnumName> names,
                          std::int64_t& index) {
    if (!expect(node, JsonKind::object)) return false;
    const JsonNode* value = nullptr;
    for (const JsonNode* at = node.begin(); at != node.end(); at += 1 + at[1].span) {
        if (text(*at) == key) value = at + 1;
    }
    if (value == nullptr) fail("missing");
    return (value != nullptr && read_enum(*value, names, index)) || at_field(key);
}

}  // namespace freshet::detail
