// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/services.hpp>

#include "describe/json.hpp"

// The messages of ADR-32, written strictly and read leniently: what another library leaves out, or writes as null, does
// not hide the service.
namespace freshet::detail {

/// What somebody asks a service.
enum class Question : std::uint8_t { ping, info, stats };

/// Returns "PING", "INFO" or "STATS", as it stands in the subject.
std::string_view verb_of(Question question) noexcept;
/// Returns the subject of a question to all services, to those of a name, or to one instance.
std::string question_subject(std::string_view prefix, Question question, std::string_view name = {},
                             std::string_view id = {});

std::string text_of(const ServiceId& id);
std::string text_of(const ServiceInfo& info);
std::string text_of(const ServiceStats& stats);

/// Return what an answer says; nothing if it is not one to that question.
std::optional<ServiceId> service_id_from(const Json& json);
std::optional<ServiceInfo> service_info_from(const Json& json);
std::optional<ServiceStats> service_stats_from(const Json& json);

}  // namespace freshet::detail
