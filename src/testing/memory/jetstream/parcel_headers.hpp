// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <freshet/text.hpp>

#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {

/// A header that is a whole number.
inline std::optional<std::uint64_t> number_in(const Parcel& parcel, std::string_view header) {
    const auto text = parcel.headers.get(header);
    return text ? FromText<std::uint64_t>::parse(*text) : std::nullopt;
}

}  // namespace freshet::detail
