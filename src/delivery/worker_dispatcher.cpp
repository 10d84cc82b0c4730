// SPDX-License-Identifier: Apache-2.0
#include "delivery/worker_dispatcher.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include <freshet/detail/subject_tokens.hpp>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"

namespace freshet::detail {

WorkerDispatcher::WorkerDispatcher(Handling& handling, const SubscriberOptions& options,
                                   std::optional<std::size_t> order_token, Clock& clock, Histogram* waiting)
    : handling_{handling},
      order_{options.ordered_by},
      order_token_{order_token},
      workers_{{.threads = std::max<std::size_t>(options.workers, 1),
                .order = options.ordered_by.set() ? WorkerOrder::by_key : WorkerOrder::none,
                .max_messages = options.max_pending_messages,
                .max_bytes = options.max_pending_bytes,
                .clock = &clock,
                .waiting = waiting,
                .on_end = [&handling] { handling.on_emptied(); }},
               [&handling](Message message) { handling.handle(std::move(message)); }} {}

bool WorkerDispatcher::dispatch(Message& message) noexcept {
    const auto key = key_of(message);
    if (key) return workers_.push(std::move(message), *key);
    handling_.reject(std::move(message), key.error());
    return true;
}

Expected<std::size_t> WorkerDispatcher::key_of(const Message& message) const {
    if (order_token_) return std::hash<std::string_view>{}(token_at(message.subject(), *order_token_));
    const auto& function = order_.function();
    if (!function) return 0;
    const CallbackScope scope;  // it may run on a thread that delivers
    try {
        return function(message);
    } catch (...) { return failure(Errc::bad_payload, "ordered_by threw: " + exception_text()); }
}

}  // namespace freshet::detail
