// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include <freshet/batch.hpp>

namespace freshet::detail {

/// The parts of a batch's item that its handler does not see.
struct ItemAccess {
    static std::optional<Error>& rejected(Item& item) noexcept { return item.rejected_; }
    static bool is_rejected(const Item& item) noexcept { return item.rejected_.has_value(); }
    static const std::optional<Outcome>& decided(const Item& item) noexcept { return item.decided_; }
    static std::optional<Outcome>& decided(Item& item) noexcept { return item.decided_; }
    static Message& message(Item& item) noexcept { return item.message_; }
    static Message take(Item& item) noexcept { return std::move(item.message_); }
};

}  // namespace freshet::detail
