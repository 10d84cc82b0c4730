// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/json/writer.hpp>

#include <string>

#include <fmt/format.h>

#include <freshet/detail/json/reader.hpp>
#include <freshet/error.hpp>

#include "base/utf8.hpp"
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
    if (!out.begin_object(node.count)) return false;
    for (const JsonNode* key = node.begin(); key != node.end(); key += 1 + key[1].span) {
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
        case JsonKind::text: return out.text(in.text(node));
        case JsonKind::binary: return out.binary(as_bytes(in.text(node)));
        case JsonKind::array: return copy_array(in, node, out);
        case JsonKind::object: return copy_object(in, node, out);
    }
    return false;
}

}  // namespace

bool JsonWriter::enter() {
    if (depth_ == max_json_depth) return fail(fmt::format("it nests deeper than {} levels", max_json_depth));
    ++depth_;
    return true;
}

bool JsonWriter::write_enum(std::span<const EnumName> names, std::int64_t value) {
    for (const auto& name : names) {
        if (name.value == value) return text(name.name);
    }
    return fail(fmt::format("{} is none of the values that FRESHET_ENUM names", value));
}

bool JsonWriter::write_object(const void* object, std::span<const WriteField> fields) {
    std::size_t size = fields.size();
    for (const auto& field : fields) size -= field.absent != nullptr && field.absent(object) ? 1 : 0;
    if (!begin_object(size)) return false;
    for (const auto& field : fields) {
        if (field.absent != nullptr && field.absent(object)) continue;
        if (!key(field.name) || !field.write(*this, object)) return at_field(field.name);
    }
    end_object();
    return true;
}

void write_body(Format format, Buffer& out, bool (*write)(JsonWriter&, const void*), const void* value) {
    with_writer(format, out, [&](JsonWriter& writer) {
        if (!write(writer, value)) throw Error{Errc::bad_payload, writer.message()};
    });
}

Expected<void> transcode(Bytes in, Format from, Format to, Buffer& out) {
    return with_writer(to, out, [&](JsonWriter& writer) {
        const auto write = [](JsonReader& reader, const JsonNode& root, void* to_writer) {
            auto& target = *static_cast<JsonWriter*>(to_writer);
            return copy(reader, root, target) || reader.fail(target.message());
        };
        return read_body(in, from, write, &writer);
    });
}

bool check_text(JsonFailure& failure, std::string_view text) {
    return valid_utf8(text) || failure.fail("a string that is not UTF-8; send such bytes as std::vector<std::byte>");
}

void append_big_endian(Buffer& out, std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace freshet::detail
