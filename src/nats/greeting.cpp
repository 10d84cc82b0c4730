// SPDX-License-Identifier: Apache-2.0
#include "nats/greeting.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <nlohmann/json.hpp>

namespace freshet::detail::nats {
namespace {

using Json = nlohmann::json;

void take(const Json& info, const char* field, std::string& out) {
    const auto found = info.find(field);
    if (found != info.end() && found->is_string()) out = found->get_ref<const std::string&>();
}

void take(const Json& info, const char* field, bool& out) {
    const auto found = info.find(field);
    if (found != info.end() && found->is_boolean()) out = found->get<bool>();
}

template <class Number>
void take_number(const Json& info, const char* field, Number& out) {
    const auto found = info.find(field);
    if (found != info.end() && found->is_number_unsigned()) out = static_cast<Number>(found->get<std::uint64_t>());
}

ServerInfo server_in(std::string_view line) {
    ServerInfo server;
    const auto info = Json::parse(line, nullptr, false);
    if (!info.is_object()) return server;
    take(info, "server_id", server.id);
    take(info, "server_name", server.name);
    take(info, "version", server.version);
    take(info, "cluster", server.cluster);
    take(info, "domain", server.domain);
    take(info, "headers", server.headers);
    take(info, "jetstream", server.jetstream);
    take_number(info, "api_lvl", server.api_level);
    take_number(info, "max_payload", server.max_payload);
    take_number(info, "client_id", server.client_id);
    bool required = false;
    take(info, "tls_required", required);
    take(info, "tls_available", server.tls);
    server.tls = server.tls || required;
    return server;
}

}  // namespace

Greeting read_greeting(std::string_view text) {
    Greeting greeting;
    constexpr std::string_view info = "INFO ";
    constexpr std::string_view error = "-ERR '";
    while (!text.empty()) {
        const auto end = std::min(text.find("\r\n"), text.size());
        const auto line = text.substr(0, end);
        if (line.starts_with(info)) greeting.server = server_in(line.substr(info.size()));
        if (line.starts_with(error)) greeting.refusal = line.substr(error.size(), line.rfind('\'') - error.size());
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    return greeting;
}

}  // namespace freshet::detail::nats
