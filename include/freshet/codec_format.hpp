// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace freshet {

/// How a typed body is written. The `content-type` header of a message names the format; without the header it is JSON.
enum class Format : std::uint8_t {
    json,         ///< application/json
    messagepack,  ///< application/msgpack
    cbor,         ///< application/cbor
};

/// Returns the `content-type` of a format.
constexpr std::string_view content_type(Format format) noexcept {
    switch (format) {
        case Format::messagepack: return "application/msgpack";
        case Format::cbor: return "application/cbor";
        default: return "application/json";
    }
}

/// Returns the format that a `content-type` names, ignoring parameters such as `; charset=utf-8`; JSON for an empty
/// text, nothing for an unknown type.
std::optional<Format> format_of(std::string_view content_type) noexcept;

}  // namespace freshet
