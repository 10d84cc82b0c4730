// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string_view>

#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {

/// The configuration of a stream with the server's defaults, or what is wrong with it: what is not simulated is refused by
/// its name.
std::expected<nlohmann::json, ApiError> complete_stream(std::string_view name, nlohmann::json config);

/// The same of a consumer of a stream with this configuration.
std::expected<nlohmann::json, ApiError> complete_consumer(nlohmann::json config, const nlohmann::json& stream);

/// What may not change in an update of a stream or a consumer.
std::optional<ApiError> check_stream_update(const nlohmann::json& from, const nlohmann::json& to);
std::optional<ApiError> check_consumer_update(const nlohmann::json& from, const nlohmann::json& to);

/// Whether a message exists that consumers of both configurations would get.
bool filters_overlap(const nlohmann::json& a, const nlohmann::json& b);

/// Seconds, or a duration as Go writes it: "90", "1m30s", "1.5h".
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace freshet::detail
