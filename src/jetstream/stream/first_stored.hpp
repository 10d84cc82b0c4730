// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Returns the sequence of the first message of a stream that was stored at `time` or later; the one after the last
/// message if there is none. Blocks for several answers.
Expected<std::uint64_t> first_stored_since(const JsApi& api, const std::string& stream,
                                           std::chrono::system_clock::time_point time);

}  // namespace freshet::detail
