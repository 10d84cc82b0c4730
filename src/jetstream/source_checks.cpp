// SPDX-License-Identifier: Apache-2.0
#include "source_checks.hpp"

#include <freshet/subject.hpp>

#include "../quoted.hpp"

namespace freshet::detail {

void check_name(std::string_view kind, std::string_view name, Binder& binder) {
    if (const auto valid = check_js_name(kind, name); !valid) binder.problem(std::string{valid.error().message()});
}

void check_consumer_config(const js::ConsumerConfig& config, Binder& binder) {
    for (const auto& subject : config.filter_subjects) {
        if (!Subject::parse(subject)) binder.problem("filter subject " + detail::quoted(subject) + " is not a subject");
    }
    if ((config.deliver == js::Deliver::from_sequence) != (config.start_sequence != 0))
        binder.problem("Deliver::from_sequence and start_sequence go together: set both or none");
    if ((config.deliver == js::Deliver::from_time) != config.start_time.has_value())
        binder.problem("Deliver::from_time and start_time go together: set both or none");
    if ((config.priority_policy == js::PriorityPolicy::none) != config.priority_groups.empty())
        binder.problem("priority_policy and priority_groups go together: set both or none");
    if (!config.backoff.empty() && config.max_deliver > 0 &&
        config.backoff.size() >= static_cast<std::size_t>(config.max_deliver)) {
        binder.problem("ConsumerConfig::backoff has " + std::to_string(config.backoff.size()) +
                       " steps: max_deliver must be larger than that");
    }
}

void check_retry(const js::Retry& retry, Binder& binder) {
    if (!retry.dead_letter.empty() && check_subject(retry.dead_letter) != SubjectFault::none)
        binder.problem("retry.dead_letter " + detail::quoted(retry.dead_letter) + " is not a subject to publish to");
    for (const auto wait : retry.backoff)
        if (wait.count() < 0) binder.problem("retry.backoff has a negative delay");
}

}  // namespace freshet::detail
