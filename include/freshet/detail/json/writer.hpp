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
    bool (*write)(JsonWriter& out, const void* object);
    bool (*absent)(const void* object);  // says whether an optional field is empty; null for other fields
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
    void end_object() { --depth_, close_object(); }

    bool write_enum(std::span<const EnumName> names, std::int64_t value);
    bool write_object(const void* object, std::span<const WriteField> fields);

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
