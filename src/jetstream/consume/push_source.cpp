// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/push.hpp>

#include <utility>

#include <freshet/subject.hpp>

#include "base/random_id.hpp"
#include "jetstream/consume/consumer_source.hpp"
#include "jetstream/consume/push_flow.hpp"
#include "jetstream/consume/source_checks.hpp"

namespace freshet::js {
namespace {

detail::ConsumerSpec spec_of(const Push& options, const Subject& subject, const std::string& inbox_prefix) {
    detail::ConsumerSpec spec{.stream = options.stream.name(),
                              .name = options.ephemeral ? detail::random_id() : options.durable,
                              .declare = options.ephemeral ? Declare::create_if_missing : options.declare,
                              .wanted = detail::consumer_for(options.consumer, subject, detail::lifetime_of(options))};
    if (!options.ephemeral) spec.wanted["durable_name"] = spec.name;
    if (!options.queue.empty()) spec.wanted["deliver_group"] = options.queue;
    // A queue group has neither: each heartbeat would reach one member only, and no member could say that all keep up.
    if (options.queue.empty()) {
        spec.wanted["idle_heartbeat"] = std::chrono::nanoseconds{options.heartbeat}.count();
        if (options.flow_control) spec.wanted["flow_control"] = true;
    }
    // One subject for all members, whichever of them makes the consumer, or makes it anew.
    spec.fresh = [subject = inbox_prefix + ".push." + spec.stream + '.' + spec.name] {
        return detail::Json{{"deliver_subject", subject}};
    };
    return spec;
}

void check(const Push& options, const Subject& subject, Binder& binder) {
    detail::check_lifetime("js::Push", options.durable, detail::lifetime_of(options), options.consumer, binder);
    detail::check_name("stream", options.stream.name(), binder);
    if (!options.queue.empty()) detail::check_name("queue", options.queue, binder);
    if (options.ephemeral && !options.queue.empty())
        binder.problem("js::Push with a `queue` needs a `durable` consumer for its members to share");
    if (options.consumer.priority_policy != PriorityPolicy::none)
        binder.problem("js::Push cannot have priority groups; use js::Pull");
    if (options.heartbeat < std::chrono::milliseconds{100}) binder.problem("js::Push::heartbeat is less than 100 ms");
    detail::check_consumer_config(options.consumer, subject, binder);
    detail::check_retry(options.retry, binder);
    if (options.max_extension.count() < 0) binder.problem("js::Push::max_extension is negative");
}

}  // namespace

detail::SourceSpec linked_source(Push options) {
    auto run = detail::run_options(options.workers, options.ordered_by, options.batch, options.about);
    run.on_lost = options.on_lost;
    detail::ConsumerSourceSettings settings{
        .stream = options.stream,
        .group = options.durable,
        .check = [options](const Subject& subject, Binder& binder) { check(options, subject, binder); },
        .spec = [options](const Subject& subject,
                          const std::string& inbox_prefix) { return spec_of(options, subject, inbox_prefix); },
        .policy = [](const detail::JsApi&) { return std::make_unique<detail::PushFlow>(); },
        .push = true,
        .consumer = options.consumer,
        .declare = options.declare,
        .workers = options.workers,
        .settlement = {options.ack_policy.value_or(AckPolicy::nack_on_error), options.retry},
        .context = options.context,
        .max_extension = options.max_extension,
        .quiet = options.ack_policy.has_value(),
        .durable = options.durable,
        .queue = options.queue};
    return {std::move(run), std::make_unique<detail::ConsumerSource>(std::move(settings))};
}

}  // namespace freshet::js
