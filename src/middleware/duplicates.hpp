// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

#include <freshet/context.hpp>
#include <freshet/detail/handler.hpp>

#include "base/quoted.hpp"
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

inline Outcome being_handled(Context& context, std::string_view id) {
    std::ignore = context.fail(duplicate(id, " is being handled"));
    return Outcome::nack(std::chrono::seconds{1});
}

}  // namespace freshet::detail
