// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/detail/handler.hpp>

namespace freshet::detail {

/// One of several handlers of a subscription, and the predicate for its messages.
struct FilterCase {
    std::function<bool(Context&)> matches = {};
    std::unique_ptr<HandlerBase> handler = {};
    std::function<std::unique_ptr<HandlerBase>()> make_handler = {};  // in a router, instead of handler
};

template <class F>
concept MessagePredicate = std::is_invocable_r_v<bool, F&, const Message&>;
template <class F>
concept ContextPredicate = std::is_invocable_r_v<bool, F&, Context&>;

template <class F>
std::function<bool(Context&)> make_predicate(F&& predicate) {
    using Function = std::decay_t<F>;
    static_assert(
        MessagePredicate<Function> || ContextPredicate<Function>,
        "freshet: when(predicate, handler) calls predicate(const Message&) or predicate(Context&) for a bool. "
        "See docs/handlers.md#filters");
    if constexpr (MessagePredicate<Function>)
        return [predicate = Function{std::forward<F>(predicate)}](Context& context) mutable -> bool {
            return predicate(context.message());
        };
    else if constexpr (ContextPredicate<Function>) return std::forward<F>(predicate);
    else return {};
}

/// Returns a handler that gives each message to the first case that matches, else to `otherwise`, or rejects it if that
/// is null.
std::unique_ptr<HandlerBase> make_filtered(std::vector<FilterCase> cases, std::unique_ptr<HandlerBase> otherwise);

}  // namespace freshet::detail
