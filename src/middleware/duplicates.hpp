// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/batch.hpp>
#include <freshet/context.hpp>
#include <freshet/detail/handler.hpp>

#include "base/quoted.hpp"
#include "delivery/item_access.hpp"
#include "delivery/subscriber_core.hpp"

namespace freshet::detail {

// Outcomes of a message that was seen before, for every middleware that remembers messages.

inline Error duplicate(std::string_view id, std::string_view what) {
    return RemoteError{409, "the message with the id " + quoted(id) + std::string{what}};
}

inline Outcome handled_before(Context& context, std::string_view id) {
    if (ContextAccess::subscriber(context).answer_wanted(context))
        return context.reject(duplicate(id, " was handled before, and is not answered again"));
    return Outcome{Outcome::ack};
}

/// How long a message waits whose first delivery is being handled.
inline constexpr std::chrono::seconds pause_while_handled{1};

inline Outcome being_handled(Context& context, std::string_view id) {
    std::ignore = context.fail(duplicate(id, " is being handled"));
    return Outcome::nack(pause_while_handled);
}

/// Leaves only `items` of a batch for the handler.
inline void narrow_batch(Context& context, std::vector<Item*> items) {
    if (items.size() < context.items().size()) context.set(Items{std::move(items)});
}

/// Returns whether a message of a batch is acknowledged, if the handler has returned `outcome` for the batch.
inline bool is_acked(const Item& item, const Outcome& outcome) {
    if (ItemAccess::is_rejected(item)) return false;
    return ItemAccess::decided(item).value_or(outcome) == Outcome::ack;
}

}  // namespace freshet::detail
