// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <freshet/detail/json/reader.hpp>

#include "base/quoted.hpp"

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

// Names the type by its largest value: 255 is an 8-bit unsigned integer.
std::string name_of_integer(std::uint64_t max, bool is_signed) {
    int bits = is_signed ? 1 : 0;
    for (; max != 0; max >>= 1) ++bits;
    return fmt::format("{} {}-bit {} integer", bits == 8 ? "an" : "a", bits, is_signed ? "signed" : "unsigned");
}

// Accepts 2.0 as an integer, because some producers have only doubles. Beyond 2^53 a double does not tell integers
// apart.
JsonNode without_fraction(const JsonNode& node) {
    if (node.kind != JsonKind::real || std::trunc(node.real) != node.real || std::abs(node.real) > 0x1p53) return node;
    const auto integer = static_cast<std::int64_t>(node.real);
    if (integer < 0) return {.kind = JsonKind::integer, .integer = integer};
    return {.kind = JsonKind::natural, .natural = static_cast<std::uint64_t>(integer)};
}

bool not_in_range(JsonFailure& failure, const JsonNode& node, std::uint64_t max, bool is_signed) {
    const auto say = [&](auto value) {
        return failure.fail(fmt::format("{} does not fit into {}", value, name_of_integer(max, is_signed)));
    };
    switch (node.kind) {
        case JsonKind::integer: return say(node.integer);
        case JsonKind::natural: return say(node.natural);
        case JsonKind::real:
            if (std::trunc(node.real) == node.real) return say(node.real);
            return failure.fail(fmt::format("expected integer, got {}", node.real));
        default: return mismatch(failure, "number", node);
    }
}

// Begins the search behind the last field found, because fields mostly come in the order of the type.
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
    if (std::isfinite(wide) && std::abs(wide) > std::numeric_limits<float>::max()) {
        return fail(fmt::format("{} does not fit into a 32-bit float", wide));
    }
    out = static_cast<float>(wide);
    return true;
}

bool JsonReader::read(const JsonNode& node, std::string& out) {
    if (!expect(node, JsonKind::text)) return false;
    out = text(node);
    return true;
}

bool JsonReader::read_integer(const JsonNode& node, std::int64_t min, std::int64_t max, std::int64_t& out) {
    const auto limit = static_cast<std::uint64_t>(max);
    const JsonNode number = without_fraction(node);
    if (number.kind == JsonKind::natural && number.natural <= limit) {
        out = static_cast<std::int64_t>(number.natural);
    } else if (number.kind == JsonKind::integer && min <= number.integer && number.integer <= max) {
        out = number.integer;
    } else {
        return not_in_range(*this, number, limit, true);
    }
    return true;
}

bool JsonReader::read_natural(const JsonNode& node, std::uint64_t max, std::uint64_t& out) {
    const JsonNode number = without_fraction(node);
    if (number.kind != JsonKind::natural || number.natural > max) return not_in_range(*this, number, max, false);
    out = number.natural;
    return true;
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
