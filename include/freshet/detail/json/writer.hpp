// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <freshet/buffer.hpp>
#include <freshet/codec_format.hpp>
#include <freshet/detail/json/failure.hpp>
#include <freshet/detail/json/fields.hpp>

namespace freshet::detail {

class JsonWriter;

/// How one field of a type is written; made from FRESHET_JSON.
struct WriteField {
    std::string_view name;
    bool is_plain;  // true: no character of the name needs an escape in JSON
    bool (*write)(JsonWriter& out, const void* object);
    bool (*absent)(const void* object);  // says whether an optional field is empty; null for other fields
};

/// Returns true for a text of ASCII in which no character needs an escape in JSON.
constexpr bool is_plain_key(std::string_view name) {
    for (const char c : name) {
        if (c < ' ' || c > '~' || c == '"' || c == '\\') return false;
    }
    return true;
}

/// The member that tells which alternative of a variant an object is. An empty `key`: no such member is written.
struct VariantTag {
    std::string_view key = {};
    std::string_view name = {};
};

/// Writes values in one format. A function that may fail returns whether it succeeded; the reason of a failure is in
/// the JsonFailure.
class JsonWriter : public JsonFailure {
public:
    virtual void null() = 0;
    virtual void boolean(bool value) = 0;
    virtual void integer(std::int64_t value) = 0;
    virtual void natural(std::uint64_t value) = 0;
    virtual bool real(double value) = 0;
    virtual bool real(float value) = 0;
    virtual bool text(std::string_view value) = 0;
    virtual bool binary(Bytes value) = 0;

    bool begin_array(std::size_t size) { return enter() && (open_array(size), true); }
    void end_array() { --depth_, close_array(); }

    /// Begins an object of `size` members; the caller then writes a key and a value for each of them.
    bool begin_object(std::size_t size) { return enter() && (open_object(size), true); }
    virtual bool key(std::string_view name) = 0;
    /// Writes a key of ASCII in which no character needs an escape in JSON.
    virtual void plain_key(std::string_view name) = 0;
    /// Writes an integer as a key; in JSON it is a string.
    virtual bool key(std::int64_t number) = 0;
    virtual bool key(std::uint64_t number) = 0;
    void end_object() { --depth_, close_object(); }

    bool key_of_enum(std::span<const EnumName> names, std::int64_t value);
    bool write_enum(std::span<const EnumName> names, std::int64_t value);
    bool write_object(const void* object, std::span<const WriteField> fields, const VariantTag& tag = {});

    /// Writes the value of a JSON text.
    bool write_text(std::string_view json);

protected:
    ~JsonWriter() = default;

    virtual void open_array(std::size_t size) = 0;
    virtual void close_array() = 0;
    virtual void open_object(std::size_t size) = 0;
    virtual void close_object() = 0;

private:
    bool enter();

    std::size_t depth_ = 0;
};

/// Calls `write` to write `value` in the format. Throws Error(Errc::bad_payload) for a value that the format cannot
/// carry.
void write_body(Format format, Buffer& out, bool (*write)(JsonWriter& out, const void* value), const void* value);

}  // namespace freshet::detail
