// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <freshet/codec.hpp>

#include "../support/must.hpp"

// A body in and out, as the tests of codecs want it.

namespace freshet::testing {

inline constexpr Format formats[] = {Format::json, Format::messagepack, Format::cbor};

template <class T>
Expected<T> read(std::string_view body, std::string_view content_type = "") {
    T value{};
    const auto done = detail::decode_body(as_bytes(body), content_type, value);
    // As it comes in a message, with a NUL behind it.
    const std::string own{body};
    T again{};
    const auto terminated = detail::decode_body({as_bytes(own), true}, content_type, again);
    must(terminated.has_value() == done.has_value());  // not REQUIRE: threads do this, too
    if (done) return value;
    must(terminated.error().message() == done.error().message());
    return std::unexpected{done.error()};
}

/// Why `body` is no T; empty if it is one.
template <class T>
std::string refusal(std::string_view body, std::string_view content_type = "") {
    const auto value = read<T>(body, content_type);
    if (value) return {};
    return value.error().code() == Condition::bad_payload ? value.error().what() : "not Condition::bad_payload";
}

template <class T>
std::string written(const T& value, Format format = Format::json) {
    Buffer out;
    detail::encode_body(value, format, out);
    return out.string();
}

/// Why `value` cannot be written; empty if it can.
template <class T>
std::string write_refusal(const T& value, Format format = Format::json) {
    try {
        static_cast<void>(written(value, format));
    } catch (const Error& error) {
        return error.code() == Condition::bad_payload ? error.what() : "not Condition::bad_payload";
    }
    return {};
}

/// What comes back when `value` is sent in the format.
template <class T>
T sent(const T& value, Format format) {
    return value_or_raise(read<T>(written(value, format), content_type(format)));
}

}  // namespace freshet::testing
