// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/js/ordered.hpp>
#include <freshet/js/ordered_messages.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Begins to read a stream, whose messages wait until the program takes them. Blocks for answers of the server.
Expected<js::OrderedMessages> read_in_order(const JsApi& api, const js::Ordered& options);

}  // namespace freshet::detail
