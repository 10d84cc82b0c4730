// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/pull.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <freshet/subject.hpp>

#include "base/random_id.hpp"
#include "jetstream/consume/consumer_source.hpp"
#include "jetstream/consume/pull_policy.hpp"
#include "jetstream/consume/source_checks.hpp"

namespace freshet::js {
namespace {

constexpr std::size_t largest_window = 4'096;
constexpr std::chrono::milliseconds least_expires{1'000};

detail::PullLimits limits_of(const Pull& options) {
    const auto workers = std::max<std::size_t>(options.workers, 1);
    detail::PullLimits limits{.min_window = workers * 2,
                              .max_window = std::max(largest_window, workers * 2),
                              .expires = options.expires,
                              .heartbeat = options.heartbeat};
    if (options.batch.size > 0) limits.min_window = limits.max_window = workers * 2 * options.batch.size;
    if (options.prefetch_bytes > 0) limits.max_bytes = options.prefetch_bytes;
    if (options.prefetch > 0) limits.min_window = limits.max_window = options.prefetch;
    return limits;
}

detail::ConsumerSpec spec_of(const Pull& options, const Subject& subject) {
    detail::ConsumerSpec spec{.stream = options.stream.name(),
                              .name = options.ephemeral ? detail::random_id() : options.durable,
                              .declare = options.ephemeral ? Declare::create_if_missing : options.declare,
                              .wanted = detail::consumer_for(options.consumer, subject, detail::lifetime_of(options))};
    if (!options.ephemeral) spec.wanted["durable_name"] = spec.name;
    return spec;
}

void check(const Pull& options, const Subject& subject, Binder& binder) {
    detail::check_lifetime("js::Pull", options.durable, detail::lifetime_of(options), options.consumer, binder);
    detail::check_name("stream", options.stream.name(), binder);
    detail::check_consumer_config(options.consumer, subject, binder);
    detail::check_retry(options.retry, binder);
    if (options.max_extension.count() < 0) binder.problem("js::Pull::max_extension is negative");
    if (options.expires < least_expires) binder.problem("js::Pull::expires is less than a second");
    if (options.heartbeat.count() <= 0 || options.heartbeat * 2 > options.expires)
        binder.problem("js::Pull::heartbeat must be more than 0 and at most half of `expires`");
    if (options.prefetch > 0 && options.prefetch < options.batch.size)
        binder.problem("js::Pull::prefetch is less than a batch, which would never be full");
}

}  // namespace

detail::SourceSpec linked_source(Pull options) {
    auto run = detail::run_options(options.workers, options.ordered_by, options.batch, options.about);
    run.on_lost = options.on_lost;
    const detail::PullSettings pull{.limits = limits_of(options), .priority = options.priority};
    detail::ConsumerSourceSettings settings{
        .stream = options.stream,
        .group = options.durable,
        .check = [options](const Subject& subject, Binder& binder) { check(options, subject, binder); },
        .spec = [options](const Subject& subject, const std::string&) { return spec_of(options, subject); },
        .policy = [pull](const detail::JsApi& api) { return detail::PullPolicy::make(api, pull); },
        .consumer = options.consumer,
        .declare = options.declare,
        .workers = options.workers,
        .settlement = {options.ack_policy.value_or(AckPolicy::nack_on_error), options.retry},
        .context = options.context,
        .max_extension = options.max_extension,
        .quiet = options.ack_policy.has_value(),
        .durable = options.durable};
    return {std::move(run), std::make_unique<detail::ConsumerSource>(std::move(settings))};
}

}  // namespace freshet::js
