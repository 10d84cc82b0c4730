// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string_view>

#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {

/// Returns the configuration of a stream completed with the server's defaults, or an error. Refuses by name a setting
/// that is not simulated.
std::expected<nlohmann::json, ApiError> complete_stream(std::string_view name, nlohmann::json config);

/// Returns the configuration of a consumer of a stream completed with the server's defaults, or an error. Refuses by
/// name a setting that is not simulated.
std::expected<nlohmann::json, ApiError> complete_consumer(nlohmann::json config, const nlohmann::json& stream);

/// Returns an error if an update of a stream or a consumer changes a setting that may not change.
std::optional<ApiError> check_stream_update(const nlohmann::json& from, const nlohmann::json& to);
std::optional<ApiError> check_consumer_update(const nlohmann::json& from, const nlohmann::json& to);

/// Returns whether consumers of both configurations could get the same message.
bool filters_overlap(const nlohmann::json& a, const nlohmann::json& b);

/// Parses seconds, or a duration as Go writes it: "90", "1m30s", "1.5h". Nothing if it is neither.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace freshet::detail
