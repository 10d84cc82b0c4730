// SPDX-License-Identifier: Apache-2.0
// The settings of a consumer. To add one, add a member to js::ConsumerConfig and its line here. The JSON, the check of
// the server's version, the comparison with an existing consumer, and the memory server read the line;
// tests/jetstream/consume/consumer_settings_test.cpp checks all lines.
#pragma once

#include <chrono>
#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

#include <freshet/js/consumer_config.hpp>

#include "jetstream/api/setting_fields.hpp"

namespace freshet::js {

inline auto names(Deliver) {
    static constexpr detail::ValueNames<Deliver> all{{Deliver::all, "all"},
                                                     {Deliver::fresh, "new"},
                                                     {Deliver::last, "last"},
                                                     {Deliver::last_per_subject, "last_per_subject"},
                                                     {Deliver::from_sequence, "by_start_sequence"},
                                                     {Deliver::from_time, "by_start_time"}};
    return all;
}
inline auto names(Acks) {
    static constexpr detail::ValueNames<Acks> all{{Acks::explicit_, "explicit"},
                                                  {Acks::none, "none"},
                                                  {Acks::all, "all"},
                                                  {Acks::flow_control, "flow_control", "2.14"}};
    return all;
}
inline auto names(Replay) {
    static constexpr detail::ValueNames<Replay> all{{Replay::instant, "instant"}, {Replay::original, "original"}};
    return all;
}
inline auto names(PriorityPolicy) {
    static constexpr detail::ValueNames<PriorityPolicy> all{{PriorityPolicy::none, "none"},
                                                            {PriorityPolicy::overflow, "overflow"},
                                                            {PriorityPolicy::pinned_client, "pinned_client"},
                                                            {PriorityPolicy::prioritized, "prioritized", "2.12"}};
    return all;
}

/// Visits each setting; SettingTraits explains the properties.
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, ConsumerConfig>
void fields(T& config, Visit& visit) {
    visit("deliver_policy", config.deliver, {.fixed = true, .simulated = true});
    visit("opt_start_seq", config.start_sequence, {.fixed = true, .simulated = true});
    visit("opt_start_time", config.start_time, {.fixed = true, .simulated = true});
    visit("filter_subjects", config.filter_subjects, {.since = "2.10", .simulated = true});  // one is filter_subject
    visit("ack_policy", config.acks, {.fixed = true, .simulated = true});
    visit("replay_policy", config.replay, {.fixed = true, .simulated = true});
    visit("headers_only", config.headers_only, {.removable = true, .simulated = true});
    visit("ack_wait", config.ack_wait, {.simulated = true});
    visit("max_ack_pending", config.max_ack_pending, {.simulated = true});
    visit("max_deliver", config.max_deliver, {.removable = true, .simulated = true});
    visit("backoff", config.backoff, {.removable = true, .simulated = true});
    visit("inactive_threshold", config.inactive_threshold, {.removable = true, .simulated = true});
    visit("max_waiting", config.max_waiting, {.fixed = true, .simulated = true});
    visit("max_batch", config.max_request_batch, {.removable = true, .simulated = true});
    visit("max_bytes", config.max_request_bytes, {.removable = true, .simulated = true});
    visit("max_expires", config.max_request_expires, {.removable = true, .simulated = true});
    visit("rate_limit_bps", config.rate_limit, {.removable = true});
    visit("sample_freq", config.sample_frequency, {.removable = true});
    visit("num_replicas", config.replicas, {.simulated = true});
    visit("mem_storage", config.memory_storage, {.removable = true, .simulated = true});
    visit("priority_policy", config.priority_policy, {.since = "2.11", .removable = true, .simulated = true});
    visit("priority_groups", config.priority_groups, {.since = "2.11", .removable = true, .simulated = true});
    visit("priority_timeout", config.priority_timeout, {.since = "2.11", .simulated = true});
    visit("pause_until", config.pause_until, {.since = "2.11", .at_creation = true, .simulated = true});
    visit("description", config.description, {.removable = true, .simulated = true});
    visit("metadata", config.metadata, {.since = "2.10", .simulated = true});
    visit("deliver_subject", config.deliver_subject, {.simulated = true});
}

}  // namespace freshet::js

namespace freshet::detail {

/// The settings that are no members of ConsumerConfig, because the code that uses the consumer sets them.
struct ConsumerIdentity {
    std::string name = {};
    std::string durable_name = {};
    std::string filter_subject = {};  ///< instead of a list of one
    std::string deliver_group = {};
    bool flow_control = false;
    std::chrono::nanoseconds idle_heartbeat = {};
};

template <class Visit>
void fields(const ConsumerIdentity& identity, Visit& visit) {
    visit("name", identity.name, {.simulated = true});
    visit("durable_name", identity.durable_name, {.fixed = true, .simulated = true});
    visit("filter_subject", identity.filter_subject, {.simulated = true});
    visit("deliver_group", identity.deliver_group, {.simulated = true});
    visit("flow_control", identity.flow_control, {.fixed = true, .simulated = true});
    visit("idle_heartbeat", identity.idle_heartbeat, {.fixed = true, .simulated = true});
}

/// Returns the filters of a configuration, whichever of its two settings has them.
inline std::vector<std::string> filters_of(const Json& config) {
    std::vector<std::string> filters;
    const auto add = [&](const Json& filter) {
        if (filter.is_string() && filter != "") filters.push_back(filter);
    };
    const SettingReader reader{config};
    if (const auto* several = reader.find("filter_subjects"); several != nullptr && several->is_array())
        for (const auto& filter : *several) add(filter);
    if (const auto* one = reader.find("filter_subject")) add(*one);
    return filters;
}

/// Returns the lines of a consumer's table.
inline const std::vector<SettingLine>& consumer_setting_lines() {
    static const auto all = [] {
        SettingLines collected;
        const js::ConsumerConfig config;
        fields(config, collected);
        const ConsumerIdentity identity;
        fields(identity, collected);
        return std::move(collected.lines);
    }();
    return all;
}

}  // namespace freshet::detail
