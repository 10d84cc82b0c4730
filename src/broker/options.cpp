// SPDX-License-Identifier: Apache-2.0
#include "broker/options.hpp"

#include <utility>

#include <fmt/core.h>

#include <freshet/subject_grammar.hpp>

#include "base/quoted.hpp"
#include "base/without_secrets.hpp"
#include "broker/context_file.hpp"
#include "link/request_mux.hpp"

namespace freshet {
namespace {

using detail::variable;

constexpr std::string_view default_server = "nats://localhost:4222";

void override_with(std::string& field, std::string value) {
    if (!value.empty()) field = std::move(value);
}

/// Returns the path in an environment variable, of a file that can be read; empty if it is not set.
std::string file_variable(const char* name) {
    auto path = variable(name);
    detail::check_readable(name, path);
    return path;
}

Credentials credentials_of_environment() {
    std::vector<detail::NamedCredentials> given;
    if (const auto path = file_variable("NATS_CREDS"); !path.empty()) given.push_back({"NATS_CREDS", CredsFile{path}});
    if (const auto path = file_variable("NATS_NKEY"); !path.empty()) given.push_back({"NATS_NKEY", NkeyFile{path}});
    if (const auto token = variable("NATS_TOKEN"); !token.empty()) given.push_back({"NATS_TOKEN", Token{token}});
    if (const auto user = variable("NATS_USER"); !user.empty())
        given.push_back({"NATS_USER", UserPassword{user, variable("NATS_PASSWORD")}});
    else if (!variable("NATS_PASSWORD").empty())
        raise({Errc::bad_setup, "NATS_PASSWORD is set without NATS_USER; set both"});
    return detail::the_only(given, "");
}

bool none(const Credentials& credentials) { return std::holds_alternative<std::monostate>(credentials); }

bool has_userinfo(const std::vector<std::string>& servers) {
    for (const auto& server : servers)
        if (server.find('@') != std::string::npos) return true;
    return false;
}

void check_files(const BrokerOptions& options) {
    if (const auto* creds = std::get_if<CredsFile>(&options.credentials))
        detail::check_readable("credentials", creds->path);
    if (const auto* nkey = std::get_if<NkeyFile>(&options.credentials))
        detail::check_readable("credentials", nkey->path);
    detail::check_readable("tls.ca_file", options.tls.ca_file);
    detail::check_readable("tls.certificate", options.tls.certificate);
    detail::check_readable("tls.private_key", options.tls.private_key);
    if (options.tls.certificate.empty() != options.tls.private_key.empty())
        raise({Errc::bad_setup, "tls.certificate and tls.private_key go together; set both or none"});
}

void check_inbox_prefix(const std::string& prefix) {
    if (prefix.size() <= detail::RequestMux::max_prefix && check_subject(prefix) == SubjectFault::none) return;
    raise({Errc::bad_setup,
           fmt::format("inbox_prefix {} is not a subject of at most {} characters",
                       detail::quoted(detail::without_secrets(prefix)), detail::RequestMux::max_prefix)});
}

void check_times(const BrokerOptions& options) {
    const auto check = [](const char* name, std::chrono::milliseconds time) {
        if (time.count() < 0)
            raise({Errc::bad_setup, fmt::format("{} is {} ms; a time cannot be negative", name, time.count())});
    };
    check("connect_timeout", options.connect_timeout);
    check("start_timeout", options.start_timeout);
    check("stop_timeout", options.stop_timeout);
    check("request_timeout", options.request_timeout);
    check("ping_interval", options.ping_interval);
    check("write_timeout", options.write_timeout);
    check("reconnect.min_wait", options.reconnect.min_wait);
    check("reconnect.max_wait", options.reconnect.max_wait);
}

}  // namespace

BrokerOptions BrokerOptions::from_environment() {
    const auto context = variable("NATS_CONTEXT");
    BrokerOptions options = context.empty() ? BrokerOptions{} : from_context(context);
    if (const auto url = variable("NATS_URL"); !url.empty()) options.servers = detail::split_servers(url);
    if (auto credentials = credentials_of_environment(); !none(credentials))
        options.credentials = std::move(credentials);
    override_with(options.tls.ca_file, file_variable("NATS_CA"));
    override_with(options.tls.certificate, file_variable("NATS_CERT"));
    override_with(options.tls.private_key, file_variable("NATS_KEY"));
    if (variable("NATS_CERT").empty() != variable("NATS_KEY").empty())
        raise({Errc::bad_setup, "only one of NATS_CERT and NATS_KEY is set; set both or none"});
    override_with(options.inbox_prefix, variable("NATS_INBOX_PREFIX"));
    return options;
}

namespace detail {

BrokerOptions resolve(BrokerOptions options) {
    // The environment's credentials are for the environment's servers, so they do not count if the code names servers.
    if (options.servers.empty()) {
        const auto environment = BrokerOptions::from_environment();
        options.servers = environment.servers;
        if (none(options.credentials)) options.credentials = environment.credentials;
        if (options.tls.ca_file.empty()) options.tls.ca_file = environment.tls.ca_file;
        if (options.tls.certificate.empty() && options.tls.private_key.empty()) {
            options.tls.certificate = environment.tls.certificate;
            options.tls.private_key = environment.tls.private_key;
        }
        options.tls.handshake_first = options.tls.handshake_first || environment.tls.handshake_first;
        if (options.inbox_prefix == BrokerOptions{}.inbox_prefix) options.inbox_prefix = environment.inbox_prefix;
    }
    if (options.servers.empty()) options.servers.emplace_back(default_server);
    if (has_userinfo(options.servers) && !none(options.credentials))
        raise({Errc::bad_setup,
               "a server's URL has a user or token in it, and credentials are set as well; use one of them"});
    check_files(options);
    check_inbox_prefix(options.inbox_prefix);
    check_times(options);
    return options;
}

}  // namespace detail
}  // namespace freshet
