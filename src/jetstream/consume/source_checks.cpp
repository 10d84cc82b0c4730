// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/source_checks.hpp"

#include <limits>

#include <freshet/subject.hpp>

#include "base/quoted.hpp"
#include "subject/subject_sets.hpp"

namespace freshet::detail {
namespace {

// The server gets nanoseconds, whose range ends at 292 years; no program needs more than this.
constexpr std::chrono::milliseconds longest_backoff{std::chrono::hours{24 * 365}};

}  // namespace

void check_name(std::string_view kind, std::string_view name, Binder& binder) {
    if (const auto valid = check_js_name(kind, name); !valid) binder.problem(std::string{valid.error().message()});
}

void check_lifetime(std::string_view who, std::string_view durable, Lifetime lifetime, const js::ConsumerConfig& config,
                    Binder& binder) {
    const bool ephemeral = lifetime == Lifetime::ephemeral;
    if (ephemeral == !durable.empty())
        binder.problem(std::string{who} + " needs either `durable`, a consumer's name, or `ephemeral = true`");
    if (!durable.empty()) check_name("consumer", durable, binder);
    if (ephemeral && !config.deliver) {
        binder.problem(std::string{who} +
                       " with `ephemeral` needs `consumer.deliver`; Deliver::all is the whole stream "
                       "at each start, Deliver::fresh only what comes later");
    }
}

SubscriberOptions run_options(std::size_t workers, const OrderKey& ordered_by, const Batch& batch, const About& about) {
    constexpr auto unlimited = std::numeric_limits<std::size_t>::max();
    return {.workers = workers,
            .ordered_by = ordered_by,
            .dedicated = true,
            .max_pending_messages = unlimited,
            .max_pending_bytes = unlimited,
            .batch = batch,
            .about = about};
}

void check_consumer_config(const js::ConsumerConfig& config, const Subject& subject, Binder& binder) {
    for (const auto& filter : config.filter_subjects) {
        if (!Subject::parse(filter)) binder.problem("filter subject " + detail::quoted(filter) + " is not a subject");
        else if (!covers(subject.wire(), filter))
            binder.problem("filter subject " + detail::quoted(filter) +
                           " has messages that the subscriber's subject does not match");
    }
    if ((config.deliver == js::Deliver::from_sequence) != (config.start_sequence != 0))
        binder.problem("Deliver::from_sequence and start_sequence go together; set both or none");
    if ((config.deliver == js::Deliver::from_time) != config.start_time.has_value())
        binder.problem("Deliver::from_time and start_time go together; set both or none");
    if ((config.priority_policy == js::PriorityPolicy::none) != config.priority_groups.empty())
        binder.problem("priority_policy and priority_groups go together; set both or none");
    if (config.acks == js::Acks::flow_control || !config.deliver_subject.empty()) {
        binder.problem("Acks::flow_control and ConsumerConfig::deliver_subject are for a consumer that another stream "
                       "reads through: make it with Consumer::declare, and name it in StreamSource::consumer");
    }
    if (!config.backoff.empty() && config.max_deliver > 0 &&
        config.backoff.size() >= static_cast<std::size_t>(config.max_deliver)) {
        binder.problem("ConsumerConfig::backoff has " + std::to_string(config.backoff.size()) +
                       " steps; max_deliver must be larger than that");
    }
}

void check_retry(const js::Retry& retry, Binder& binder) {
    if (!retry.dead_letter.empty() && check_subject(retry.dead_letter) != SubjectFault::none)
        binder.problem("retry.dead_letter " + detail::quoted(retry.dead_letter) + " is not a subject to publish to");
    if (const auto& stream = retry.dead_letter_stream.name(); !stream.empty()) {
        check_name("stream", stream, binder);
        if (retry.dead_letter.empty())
            binder.problem("retry.dead_letter_stream is " + detail::quoted(stream) +
                           ", and retry.dead_letter, the subject that it stores, is empty; set both");
    }
    for (const auto wait : retry.backoff) {
        if (wait.count() < 0) binder.problem("retry.backoff has a negative delay");
        if (wait > longest_backoff)
            binder.problem("retry.backoff has a delay of " + std::to_string(wait.count()) +
                           " ms; the longest is a year");
    }
}

}  // namespace freshet::detail
