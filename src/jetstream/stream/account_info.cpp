// SPDX-License-Identifier: Apache-2.0
#include "jetstream/stream/account_info.hpp"

namespace freshet::detail {
namespace {

js::AccountUsage usage_from_json(const Json& json) {
    return {.memory = field<std::uint64_t>(json, "memory"),
            .storage = field<std::uint64_t>(json, "storage"),
            .reserved_memory = field<std::uint64_t>(json, "reserved_memory"),
            .reserved_storage = field<std::uint64_t>(json, "reserved_storage"),
            .streams = field<std::uint64_t>(json, "streams"),
            .consumers = field<std::uint64_t>(json, "consumers")};
}

/// 0 is no limit where the server says so, as it does for the bytes of one stream.
std::int64_t limit(const Json& json, const char* key) {
    const auto value = field<std::int64_t>(json, key, -1);
    return value == 0 ? -1 : value;
}

js::AccountLimits limits_from_json(const Json& json) {
    return {.max_memory = field<std::int64_t>(json, "max_memory", -1),
            .max_storage = field<std::int64_t>(json, "max_storage", -1),
            .max_streams = field<std::int64_t>(json, "max_streams", -1),
            .max_consumers = field<std::int64_t>(json, "max_consumers", -1),
            .max_ack_pending = limit(json, "max_ack_pending"),
            .memory_max_stream_bytes = limit(json, "memory_max_stream_bytes"),
            .storage_max_stream_bytes = limit(json, "storage_max_stream_bytes"),
            .max_bytes_required = field<bool>(json, "max_bytes_required")};
}

}  // namespace

Expected<js::AccountInfo> account_info(const JsApi& api) {
    const auto answer = api.call("INFO", "look up the account");
    if (!answer) return std::unexpected{answer.error()};
    const auto object = [&](const char* key) { return field<Json>(*answer, key, Json::object()); };
    const auto counts = object("api");
    js::AccountInfo info{.usage = usage_from_json(*answer),
                         .limits = limits_from_json(object("limits")),
                         .domain = field<std::string>(*answer, "domain"),
                         .api_level = field<int>(counts, "level"),
                         .api_requests = field<std::uint64_t>(counts, "total"),
                         .api_errors = field<std::uint64_t>(counts, "errors")};
    const auto tiers = object("tiers");
    for (const auto& [name, tier] : tiers.items()) {
        info.tiers[name] = {.usage = usage_from_json(tier),
                            .limits = limits_from_json(field<Json>(tier, "limits", Json::object()))};
    }
    return info;
}

}  // namespace freshet::detail
