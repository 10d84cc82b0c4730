// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/ordered_settings.hpp"

#include <optional>

#include "jetstream/consume/consumers.hpp"
#include "jetstream/consume/source_checks.hpp"

namespace freshet::detail {

js::ConsumerConfig ordered_config(const js::Ordered& options) {
    return {.deliver = options.deliver,
            .start_sequence = options.start_sequence,
            .start_time = options.start_time,
            .filter_subjects = options.filter_subjects,
            .replay = options.replay == js::Replay::instant ? std::nullopt : std::optional{options.replay},
            .headers_only = options.headers_only};
}

void check_ordered(const js::Ordered& options, const Subject& subject, Binder& binder) {
    check_name("stream", options.stream.name(), binder);
    check_consumer_config(ordered_config(options), subject, binder);
    if (options.prefetch == 0)
        binder.problem("js::Ordered::prefetch is 0, so nothing would be delivered; set it to 1 or more");
    if (options.heartbeat.count() <= 0) binder.problem("js::Ordered::heartbeat must be more than 0");
}

OrderedOptions ordered_options(const js::Ordered& options, const js::ContextOptions& context) {
    return {.stream = options.stream.name(),
            .filter_subjects = options.filter_subjects,
            .deliver = options.deliver,
            .start_sequence = options.start_sequence,
            .start_time = options.start_time,
            .headers_only = options.headers_only,
            .replay = options.replay,
            .window = options.prefetch,
            .heartbeat = options.heartbeat,
            .context = context};
}

std::function<void()> redeclare_lost(Link& link, const js::Ordered& options, const js::ContextOptions& context) {
    if (!options.stream.stream()) return {};
    return [&link, stream = options.stream, context] {
        const JsApi api{link, context};
        if (const auto declared = declare_stream_of(api, stream); !declared)
            link.logger().warn("js::Ordered: {}", declared.error().message());
    };
}

}  // namespace freshet::detail
