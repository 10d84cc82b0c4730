// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <freshet/buffer.hpp>
#include <freshet/codec_format.hpp>
#include <freshet/detail/json/failure.hpp>
#include <freshet/detail/json/fields.hpp>
#include <freshet/error.hpp>

namespace freshet::detail {

enum class JsonKind : std::uint8_t { null, boolean, integer, natural, real, text, binary, array, object };

/// One value of a parsed document. A document is an array of nodes: the nodes of an array's elements follow the array's
/// own node; in an object, the node of each key stands before that of its value.
struct JsonNode {
    struct Range {
        std::uint32_t offset;
        std::uint32_t size;
    };

    JsonKind kind = JsonKind::null;
    std::uint32_t span = 1;  // number of nodes of this value, including those of the values in it
    union {
        std::int64_t integer = 0;
        std::uint64_t natural;
        double real;
        bool boolean;
        Range range;          // of a text or binary value: its place in the reader's text
        std::uint32_t count;  // number of elements of an array, or members of an object
    };

    const JsonNode* begin() const noexcept { return this + 1; }
    const JsonNode* end() const noexcept { return this + span; }
};

class JsonReader;

/// How one field of a type is read; made from FRESHET_JSON.
struct ReadField {
    std::string_view name;
    bool required;
    bool (*read)(JsonReader& in, const JsonNode& node, void* object);
};

/// Turns nodes into values. Every function returns whether it succeeded; the reason of a failure is in the JsonFailure.
class JsonReader : public JsonFailure {
public:
    explicit JsonReader(std::string_view text) noexcept : text_{text} {}

    std::string_view text(const JsonNode& node) const noexcept {
        return text_.substr(node.range.offset, node.range.size);
    }
    bool expect(const JsonNode& node, JsonKind kind);

    bool read(const JsonNode& node, bool& out);
    bool read(const JsonNode& node, double& out);
    bool read(const JsonNode& node, float& out);
    bool read(const JsonNode& node, std::string& out);
    bool read_integer(const JsonNode& node, std::int64_t min, std::int64_t max, std::int64_t& out);
    bool read_natural(const JsonNode& node, std::uint64_t max, std::uint64_t& out);
    bool read_enum(const JsonNode& node, std::span<const EnumName> names, std::int64_t& out);
    bool read_object(const JsonNode& node, void* object, std::span<const ReadField> fields);

private:
    std::string_view text_;
};

/// Parses a body and passes its root to `read`. The error says where and why the body does not fit. Exceptions of
/// `read` pass through.
Expected<void> read_body(Bytes in, Format format, bool (*read)(JsonReader& in, const JsonNode& root, void* out),
                         void* out);

/// Converts a document to another format and writes it to `out`.
Expected<void> transcode(Bytes in, Format from, Format to, Buffer& out);

}  // namespace freshet::detail
