// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <freshet/detail/json_reader.hpp>

#include "quoted.hpp"

namespace freshet::detail {
namespace {

std::string_view name_of(JsonKind kind) noexcept {
    switch (kind) {
        case JsonKind::null: return "null";
        case JsonKind::boolean: return "boolean";
        case JsonKind::text: return "string";
        case JsonKind::binary: return "bytes";
        case JsonKind::array: return "array";
        case JsonKind::object: return "object";
        default: return "number";
    }
}

bool mismatch(JsonFailure& failure, std::string_view expected, const JsonNode& node) {
    return failure.fail(fmt::format("expected {}, got {}", expected, name_of(node.kind)));
}

// The type is told by its largest value: 255 is an 8-bit unsigned integer.
std::string name_of_integer(std::uint64_t max, bool is_signed) {
    int bits = is_signed ? 1 : 0;
    for (; max != 0; max >>= 1) ++bits;
    return fmt::format("{} {}-bit {} integer", bits == 8 ? "an" : "a", bits, is_signed ? "signed" : "unsigned");
}

bool not_integer(JsonFailure& failure, const JsonNode& node, std::uint64_t max, bool is_signed) {
    if (node.kind != JsonKind::real) return mismatch(failure, "number", node);
    if (std::trunc(node.real) != node.real) return failure.fail(fmt::format("expected integer, got {}", node.real));
    return failure.fail(fmt::format("{} does not fit into {}", node.real, name_of_integer(max, is_signed)));
}

// The fields mostly come in the order of the type: the search begins behind the last one found.
std::size_t find_field(std::span<const ReadField> fields, std::string_view name, std::size_t begin) noexcept {
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::size_t at = begin + i < fields.size() ? begin + i : begin + i - fields.size();
        if (fields[at].name == name) return at;
    }
    return fields.size();
}

}  // namespace

bool JsonReader::expect(const JsonNode& node, JsonKind kind) {
    return node.kind == kind || mismatch(*this, name_of(kind), node);
}

bool JsonReader::read(const JsonNode& node, bool& out) {
    if (!expect(node, JsonKind::boolean)) return false;
    out = node.boolean;
    return true;
}

bool JsonReader::read(const JsonNode& node, double& out) {
    switch (node.kind) {
        case JsonKind::real: out = node.real; return true;
        case JsonKind::integer: out = static_cast<double>(node.integer); return true;
        case JsonKind::natural: out = static_cast<double>(node.natural); return true;
        default: return mismatch(*this, "number", node);
    }
}

bool JsonReader::read(const JsonNode& node, float& out) {
    double wide = 0;
    if (!read(node, wide)) return false;
    out = static_cast<float>(wide);
    return std::isfinite(out) || !std::isfinite(wide) || fail(fmt::format("{} does not fit into a 32-bit float", wide));
}

bool JsonReader::read(const JsonNode& node, std::string& out) {
    if (!expect(node, JsonKind::text)) return false;
    out = text(node);
    return true;
}

bool JsonReader::read_integer(const JsonNode& node, std::int64_t min, std::int64_t max, std::int64_t& out) {
    const auto limit = static_cast<std::uint64_t>(max);
    if (node.kind == JsonKind::natural && node.natural <= limit) {
        out = static_cast<std::int64_t>(node.natural);
        return true;
    }
    if (node.kind == JsonKind::natural)
        return fail(fmt::format("{} does not fit into {}", node.natural, name_of_integer(limit, true)));
    if (node.kind != JsonKind::integer) return not_integer(*this, node, limit, true);
    if (node.integer < min || node.integer > max) {
        return fail(fmt::format("{} does not fit into {}", node.integer, name_of_integer(limit, true)));
    }
    out = node.integer;
    return true;
}

bool JsonReader::read_natural(const JsonNode& node, std::uint64_t max, std::uint64_t& out) {
    if (node.kind == JsonKind::natural && node.natural <= max) {
        out = node.natural;
        return true;
    }
    if (node.kind == JsonKind::natural)
        return fail(fmt::format("{} does not fit into {}", node.natural, name_of_integer(max, false)));
    if (node.kind != JsonKind::integer) return not_integer(*this, node, max, false);
    return fail(fmt::format("{} does not fit into {}", node.integer, name_of_integer(max, false)));
}

bool JsonReader::read_enum(const JsonNode& node, std::span<const EnumName> names, std::int64_t& out) {
    if (!expect(node, JsonKind::text)) return false;
    std::string allowed;
    for (const auto& [name, value] : names) {
        if (name == text(node)) {
            out = value;
            return true;
        }
        fmt::format_to(std::back_inserter(allowed), "{}\"{}\"", allowed.empty() ? "" : ", ", name);
    }
    return fail(fmt::format("expected one of {}, got {}", allowed, quoted(text(node))));
}

bool JsonReader::read_object(const JsonNode& node, void* object, std::span<const ReadField> fields) {
    if (!expect(node, JsonKind::object)) return false;
    std::uint64_t seen = 0;
    std::size_t next = 0;
    for (const JsonNode* key = node.begin(); key != node.end(); key += 1 + key[1].span) {
        const std::size_t found = find_field(fields, text(*key), next);
        if (found == fields.size()) continue;
        if (!fields[found].read(*this, key[1], object)) return at_field(fields[found].name);
        seen |= std::uint64_t{1} << found;
        next = found + 1;
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].required && (seen >> i & 1) == 0) {
            fail("missing");
            return at_field(fields[i].name);
        }
    }
    return true;
}

}  // namespace freshet::detail
