// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace freshet {

/// How a typed body is written. The `content-type` header says which; without one it is JSON.
enum class Format : std::uint8_t {
    json,         ///< application/json
    messagepack,  ///< application/msgpack
    cbor,         ///< application/cbor
};

/// The `content-type` of a format.
constexpr std::string_view content_type(Format format) noexcept {
    switch (format) {
        case Format::messagepack: return "application/msgpack";
        case Format::cbor: return "application/cbor";
        default: return "application/json";
    }
}

/// The format a `content-type` names, parameters (`; charset=utf-8`) ignored; empty: JSON. Nothing for an unknown one.
std::optional<Format> format_of(std::string_view content_type) noexcept;

}  // namespace freshet
