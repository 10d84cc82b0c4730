// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include <freshet/js/context_options.hpp>
#include <freshet/js/stream_ref.hpp>
#include <freshet/source_description.hpp>

#include "jetstream/api/json.hpp"

namespace freshet::detail {

/// Returns settings as a description has them: the JSON, empty if nothing is set.
std::string settings_text(const Json& settings);

/// Tells the stream of a subscriber, with the settings if the program declares it, and where it is.
void describe_stream(const js::StreamRef& stream, const js::ContextOptions& context, SourceDescription& description);

/// Tells the stream of a bucket that the program declares with `make`; only its name if `make` throws, because the
/// options are not valid.
void describe_bucket(std::string name, const js::ContextOptions& context, const std::function<js::Stream()>& make,
                     SourceDescription& description);

}  // namespace freshet::detail
