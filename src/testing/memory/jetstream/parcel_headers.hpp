// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {

/// Returns a header that is a whole number; nothing if it is absent or is none.
inline std::optional<std::uint64_t> number_in(const Parcel& parcel, std::string_view header) {
    const auto text = parcel.headers.get(header);
    std::uint64_t value = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{}) return {};
    return value;
}

}  // namespace freshet::detail
