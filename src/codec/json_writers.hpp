// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/detail/json/writer.hpp>

#include "codec/json_output.hpp"

namespace freshet::detail {

class TextWriter final : public JsonWriter {
public:
    explicit TextWriter(Buffer& out) noexcept : out_{out.string()} {}

    void null() override;
    void boolean(bool value) override;
    void integer(std::int64_t value) override;
    void natural(std::uint64_t value) override;
    bool real(double value) override;
    bool real(float value) override;
    bool text(std::string_view value) override;
    bool binary(Bytes value) override;
    bool key(std::string_view name) override;
    void plain_key(std::string_view name) override;
    bool key(std::int64_t number) override;
    bool key(std::uint64_t number) override;

private:
    void open_array(std::size_t size) override;
    void close_array() override;
    void open_object(std::size_t size) override;
    void close_object() override;

    template <class Number>
    void number(Number value);
    void begin_value(std::size_t size);
    void token(std::string_view text);
    bool quote(std::string_view text);
    bool escape(std::string_view text, const char* from);

    JsonOutput out_;
    bool comma_ = false;  // true: the next value or key follows another one
};

class CborWriter final : public JsonWriter {
public:
    explicit CborWriter(Buffer& out) noexcept : out_{out.string()} {}

    void null() override;
    void boolean(bool value) override;
    void integer(std::int64_t value) override;
    void natural(std::uint64_t value) override;
    bool real(double value) override;
    bool real(float value) override;
    bool text(std::string_view value) override;
    bool binary(Bytes value) override;
    bool key(std::string_view name) override { return text(name); }
    void plain_key(std::string_view name) override;
    bool key(std::int64_t number) override { return integer(number), true; }
    bool key(std::uint64_t number) override { return natural(number), true; }

private:
    void open_array(std::size_t size) override;
    void close_array() override {}
    void open_object(std::size_t size) override;
    void close_object() override {}

    void head(unsigned major, std::uint64_t value, std::size_t content = 0);

    JsonOutput out_;
};

class MessagePackWriter final : public JsonWriter {
public:
    explicit MessagePackWriter(Buffer& out) noexcept : out_{out.string()} {}

    void null() override;
    void boolean(bool value) override;
    void integer(std::int64_t value) override;
    void natural(std::uint64_t value) override;
    bool real(double value) override;
    bool real(float value) override;
    bool text(std::string_view value) override;
    bool binary(Bytes value) override;
    bool key(std::string_view name) override { return text(name); }
    void plain_key(std::string_view name) override;
    bool key(std::int64_t number) override { return integer(number), true; }
    bool key(std::uint64_t number) override { return natural(number), true; }

private:
    void open_array(std::size_t size) override;
    void close_array() override {}
    void open_object(std::size_t size) override;
    void close_object() override {}

    JsonOutput out_;
};

/// Fails unless `text` is UTF-8.
bool check_text(JsonFailure& failure, std::string_view text);

}  // namespace freshet::detail
