// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/json/writer.hpp>

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include <freshet/detail/json/reader.hpp>
#include <freshet/error.hpp>

#include "base/utf8.hpp"
#include "codec/json_document.hpp"
#include "codec/json_number.hpp"
#include "codec/json_text.hpp"
#include "codec/json_writers.hpp"

namespace freshet::detail {
namespace {

template <class Use>
auto with_writer(Format format, Buffer& out, Use use) {
    if (format == Format::messagepack) {
        MessagePackWriter writer{out};
        return use(writer);
    }
    if (format == Format::cbor) {
        CborWriter writer{out};
        return use(writer);
    }
    TextWriter writer{out};
    return use(writer);
}

bool copy(JsonReader& in, const JsonNode& node, JsonWriter& out);

/// Writes a number as an integer if 64 bits hold it.
bool copy_decimal(JsonReader& in, const JsonNode& node, JsonWriter& out) {
    JsonDigits buffer;  // NOLINT(*-member-init)
    const auto text = in.digits(node, buffer);
    const auto whole = whole_number(text);
    if (whole && !whole->negative && !text.starts_with('-')) {
        out.natural(whole->magnitude);
        return true;
    }
    constexpr std::uint64_t lowest = std::uint64_t{1} << 63;
    if (whole && whole->negative && whole->magnitude <= lowest) {
        out.integer(static_cast<std::int64_t>(0 - whole->magnitude));
        return true;
    }
    double value = 0;
    return in.read(node, value) ? out.real(value) : out.fail(in.message());
}

bool copy_array(JsonReader& in, const JsonNode& node, JsonWriter& out) {
    if (!out.begin_array(node.count)) return false;
    std::size_t index = 0;
    for (const JsonNode* at = node.begin(); at != node.end(); at += at->span, ++index) {
        if (!copy(in, *at, out)) return out.at_index(index);
    }
    out.end_array();
    return true;
}

bool copy_object(JsonReader& in, const JsonNode& node, JsonWriter& out) {
    const auto keys = in.last_keys(node);
    if (!out.begin_object(keys.size())) return false;
    for (const JsonNode* key : keys) {
        const auto name = in.text(*key);
        if (!out.key(name) || !copy(in, key[1], out)) return out.at_field(name);
    }
    out.end_object();
    return true;
}

bool copy(JsonReader& in, const JsonNode& node, JsonWriter& out) {
    switch (node.kind) {
        case JsonKind::null: out.null(); return true;
        case JsonKind::boolean: out.boolean(node.boolean); return true;
        case JsonKind::integer: out.integer(node.integer); return true;
        case JsonKind::natural: out.natural(node.natural); return true;
        case JsonKind::real: return out.real(node.real);
        case JsonKind::scaled:
        case JsonKind::decimal: return copy_decimal(in, node, out);
        case JsonKind::text: return out.text(in.text(node));
        case JsonKind::binary: return out.binary(as_bytes(in.text(node)));
        case JsonKind::array: return copy_array(in, node, out);
        case JsonKind::object: return copy_object(in, node, out);
    }
    return false;
}

const EnumName* name_of(JsonFailure& failure, std::span<const EnumName> names, std::int64_t value) {
    for (const auto& name : names) {
        if (name.value == value) return &name;
    }
    failure.fail(fmt::format("{} is none of the values in FRESHET_ENUM; add it there", value));
    return nullptr;
}

}  // namespace

bool JsonWriter::enter() {
    if (depth_ == max_json_depth) return fail(fmt::format("the value nests deeper than {} levels", max_json_depth));
    ++depth_;
    return true;
}

bool JsonWriter::write_enum(std::span<const EnumName> names, std::int64_t value) {
    const auto* const name = name_of(*this, names, value);
    return name != nullptr && text(name->name);
}

bool JsonWriter::key_of_enum(std::span<const EnumName> names, std::int64_t value) {
    const auto* const name = name_of(*this, names, value);
    return name != nullptr && key(name->name);
}

bool JsonWriter::write_object(const void* object, std::span<const WriteField> fields, const VariantTag& tag) {
    std::size_t size = fields.size() + (tag.key.empty() ? 0 : 1);
    for (const auto& field : fields) size -= field.absent != nullptr && field.absent(object) ? 1 : 0;
    if (!begin_object(size)) return false;
    if (!tag.key.empty() && (!key(tag.key) || !text(tag.name))) return at_field(tag.key);
    for (const auto& field : fields) {
        if (field.absent != nullptr && field.absent(object)) continue;
        if (field.is_plain) plain_key(field.name);
        else if (!key(field.name)) return at_field(field.name);
        if (!field.write(*this, object)) return at_field(field.name);
    }
    end_object();
    return true;
}

bool JsonWriter::write_text(std::string_view json) {
    JsonDocument document;
    document.copy = json;
    document.begin(document.copy, most_nodes(Format::json, json.size()));
    if (!parse_json(document)) return fail(document.error);
    JsonReader reader{document.input, document.text};
    return copy(reader, document.nodes[0], *this);
}

bool JsonReader::write_node(const JsonNode& node, Buffer& json) {
    TextWriter writer{json};
    return copy(*this, node, writer) || fail(writer.message());
}

void write_body(Format format, Buffer& out, bool (*write)(JsonWriter&, const void*), const void* value) {
    with_writer(format, out, [&](JsonWriter& writer) {
        if (!write(writer, value)) throw Error{Errc::bad_payload, writer.message()};
    });
}

bool check_text(JsonFailure& failure, std::string_view text) {
    return is_ascii(text) || valid_utf8(text) ||
           failure.fail("a string that is not UTF-8; send such bytes as std::vector<std::byte>");
}

/// Makes all of the string's storage, or more, a part of the string, without writing it.
void JsonOutput::grow(std::size_t size) {
    const auto used = static_cast<std::size_t>(at_ - out_.data());
    const auto wanted = std::max(used + size, out_.capacity());
    out_.resize_and_overwrite(wanted, [](char*, std::size_t all) noexcept { return all; });
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
}

}  // namespace freshet::detail
