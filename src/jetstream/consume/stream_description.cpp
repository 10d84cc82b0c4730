// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/stream_description.hpp"

#include <utility>

#include <freshet/error.hpp>

#include "jetstream/stream/stream_config.hpp"

namespace freshet::detail {

std::string settings_text(const Json& settings) { return settings.empty() ? std::string{} : settings.dump(); }

void describe_stream(const js::StreamRef& stream, const js::ContextOptions& context, SourceDescription& description) {
    description.stream = stream.name();
    description.domain = context.domain;
    description.api_prefix = context.prefix;
    if (!stream.stream()) return;
    description.stream_subjects = stream.stream()->subjects;
    description.stream_settings = settings_text(stream_to_json(*stream.stream()));
}

void describe_bucket(std::string name, const js::ContextOptions& context, const std::function<js::Stream()>& make,
                     SourceDescription& description) {
    js::StreamRef stream{std::move(name)};
    try {
        stream = make();
    } catch (const Error&) {}  // start() reports it
    describe_stream(stream, context, description);
}

}  // namespace freshet::detail
