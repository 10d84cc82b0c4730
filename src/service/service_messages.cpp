// SPDX-License-Identifier: Apache-2.0
#include "service/service_messages.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include <freshet/codec.hpp>
#include <freshet/json.hpp>

namespace freshet::detail {
namespace {

struct Started {
    std::chrono::system_clock::time_point started = {};
};
FRESHET_JSON(Started, started);

constexpr std::array<std::string_view, 3> verbs{"PING", "INFO", "STATS"};
constexpr std::array<std::string_view, 3> types{"io.nats.micro.v1.ping_response", "io.nats.micro.v1.info_response",
                                                "io.nats.micro.v1.stats_response"};

std::string_view type_of(Question question) noexcept { return types[static_cast<std::size_t>(question)]; }

Json head_of(Question question, const ServiceId& service) {
    return {{"type", type_of(question)},
            {"name", service.name},
            {"id", service.id},
            {"version", service.version},
            {"metadata", service.metadata}};
}

/// Returns a time as RFC 3339, with microseconds: nats.py reads neither more digits nor none.
std::string time_text(std::chrono::system_clock::time_point time) {
    const auto exact = std::chrono::floor<std::chrono::microseconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(exact);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{exact - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::chrono::system_clock::time_point time_from(const Json& json) {
    Started read;
    const auto text = Json{{"started", json}}.dump();
    return decode_body(as_bytes(text), content_type(Format::json), read) ? read.started : Started{}.started;
}

/// Returns a member as text, "" if it is none.
std::string text(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// Returns a member as a number, 0 if it is none. Some libraries write nanoseconds with a fraction.
std::uint64_t number(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number()) return 0;
    if (found->is_number_unsigned()) return found->get<std::uint64_t>();
    const auto value = found->get<double>();
    return value > 0 && value < 1.8e19 ? static_cast<std::uint64_t>(std::round(value)) : 0;
}

std::chrono::nanoseconds time(const Json& json, const char* key) {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(number(json, key) & 0x7fff'ffff'ffff'ffffU)};
}

std::map<std::string, std::string> metadata(const Json& json) {
    std::map<std::string, std::string> all;
    const auto found = json.find("metadata");
    if (found == json.end() || !found->is_object()) return all;
    for (const auto& [key, value] : found->items())
        all.emplace(key, value.is_string() ? value.get<std::string>() : value.dump());
    return all;
}

/// Calls `take` for each endpoint in an answer.
template <class Take>
void each_endpoint(const Json& json, Take take) {
    const auto found = json.find("endpoints");
    if (found == json.end() || !found->is_array()) return;
    for (const auto& one : *found)
        if (one.is_object()) take(one);
}

/// Returns whose answer it is; nothing if it is none to this question.
std::optional<ServiceId> head_from(Question question, const Json& json) {
    if (!json.is_object() || text(json, "type") != type_of(question) || text(json, "name").empty()) return std::nullopt;
    return ServiceId{text(json, "name"), text(json, "id"), text(json, "version"), metadata(json)};
}

}  // namespace

std::string_view verb_of(Question question) noexcept { return verbs[static_cast<std::size_t>(question)]; }

std::string question_subject(std::string_view prefix, Question question, std::string_view name, std::string_view id) {
    auto subject = fmt::format("{}.{}", prefix, verb_of(question));
    for (const auto token : {name, id})
        if (!token.empty()) subject.append(1, '.').append(token);
    return subject;
}

std::string text_of(const ServiceId& id) { return head_of(Question::ping, id).dump(); }

std::string text_of(const ServiceInfo& info) {
    auto json = head_of(Question::info, info.service);
    json["description"] = info.description;
    auto& endpoints = json["endpoints"] = Json::array();
    for (const auto& one : info.endpoints)
        endpoints.push_back({{"name", one.name},
                             {"subject", one.subject},
                             {"queue_group", one.queue_group},
                             {"metadata", one.metadata}});
    return json.dump();
}

std::string text_of(const ServiceStats& stats) {
    auto json = head_of(Question::stats, stats.service);
    json["started"] = time_text(stats.started);
    auto& endpoints = json["endpoints"] = Json::array();
    for (const auto& one : stats.endpoints) {
        Json made{{"name", one.name},
                  {"subject", one.subject},
                  {"queue_group", one.queue_group},
                  {"num_requests", one.num_requests},
                  {"num_errors", one.num_errors},
                  {"last_error", one.last_error},
                  {"processing_time", one.processing_time.count()},
                  {"average_processing_time", one.average_processing_time.count()}};
        if (!one.data.empty()) made["data"] = Json::parse(one.data);
        endpoints.push_back(std::move(made));
    }
    return json.dump();
}

std::optional<ServiceId> service_id_from(const Json& json) { return head_from(Question::ping, json); }

std::optional<ServiceInfo> service_info_from(const Json& json) {
    auto service = head_from(Question::info, json);
    if (!service) return std::nullopt;
    ServiceInfo info{.service = *std::move(service), .description = text(json, "description")};
    each_endpoint(json, [&](const Json& one) {
        info.endpoints.push_back({text(one, "name"), text(one, "subject"), text(one, "queue_group"), metadata(one)});
    });
    return info;
}

std::optional<ServiceStats> service_stats_from(const Json& json) {
    auto service = head_from(Question::stats, json);
    if (!service) return std::nullopt;
    ServiceStats stats{.service = *std::move(service), .started = time_from(json.value("started", Json{}))};
    each_endpoint(json, [&](const Json& one) {
        const auto data = one.find("data");
        stats.endpoints.push_back({.name = text(one, "name"),
                                   .subject = text(one, "subject"),
                                   .queue_group = text(one, "queue_group"),
                                   .num_requests = number(one, "num_requests"),
                                   .num_errors = number(one, "num_errors"),
                                   .last_error = text(one, "last_error"),
                                   .processing_time = time(one, "processing_time"),
                                   .average_processing_time = time(one, "average_processing_time"),
                                   .data = data == one.end() || data->is_null() ? "" : data->dump()});
    });
    return stats;
}

}  // namespace freshet::detail
