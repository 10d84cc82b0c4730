// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cfloat>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <freshet/detail/json/composites.hpp>
#include <freshet/detail/json/reader.hpp>

#include "base/quoted.hpp"
#include "codec/json_number.hpp"

namespace freshet::detail {
namespace {

bool mismatch(JsonFailure& failure, std::string_view expected, const JsonNode& node) {
    return failure.fail(fmt::format("expected {}, got {}", expected, name_of(node.kind)));
}

// Names the type by its largest value: 255 is an 8-bit unsigned integer.
std::string name_of_integer(std::uint64_t max, bool is_signed) {
    int bits = is_signed ? 1 : 0;
    for (; max != 0; max >>= 1) ++bits;
    return fmt::format("{} {}-bit {} integer", bits == 8 ? "an" : "a", bits, is_signed ? "signed" : "unsigned");
}

/// Returns a number as it is written, for an error; shortened if it is long.
std::string shown(const JsonReader& reader, const JsonNode& node) {
    constexpr std::size_t longest = 40;
    switch (node.kind) {
        case JsonKind::integer: return fmt::to_string(node.integer);
        case JsonKind::natural: return fmt::to_string(node.natural);
        case JsonKind::real: return fmt::to_string(node.real);
        default: break;
    }
    JsonDigits buffer;  // NOLINT(*-member-init)
    const auto digits = reader.digits(node, buffer);
    return digits.size() <= longest ? std::string{digits} : fmt::format("{}...", digits.substr(0, longest));
}

bool is_number(const JsonNode& node) noexcept {
    return JsonKind::integer <= node.kind && node.kind <= JsonKind::decimal;
}

/// Returns the integer that a number stands for, however it is written; nothing for 2.5.
std::optional<WholeNumber> whole_of(const JsonReader& reader, const JsonNode& node) {
    switch (node.kind) {
        case JsonKind::natural: return WholeNumber{.magnitude = node.natural};
        case JsonKind::integer:
            return WholeNumber{.negative = node.integer < 0,
                               .magnitude = node.integer < 0 ? 0 - static_cast<std::uint64_t>(node.integer)
                                                             : static_cast<std::uint64_t>(node.integer)};
        case JsonKind::real: return whole_number(node.real);
        case JsonKind::scaled:
        case JsonKind::decimal: {
            JsonDigits buffer;  // NOLINT(*-member-init)
            return whole_number(reader.digits(node, buffer));
        }
        default: return std::nullopt;
    }
}

bool not_in_range(JsonReader& reader, const JsonNode& node, std::uint64_t max, bool is_signed) {
    if (!is_number(node)) return mismatch(reader, "number", node);
    const bool is_exact = node.kind == JsonKind::scaled || node.kind == JsonKind::decimal;
    JsonDigits buffer;  // NOLINT(*-member-init)
    const bool fraction =
        is_exact ? has_fraction(reader.digits(node, buffer)) : node.kind == JsonKind::real && has_fraction(node.real);
    if (fraction) return reader.fail(fmt::format("expected integer, got {}", shown(reader, node)));
    return reader.fail(fmt::format("{} does not fit into {}", shown(reader, node), name_of_integer(max, is_signed)));
}

/// Returns the nearest double: the digits and the power of ten are exact in a double, so that only the division rounds.
double double_of(const ScaledNumber& number) noexcept {
    static constexpr double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const double value = static_cast<double>(static_cast<std::int64_t>(number.digits)) / powers[number.behind];
    return number.negative != 0 ? -value : value;
}

bool not_in_float(JsonReader& reader, const JsonNode& node, int bits) {
    return reader.fail(fmt::format("{} does not fit into a {}-bit float", shown(reader, node), bits));
}

/// Compares the first and the last bytes of two texts of one size. In a short text they overlap.
template <class Word>
bool same_ends(std::string_view a, std::string_view b) noexcept {
    const auto word = [](const char* text) {
        Word result = 0;
        std::memcpy(&result, text, sizeof result);
        return result;
    };
    const auto last = a.size() - sizeof(Word);
    return word(a.data()) == word(b.data()) && word(a.data() + last) == word(b.data() + last);
}

/// Compares two texts. For short names this is faster than memcmp.
[[gnu::always_inline]] inline bool is_same(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    if (a.size() > 16) return a == b;
    if (a.size() >= 8) return same_ends<std::uint64_t>(a, b);
    if (a.size() >= 4) return same_ends<std::uint32_t>(a, b);
    if (a.size() >= 2) return same_ends<std::uint16_t>(a, b);
    return a.empty() || a.front() == b.front();
}

[[gnu::noinline]] bool read_digits(JsonReader& reader, const JsonNode& node, double& out) {
    JsonDigits buffer;  // NOLINT(*-member-init)
    const auto value = nearest_double(reader.digits(node, buffer));
    out = value.value_or(0);
    return value || not_in_float(reader, node, 64);
}

// Begins the search behind the last field found, because fields mostly come in the order of the type.
std::size_t find_field(std::span<const ReadField> fields, std::string_view name, std::size_t begin) noexcept {
    if (begin < fields.size() && is_same(fields[begin].name, name)) return begin;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::size_t at = begin + i < fields.size() ? begin + i : begin + i - fields.size();
        if (is_same(fields[at].name, name)) return at;
    }
    return fields.size();
}

}  // namespace

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

std::string_view JsonReader::digits(const JsonNode& node, JsonDigits& buffer) const noexcept {
    if (node.kind != JsonKind::scaled) return text(node);
    char* at = buffer.data() + buffer.size();
    const char* const end = at;
    std::uint64_t left = node.scaled.digits;
    for (std::uint64_t written = 0; left != 0 || written <= node.scaled.behind; ++written, left /= 10) {
        if (written == node.scaled.behind) *--at = '.';
        *--at = static_cast<char>('0' + left % 10);
    }
    if (node.scaled.negative != 0) *--at = '-';
    return {at, end};
}

