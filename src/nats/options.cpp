// SPDX-License-Identifier: Apache-2.0
#include "nats/options.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <variant>

#include <fmt/format.h>

#include "nats/require.hpp"
#include "nats/socket.hpp"
#include "nats/tls.hpp"
#include "nats/url.hpp"

namespace freshet::detail::nats {
namespace {

constexpr std::size_t small_reconnect_buffer = 64 * 1024;  // for a connection that publishes nothing

int to_int(std::size_t value) {
    return static_cast<int>(std::min<std::size_t>(value, std::numeric_limits<int>::max()));
}

/// Returns whether the URL is that of the server with the address "host:port".
bool is_server(const std::string& server, std::string_view address) {
    const auto url = ServerUrl::parse(server);
    return url && address_of(url->host, url->port) == address;
}

std::string program_name() { return ::program_invocation_short_name; }

void set_servers(natsOptions* native, const BrokerOptions& options, std::string_view first) {
    auto servers = servers_of(options);
    // The server that another connection of this broker has reached comes first, so that one which does not answer is
    // waited for once.
    if (!first.empty())
        std::ranges::stable_partition(servers, [&](const auto& server) { return is_server(server, first); });
    std::vector<std::string> texts;
    bool tls = options.tls.enabled;
    for (const auto& server : servers) {
        tls = value_or_raise(ServerUrl::parse(server)).scheme == "tls" || tls;
        texts.push_back(url_for_connect(server));
    }
    std::vector<const char*> pointers;
    for (const auto& text : texts) pointers.push_back(text.c_str());
    require(natsOptions_SetServers(native, pointers.data(), to_int(pointers.size())), "BrokerOptions::servers");
    require(natsOptions_SetNoRandomize(native, options.no_randomize || !first.empty()), "BrokerOptions::no_randomize");
    if (tls) require(natsOptions_SetSecure(native, true), "BrokerOptions::tls");
}

void set_credentials(natsOptions* native, const Credentials& credentials, CredentialSource& source,
                     const Callbacks& callbacks) {
    value_or_raise(source.refresh());
    if (const auto* user = std::get_if<UserPassword>(&credentials)) {
        require(natsOptions_SetUserInfo(native, json_text(user->user).c_str(), json_text(user->password).c_str()),
                "UserPassword");
    } else if (const auto* token = std::get_if<Token>(&credentials)) {
        require(natsOptions_SetToken(native, json_text(token->token).c_str()), "Token");
    } else if (source.has_token()) {
        callbacks.install_token(native);
    } else if (source.has_jwt()) {
        callbacks.install_jwt(native);
    } else if (source.has_nkey()) {
        callbacks.install_signature(native, value_or_raise(source.public_key()));
    }
}

void set_reconnect(natsOptions* native, const ReconnectOptions& reconnect, Lane lane) {
    const auto buffer =
        lane == Lane::replies ? std::max<std::size_t>(reconnect.buffer_bytes, 1) : small_reconnect_buffer;
    require(natsOptions_SetAllowReconnect(native, reconnect.enabled), "ReconnectOptions::enabled");
    require(natsOptions_SetMaxReconnect(native, reconnect.max_attempts), "ReconnectOptions::max_attempts");
    require(natsOptions_SetReconnectBufSize(native, to_int(buffer)), "ReconnectOptions::buffer_bytes");
#ifdef FRESHET_HAS_NATSOPTIONS_SETIGNOREAUTHERRORABORT
    // Keeps cnats from giving up after two refusals in a row: credentials may be rotated while the connection is lost.
    require(natsOptions_SetIgnoreAuthErrorAbort(native, reconnect.enabled), "ReconnectOptions::enabled");
#endif
#ifdef FRESHET_HAS_NATSOPTIONS_SETRECONNECTONPROTOCOLERROR
    require(natsOptions_SetReconnectOnProtocolError(native, reconnect.enabled), "ReconnectOptions::enabled");
#endif
}

void set_limits(natsOptions* native, const BrokerOptions& options) {
    require(natsOptions_SetTimeout(native, options.connect_timeout.count()), "BrokerOptions::connect_timeout");
    require(natsOptions_SetPingInterval(native, options.ping_interval.count()), "BrokerOptions::ping_interval");
    require(natsOptions_SetMaxPingsOut(native, options.max_pings_out), "BrokerOptions::max_pings_out");
    require(natsOptions_SetIOBufSize(native, to_int(options.io_buffer_bytes)), "BrokerOptions::io_buffer_bytes");
    require(natsOptions_SetNoEcho(native, options.no_echo), "BrokerOptions::no_echo");
}

/// Sets the write deadline. Leaves it to the kernel where possible, because cnats's own reads the clock at each
/// publication.
void set_write_limit(natsOptions* native, const BrokerOptions& options, const Callbacks& callbacks) {
    const bool own_sockets = (kernel_limits_writes() || options.dial) && callbacks.install_sockets(native);
    if (options.dial && !own_sockets)
        raise({Errc::bad_setup, "BrokerOptions::dial needs a newer cnats than this, " NATS_VERSION_STRING});
    if (kernel_limits_writes() && own_sockets) return;
    require(natsOptions_SetWriteDeadline(native, options.write_timeout.count()), "BrokerOptions::write_timeout");
}

}  // namespace

std::vector<std::string> servers_of(const BrokerOptions& options) {
    return options.servers.empty() ? std::vector<std::string>{"nats://localhost:4222"} : options.servers;
}

OptionsHandle make_options(const BrokerOptions& options, Lane lane, CredentialSource& credentials,
                           const Callbacks& callbacks, std::string_view first_server) {
    OptionsHandle handle;
    require(natsOptions_Create(out(handle)), "cannot prepare the options of the connection");
    auto* native = handle.get();
    const auto name =
        (options.name.empty() ? program_name() : options.name) + (lane == Lane::deliveries ? " (deliveries)" : "");
    require(natsOptions_SetName(native, json_text(name).c_str()), "BrokerOptions::name");
    set_servers(native, options, first_server);
    set_tls(native, options.tls);
    set_credentials(native, options.credentials, credentials, callbacks);
    set_reconnect(native, options.reconnect, lane);
    set_limits(native, options);
    set_write_limit(native, options, callbacks);
    // Set in both cases, because the environment can change cnats's default.
    require(natsOptions_UseGlobalMessageDelivery(native, lane == Lane::deliveries),
            "cannot choose the pool of delivery threads");
    callbacks.install(native);
    return handle;
}

}  // namespace freshet::detail::nats
