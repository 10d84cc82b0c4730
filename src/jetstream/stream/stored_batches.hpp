// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <freshet/js/stored_message.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Reads the messages that `request`, a batched DIRECT.GET (ADR-31), asks for: batch after batch until there are no
/// more, or `limit` messages. Blocks; Errc::timeout when a whole timeout passes without a message. `what` is for
/// error messages.
Expected<std::vector<js::StoredMessage>> read_stored(const JsApi& api, const std::string& stream,
                                                     const std::string& what, Json request, std::size_t limit);

}  // namespace freshet::detail
