// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/buffer.hpp>
#include <freshet/codec_format.hpp>
#include <freshet/detail/json/failure.hpp>
#include <freshet/detail/json/fields.hpp>
#include <freshet/error.hpp>

namespace freshet::detail {

/// The kind of a value. A number that is not an integer of 64 bits is `real` in MessagePack and CBOR. In JSON it is
/// kept exactly, because the type that it is read into decides about its value: as `scaled` if it has few digits, else
/// as `decimal`.
enum class JsonKind : std::uint8_t {
    null,
    boolean,
    integer,
    natural,
    real,
    scaled,
    decimal,
    text,
    binary,
    array,
    object,
};

/// A number of up to 15 digits, `behind` of which stand behind the point: 2.50 is 250 and 2.
struct ScaledNumber {
    std::uint64_t digits : 50;
    std::uint64_t behind : 13;
    std::uint64_t negative : 1;
};

/// Room for the text of a ScaledNumber.
using JsonDigits = std::array<char, 24>;

/// Returns the name of the kind for errors.
std::string_view name_of(JsonKind kind) noexcept;

/// One value of a parsed document. A document is an array of nodes: the nodes of an array's elements follow the array's
/// own node; in an object, the node of each key stands before that of its value.
struct JsonNode {
    struct Range {
        // Set in `offset`: a place in the reader's text, else in the body.
        static constexpr std::uint32_t in_text = std::uint32_t{1} << 31;

        std::uint32_t offset;
        std::uint32_t size;
    };

    JsonKind kind = JsonKind::null;
    std::uint32_t span = 1;  // number of nodes of this value, including those of the values in it
    union {
        std::int64_t integer = 0;
        std::uint64_t natural;
        double real;
        ScaledNumber scaled;
        bool boolean;
        Range range;          // of a text, binary or decimal value: its place in the body or in the reader's text
        std::uint32_t count;  // number of elements of an array, or members of an object
    };

    const JsonNode* begin() const noexcept { return this + 1; }
    const JsonNode* end() const noexcept { return this + span; }
};

/// The kind of value that a type is in JSON; any: the type does not tell.
enum class JsonShape : std::uint8_t { null, boolean, number, text, array, object, any };

class JsonReader;
struct JsonAlternative;

/// How one field of a type is read; made from FRESHET_JSON.
struct ReadField {
    std::string_view name;
    bool required;
    bool (*read)(JsonReader& in, const JsonNode& node, void* object);
};

/// Turns nodes into values. Every function returns whether it succeeded; the reason of a failure is in the JsonFailure.
class JsonReader : public JsonFailure {
public:
    /// Takes the body that was parsed, and the texts in it that the parser had to write anew.
    JsonReader(std::string_view body, std::string_view text) noexcept : body_{body.data()}, text_{text.data()} {}

    std::string_view text(const JsonNode& node) const noexcept {
        const auto [offset, size] = node.range;
        const bool in_text = (offset & JsonNode::Range::in_text) != 0;
        return {(in_text ? text_ : body_) + (offset & ~JsonNode::Range::in_text), size};
    }
    /// Returns a `scaled` or `decimal` number as it is written; it may stand in `buffer`.
    std::string_view digits(const JsonNode& node, JsonDigits& buffer) const noexcept;
    bool expect(const JsonNode& node, JsonKind kind);
    bool expect_array(const JsonNode& node, std::size_t size);

    bool read(const JsonNode& node, bool& out);
    bool read(const JsonNode& node, double& out);
    bool read(const JsonNode& node, float& out);
    bool read(const JsonNode& node, std::string& out);
    bool read_integer(const JsonNode& node, std::int64_t min, std::int64_t max, std::int64_t& out);
    bool read_natural(const JsonNode& node, std::uint64_t max, std::uint64_t& out);
    bool read_enum(const JsonNode& node, std::span<const EnumName> names, std::int64_t& out);
    bool read_object(const JsonNode& node, void* object, std::span<const ReadField> fields);

    /// Reads the first alternative that the value fits, of those that have its shape.
    bool read_alternative(const JsonNode& node, void* variant, std::span<const JsonAlternative> alternatives);
    /// Finds the alternative that the member `key` of an object names.
    bool read_tag(const JsonNode& node, std::string_view key, std::span<const EnumName> names, std::int64_t& index);

    /// Returns the keys of `object` in their order, without those that a later member repeats.
    std::vector<const JsonNode*> last_keys(const JsonNode& object) const;

    /// Returns true if no later member repeats `key`. Pass an empty `last` at first, and the same one for each key of
    /// `object`.
    bool is_last(const JsonNode& object, const JsonNode& key, std::vector<const JsonNode*>& last) const;

    /// Converts a key to an integer. Fails unless it is written as JSON writes an integer.
    bool number_of(const JsonNode& key, JsonNode& number);

    /// Writes the value to `json` as JSON.
    bool write_node(const JsonNode& node, Buffer& json);

private:
    const char* body_;
    const char* text_;
};

/// Parses a body and passes its root to `read`. The error says where and why the body does not fit. Exceptions of
/// `read` pass through.
Expected<void> read_body(Body in, Format format, bool (*read)(JsonReader& in, const JsonNode& root, void* out),
                         void* out);

}  // namespace freshet::detail
