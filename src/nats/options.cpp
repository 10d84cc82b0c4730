// SPDX-License-Identifier: Apache-2.0
#include "nats/options.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <system_error>
#include <variant>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "base/quoted.hpp"
#include "nats/nkey.hpp"
#include "nats/socket.hpp"
#include "nats/status.hpp"
#include "nats/url.hpp"

namespace freshet::detail::nats {
namespace {

constexpr std::size_t small_reconnect_buffer = 64 * 1024;  // for a connection that publishes nothing

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

int to_int(std::size_t value) {
    return static_cast<int>(std::min<std::size_t>(value, std::numeric_limits<int>::max()));
}

void require(natsStatus status, std::string_view what) {
    if (status != NATS_OK) raise({Errc::bad_setup, fmt::format("{}: {}", what, last_failure(status).detail)});
}

std::string read_file(const std::string& path, std::string_view what) {
    std::error_code ignored;
    const bool directory = std::filesystem::is_directory(path, ignored);  // a stream would open it and throw later
    errno = 0;
    std::ifstream in{path, std::ios::binary};
    if (in.is_open() && !directory) return {std::istreambuf_iterator<char>{in}, {}};
    const auto why = std::generic_category().message(directory ? EISDIR : errno);
    raise({Errc::bad_setup, fmt::format("cannot read the {} \"{}\": {}", what, path, why)});
}

std::string program_name() { return ::program_invocation_short_name; }

void set_servers(natsOptions* native, const BrokerOptions& options) {
    const auto servers = servers_of(options);
    std::vector<const char*> texts;
    bool tls = options.tls.enabled;
    for (const auto& server : servers) {
        tls = value_or_raise(ServerUrl::parse(server)).scheme == "tls" || tls;
        texts.push_back(server.c_str());
    }
    require(natsOptions_SetServers(native, texts.data(), to_int(texts.size())), "BrokerOptions::servers");
    if (tls) require(natsOptions_SetSecure(native, true), "BrokerOptions::tls");
}

void set_tls(natsOptions* native, const TlsOptions& tls) {
    if (tls.handshake_first) {
#ifdef FRESHET_HAS_NATSOPTIONS_TLSHANDSHAKEFIRST
        require(natsOptions_TLSHandshakeFirst(native), "TlsOptions::handshake_first");
#else
        raise({Errc::bad_setup, "TlsOptions::handshake_first needs cnats 3.9 or newer, and this is " NATS_VERSION_STRING
                                "; leave it out, or update cnats"});
#endif
    }
    if (!tls.ca_file.empty()) {
        require(natsOptions_LoadCATrustedCertificates(native, tls.ca_file.c_str()),
                fmt::format("TlsOptions::ca_file \"{}\"", tls.ca_file));
    }
    if (tls.certificate.empty() != tls.private_key.empty()) {
        raise({Errc::bad_setup, "TlsOptions::certificate and TlsOptions::private_key go together; set both or none"});
    }
    if (!tls.certificate.empty()) {
        require(natsOptions_LoadCertificatesChain(native, tls.certificate.c_str(), tls.private_key.c_str()),
                fmt::format("TlsOptions::certificate \"{}\" with private_key \"{}\"", tls.certificate,
                            tls.private_key));
    }
    if (const auto* verify = std::get_if<VerifyServer>(&tls.verify)) {
        if (!verify->expected_name.empty()) {
            require(natsOptions_SetExpectedHostname(native, verify->expected_name.c_str()),
                    "VerifyServer::expected_name");
        }
    } else {
        require(natsOptions_SkipServerVerification(native, true), "SkipServerVerification");
    }
}

void set_nkey_file(natsOptions* native, const std::string& path) {
    auto content = read_file(path, "nkey seed file");
    auto seed = seed_in(content);
    OPENSSL_cleanse(content.data(), content.size());
    if (!seed)
        raise({Errc::bad_setup,
               fmt::format("the nkey seed file \"{}\" cannot be used: {}", path, seed.error().what())});
    const auto key = public_nkey(*seed);
    OPENSSL_cleanse(seed->data(), seed->size());
    require(natsOptions_SetNKeyFromSeed(native, value_or_raise(Expected<std::string>{key}).c_str(), path.c_str()),
            "NkeyFile");
}

void set_creds_content(natsOptions* native, const std::string& content) {
#ifdef FRESHET_HAS_NATSOPTIONS_SETUSERCREDENTIALSFROMMEMORY
    require(natsOptions_SetUserCredentialsFromMemory(native, content.c_str()), "CredsMemory");
#else
    static_cast<void>(native);
    static_cast<void>(content);
    raise({Errc::bad_setup,
           "CredsMemory needs cnats 3.6 or newer, and this is " NATS_VERSION_STRING "; use CredsFile"});
#endif
}

void set_credentials(natsOptions* native, const Credentials& credentials, const Callbacks& callbacks) {
    const Overloaded set{
        [](const std::monostate&) {},
        [&](const UserPassword& c) {
            require(natsOptions_SetUserInfo(native, c.user.c_str(), c.password.c_str()), "UserPassword");
        },
        [&](const Token& c) { require(natsOptions_SetToken(native, c.token.c_str()), "Token"); },
        [&](const NkeySeed& c) { callbacks.install_signature(native, value_or_raise(public_nkey(c.seed))); },
        [&](const NkeyFile& c) { set_nkey_file(native, c.path); },
        [&](const CredsFile& c) {
            auto content = read_file(c.path, "credentials file");  // cnats would not say why it failed
            OPENSSL_cleanse(content.data(), content.size());
            require(natsOptions_SetUserCredentialsFromFiles(native, c.path.c_str(), nullptr), "CredsFile");
        },
        [&](const CredsMemory& c) { set_creds_content(native, c.content); },
    };
    std::visit(set, credentials);
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
    if (kernel_limits_writes() && callbacks.install_sockets(native)) return;
    require(natsOptions_SetWriteDeadline(native, options.write_timeout.count()), "BrokerOptions::write_timeout");
}

}  // namespace

std::vector<std::string> servers_of(const BrokerOptions& options) {
    return options.servers.empty() ? std::vector<std::string>{"nats://localhost:4222"} : options.servers;
}

std::string name_of_credentials(const BrokerOptions& options) {
    for (const auto& server : options.servers) {
        const auto url = ServerUrl::parse(server);
        if (url && !url->user.empty()) return "user " + quoted(url->user);
    }
    const Overloaded name{
        [](const std::monostate&) -> std::string { return "a client without credentials"; },
        [](const UserPassword& c) { return "user " + quoted(c.user); },
        [](const Token&) -> std::string { return "the token"; },
        [](const NkeySeed& c) { return fmt::format("nkey {}", public_nkey(c.seed).value_or("?")); },
        [](const NkeyFile& c) { return fmt::format("the nkey of \"{}\"", c.path); },
        [](const CredsFile& c) { return fmt::format("the credentials of \"{}\"", c.path); },
        [](const CredsMemory&) -> std::string { return "the credentials"; },
    };
    return std::visit(name, options.credentials);
}

OptionsHandle make_options(const BrokerOptions& options, Lane lane, const Callbacks& callbacks) {
    OptionsHandle handle;
    require(natsOptions_Create(out(handle)), "cannot prepare the options of the connection");
    auto* native = handle.get();
    const auto name =
        (options.name.empty() ? program_name() : options.name) + (lane == Lane::deliveries ? " (deliveries)" : "");
    require(natsOptions_SetName(native, name.c_str()), "BrokerOptions::name");
    set_servers(native, options);
    set_tls(native, options.tls);
    set_credentials(native, options.credentials, callbacks);
    set_reconnect(native, options.reconnect, lane);
    set_limits(native, options);
    set_write_limit(native, options, callbacks);
    // Set in both cases, because the environment can change cnats's default.
    require(natsOptions_UseGlobalMessageDelivery(native, lane == Lane::deliveries),
            "cannot choose the pool of delivery threads");
    callbacks.install(native);
    return handle;
}

std::string seed_of(const BrokerOptions& options) {
    const auto* nkey = std::get_if<NkeySeed>(&options.credentials);
    return nkey != nullptr ? nkey->seed : std::string{};
}

}  // namespace freshet::detail::nats
