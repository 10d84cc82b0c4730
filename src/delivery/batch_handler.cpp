// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/batch_handler.hpp>

#include "delivery/item_access.hpp"

namespace freshet {

Items& Context::items() {
    if (auto* items = get<Items>()) return *items;
    raise({Errc::bad_setup, "Context::items: the handler takes one message, not a batch; take std::span<const T>"});
}

namespace detail {

std::optional<Error>& rejection(Item& item) noexcept { return ItemAccess::rejected(item); }
Message& message_of(Item& item) noexcept { return ItemAccess::message(item); }

Outcome BatchHandlerBase::invoke(Context& context) {
    auto& items = context.items();
    decode(context, items);
    std::vector<Item*> good;
    for (std::size_t i = 0; i < items.size(); ++i)
        if (!rejection(items[i])) good.push_back(&items[i]);
    if (good.empty()) return Outcome::ack;
    context.set(Items{std::move(good)});
    return inner_->invoke(context);
}

}  // namespace detail
}  // namespace freshet
