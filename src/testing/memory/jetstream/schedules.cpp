// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/jetstream/schedules.hpp"

#include <algorithm>

#include "jetstream/api/rfc3339.hpp"
#include "testing/memory/jetstream/settings.hpp"
#include "testing/memory/jetstream/stream.hpp"

namespace freshet::detail {
namespace {

constexpr std::string_view at_prefix = "@at ";
constexpr std::string_view every_prefix = "@every ";

ApiError bad_pattern(std::string why) { return {400, 10189, std::move(why)}; }

/// Returns whether a header stays with the schedule: it is about storing the schedule, not about the message to
/// publish.
bool stays(std::string_view name) {
    constexpr std::array<std::string_view, 5> own{"Nats-Schedule", "Nats-Expected", "Nats-Msg-Id", "Nats-TTL",
                                                  "Nats-Rollup"};
    return std::ranges::any_of(own, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

std::optional<ApiError> MemorySchedules::check(const Parcel& parcel, const nlohmann::json& config) {
    const auto pattern = parcel.headers.get("Nats-Schedule");
    if (!pattern) return std::nullopt;
    if (!config.value("allow_msg_schedules", false)) return ApiError{400, 10188, "message schedules is disabled"};
    if (pattern->starts_with(at_prefix)) {
        if (!parse_rfc3339(pattern->substr(at_prefix.size())))
            return bad_pattern("message schedules pattern is invalid");
    } else if (pattern->starts_with(every_prefix)) {
        const auto every = parse_duration(pattern->substr(every_prefix.size()));
        if (!every || *every < std::chrono::seconds{1}) return bad_pattern("message schedules pattern is invalid");
    } else {
        return bad_pattern("the memory server knows @at and @every, and no cron schedules");
    }
    const auto target = parcel.headers.get("Nats-Schedule-Target").value_or("");
    const auto takes = [&](const nlohmann::json& subject) {
        return wire_matches(subject.get_ref<const std::string&>(), target);
    };
    if (target.empty() || target == parcel.subject ||
        !std::ranges::any_of(config.value("subjects", nlohmann::json::array()), takes))
        return ApiError{400, 10190, "message schedules target is invalid"};
    return std::nullopt;
}

void MemorySchedules::add(const StoredParcel& stored) {
    const auto pattern = stored.parcel->headers.get("Nats-Schedule");
    if (!pattern) return;
    if (pattern->starts_with(at_prefix)) {
        const auto date = parse_rfc3339(pattern->substr(at_prefix.size()));
        due_[stored.sequence] = {.at = std::max(context_.time_of(*date), context_.now())};
    } else {
        const auto every = *parse_duration(pattern->substr(every_prefix.size()));
        due_[stored.sequence] = {.at = context_.now() + every, .every = every};
    }
}

TimePoint MemorySchedules::next_due() const {
    auto next = TimePoint::max();
    for (const auto& [sequence, entry] : due_) next = std::min(next, entry.at);
    return next;
}

std::vector<MemorySchedules::Due> MemorySchedules::take_due() {
    std::vector<std::pair<TimePoint, Due>> found;
    for (auto& [sequence, entry] : due_) {
        if (entry.at > context_.now()) continue;
        found.emplace_back(entry.at, Due{sequence, entry.every.count() == 0 ? Round::last : Round::another_follows});
        entry.at += entry.every;
    }
    std::ranges::stable_sort(found, {}, &std::pair<TimePoint, Due>::first);
    std::vector<Due> due;
    for (const auto& [at, one] : found) due.push_back(one);
    return due;
}

Parcel MemorySchedules::made_of(const Parcel& schedule, const Parcel* source, Round round) {
    const auto& content = source == nullptr ? schedule : *source;
    Parcel made;
    made.subject = schedule.headers.get("Nats-Schedule-Target").value_or("");
    made.payload = content.payload;
    for (const auto& [name, value] : content.headers)
        if (!stays(name)) made.headers.add(name, value);
    made.headers.set("Nats-Scheduler", schedule.subject);
    made.headers.set("Nats-Schedule-Next",
                     round == Round::last ? "purge" : schedule.headers.get("Nats-Schedule").value_or(""));
    if (const auto ttl = schedule.headers.get("Nats-Schedule-TTL")) made.headers.set("Nats-TTL", *ttl);
    if (const auto rollup = schedule.headers.get("Nats-Schedule-Rollup")) made.headers.set("Nats-Rollup", *rollup);
    return made;
}

}  // namespace freshet::detail
