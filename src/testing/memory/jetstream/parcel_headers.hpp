// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <freshet/text.hpp>

#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {

/// Returns a header that is a whole number; nothing if it is absent or is none.
inline std::optional<std::uint64_t> number_in(const Parcel& parcel, std::string_view header) {
    const auto text = parcel.headers.get(header);
    return text ? FromText<std::uint64_t>::parse(*text) : std::nullopt;
}

}  // namespace freshet::detail
