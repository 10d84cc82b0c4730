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

/// What a subscriber promises with its settings, and a consumer's own settings could make false.
struct Promises {
    Settlement settlement;
    js::ConsumerConfig consumer = {};  ///< what the program asks for
    std::size_t workers = 1;
    bool bodies = false;   ///< the handler takes the body of each message
    bool adopted = false;  ///< Declare::never: the consumer is another one's, and delivers what it likes
};

/// What of the promises would be false with this configuration, as the API has it: each with the setting and the
/// remedy.
std::vector<std::string> broken_promises(const Promises& promises, const Json& config);
/// What would only be slower, or less than somebody may expect.
std::vector<std::string> weak_promises(const Promises& promises, const Json& config);

/// Checks that what the consumer delivers is what the subscriber's handler is made for, all that it is made for, and
/// that there is such a thing. `who`: `consumer "billing" of stream "ORDERS"`; `stream`: null if nobody may know it.
Expected<void> check_filters(const std::string& who, const Promises& promises, const Subject& subject,
                             const Json& config, const js::StreamInfo* stream);

/// Whether check_filters needs to know the stream.
bool filters_need_stream(const Promises& promises, const Subject& subject, const Json& config);

}  // namespace freshet::detail
