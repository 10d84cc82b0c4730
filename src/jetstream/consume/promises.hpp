// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <freshet/js/consumer_config.hpp>
#include <freshet/js/stream.hpp>
#include <freshet/subject.hpp>

#include "jetstream/api/json.hpp"
#include "jetstream/consume/settlement.hpp"

namespace freshet::detail {

/// The promises that a subscriber makes with its settings, and that a consumer's own settings could break.
struct Promises {
    Settlement settlement;
    js::ConsumerConfig consumer = {};  ///< the settings that the program asks for
    std::size_t workers = 1;
    bool bodies = false;   ///< the handler takes the body of each message
    bool adopted = false;  ///< Declare::never: the consumer is not this program's, so its filters may be narrower
};

/// Returns the settings of this configuration, as the API has it, that would break a promise, each with the remedy.
std::vector<std::string> broken_promises(const Promises& promises, const Json& config);
/// Returns the settings that break no promise, but make the subscriber slower or less reliable than somebody may
/// expect.
std::vector<std::string> weak_promises(const Promises& promises, const Json& config);

/// Checks that the consumer delivers only messages that the subscriber's handler is made for, that it delivers all of
/// these, and that the stream can have any. `who`: `consumer "billing" of stream "ORDERS"`; `stream`: null if it is not
/// known.
Expected<void> check_filters(const std::string& who, const Promises& promises, const Subject& subject,
                             const Json& config, const js::StreamInfo* stream);

/// Returns whether check_filters needs to know the stream.
bool filters_need_stream(const Promises& promises, const Subject& subject, const Json& config);

}  // namespace freshet::detail