bool JsonReader::expect(const JsonNode& node, JsonKind kind) {
    return node.kind == kind || mismatch(*this, name_of(kind), node);
}

bool JsonReader::expect_array(const JsonNode& node, std::size_t size) {
    if (!expect(node, JsonKind::array)) return false;
    return node.count == size || fail(fmt::format("expected an array of length {}, got length {}", size, node.count));
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
        case JsonKind::scaled:
            if constexpr (FLT_EVAL_METHOD != 0) return read_digits(*this, node, out);
            out = double_of(node.scaled);
            return true;
        case JsonKind::decimal: return read_digits(*this, node, out);
        default: return mismatch(*this, "number", node);
    }
}

bool JsonReader::read(const JsonNode& node, float& out) {
    std::optional<float> value;
    JsonDigits buffer;  // NOLINT(*-member-init)
    switch (node.kind) {
        case JsonKind::real: value = nearest_float(node.real); break;
        case JsonKind::integer: value = static_cast<float>(node.integer); break;
        case JsonKind::natural: value = static_cast<float>(node.natural); break;
        case JsonKind::scaled:
        case JsonKind::decimal: value = nearest_float(digits(node, buffer)); break;
        default: return mismatch(*this, "number", node);
    }
    out = value.value_or(0);
    return value || not_in_float(*this, node, 32);
}

bool JsonReader::read(const JsonNode& node, std::string& out) {
    if (!expect(node, JsonKind::text)) return false;
    out = text(node);
    return true;
}

bool JsonReader::read_integer(const JsonNode& node, std::int64_t min, std::int64_t max, std::int64_t& out) {
    const auto limit = static_cast<std::uint64_t>(max);
    if (node.kind == JsonKind::natural && node.natural <= limit) {  // the common case
        out = static_cast<std::int64_t>(node.natural);
        return true;
    }
    if (node.kind == JsonKind::integer && node.integer >= min && node.integer <= max) {
        out = node.integer;
        return true;
    }
    const auto whole = whole_of(*this, node);
    const auto lower = 0 - static_cast<std::uint64_t>(min);
    if (!whole || whole->magnitude > (whole->negative ? lower : limit)) return not_in_range(*this, node, limit, true);
    out = static_cast<std::int64_t>(whole->negative ? 0 - whole->magnitude : whole->magnitude);
    return true;
}

bool JsonReader::read_natural(const JsonNode& node, std::uint64_t max, std::uint64_t& out) {
    if (node.kind == JsonKind::natural && node.natural <= max) {
        out = node.natural;
        return true;
    }
    const auto whole = whole_of(*this, node);
    if (!whole || whole->magnitude > (whole->negative ? 0 : max)) return not_in_range(*this, node, max, false);
    out = whole->magnitude;
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

/// Reads the last of several members with one key, and ignores the others.
bool JsonReader::read_object(const JsonNode& node, void* object, std::span<const ReadField> fields) {
    if (!expect(node, JsonKind::object)) return false;
    std::array<const JsonNode*, max_json_fields> values;  // NOLINT(*-member-init): as many as there are fields
    std::fill_n(values.begin(), fields.size(), nullptr);
    std::size_t next = 0;
    for (const JsonNode* key = node.begin(); key != node.end(); key += 1 + key[1].span) {
        const std::size_t found = find_field(fields, text(*key), next);
        if (found == fields.size()) continue;
        values[found] = key + 1;
        next = found + 1;
    }
    const ReadField* missing = nullptr;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (values[i] != nullptr) {
            if (!fields[i].read(*this, *values[i], object)) return at_field(fields[i].name);
        } else if (missing == nullptr && fields[i].required) {
            missing = &fields[i];
        }
    }
    if (missing == nullptr) return true;
    fail("missing");
    return at_field(missing->name);
}

std::vector<const JsonNode*> JsonReader::last_keys(const JsonNode& object) const {
    std::vector<const JsonNode*> last;
    for (const JsonNode* key = object.begin(); key != object.end(); key += 1 + key[1].span) last.push_back(key);
    const auto name = [this](const JsonNode* key) { return text(*key); };
    std::ranges::sort(last, [&](const JsonNode* a, const JsonNode* b) {
        const auto order = name(a) <=> name(b);
        return order < 0 || (order == 0 && a > b);
    });
    const auto [rest, end] = std::ranges::unique(last, {}, name);
    last.erase(rest, end);
    std::ranges::sort(last);
    return last;
}

bool JsonReader::is_last(const JsonNode& object, const JsonNode& key, std::vector<const JsonNode*>& last) const {
    if (last.empty()) last = last_keys(object);
    return std::ranges::binary_search(last, &key);
}

bool JsonReader::number_of(const JsonNode& key, JsonNode& number) {
    const auto digits = text(key);
    const char* const end = digits.data() + digits.size();
    const auto read_all = [&](auto& value) {
        const auto [stop, error] = std::from_chars(digits.data(), end, value);
        return error == std::errc{} && stop == end && fmt::to_string(value) == digits;
    };
    std::int64_t integer = 0;
    std::uint64_t natural = 0;
    if (read_all(natural)) number = {.kind = JsonKind::natural, .natural = natural};
    else if (read_all(integer)) number = {.kind = JsonKind::integer, .integer = integer};
    else return fail("expected an integer as key");
    return true;
}

}  // namespace freshet::detail
