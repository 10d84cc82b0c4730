// SPDX-License-Identifier: Apache-2.0
#include "nats/greeting.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/flat_json.hpp"

namespace freshet::detail::nats {
namespace {

template <class T>
void take(const FlatJson& info, std::string_view field, T& out) {
    if (const auto* const found = info.find_as<T>(field)) out = *found;
}

template <class Number>
void take_number(const FlatJson& info, std::string_view field, Number& out) {
    if (const auto* const found = info.find_as<std::uint64_t>(field)) out = static_cast<Number>(*found);
}

ServerInfo server_in(std::string_view line) {
    ServerInfo server;
    const auto info = FlatJson::read(line);
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
