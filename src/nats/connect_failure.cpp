// SPDX-License-Identifier: Apache-2.0
#include "nats/connect_failure.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nats/nats.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/quoted.hpp"
#include "base/without_secrets.hpp"
#include "nats/credentials.hpp"
#include "nats/options.hpp"
#include "nats/url.hpp"

namespace freshet::detail::nats {
namespace {

/// A reason, and what to do about it.
struct Explained {
    Errc code;
    std::string what;
    std::string remedy;
};

/// Returns why a server's host has no address; "" if it has one. May block.
std::string unresolved(const BrokerOptions& options) {
    const auto servers = servers_of(options);
    for (const auto& server : servers) {
        const auto url = ServerUrl::parse(server);
        const auto problem = url ? resolver_problem(*url) : std::string{};
        if (!problem.empty())
            return fmt::format("cannot resolve the host {}: {}", quoted(without_secrets(url->host)), problem);
    }
    return {};
}

Explained without_answer(const BrokerOptions& options) {
    return {Errc::disconnected,
            fmt::format("no answer within the connect_timeout of {} ms", options.connect_timeout.count()),
            options.tls.handshake_first
                ? "is it a nats-server, and does it run?"
                : "is it a nats-server, does it run, and does it begin with TLS (TlsOptions::handshake_first)?"};
}

Explained tls_failed(const BrokerOptions& options, const Failure& failure) {
    if (options.tls.handshake_first && failure.detail.find("wrong version number") != std::string::npos) {
        return {Errc::bad_setup, "TLS failed: the server does not begin with TLS",
                "turn TlsOptions::handshake_first off, or handshake_first on in the server's configuration"};
    }
    return {Errc::bad_setup, "TLS failed: " + failure.detail,
            "check BrokerOptions::tls (ca_file, certificate, expected_name)"};
}

Explained refused(const BrokerOptions& options, const FailedAttempt& attempt) {
    const auto name = name_of_credentials(options, attempt.server);
    return {Errc::unauthorized,
            fmt::format("refused {}: {}", name.empty() ? "a client without credentials" : name, attempt.failure.detail),
            "check BrokerOptions::credentials"};
}

Explained explained(const BrokerOptions& options, const FailedAttempt& attempt) {
    const auto& failure = attempt.failure;
    switch (failure.status) {
        case NATS_CONNECTION_AUTH_FAILED: return refused(options, attempt);
        case NATS_NO_SERVER: {
            if (auto why = unresolved(options); !why.empty())
                return {Errc::disconnected, std::move(why), "check its name"};
            return {Errc::disconnected, "nothing accepts connections", "start nats-server there, or check the URL"};
        }
        case NATS_TIMEOUT: return without_answer(options);
        case NATS_SECURE_CONNECTION_WANTED:
            return {Errc::bad_setup, "it offers no TLS, and TLS is asked for", "check the URL and BrokerOptions::tls"};
        case NATS_SSL_ERROR: return tls_failed(options, failure);
        case NATS_ERR: return {Errc::disconnected, "the server says: " + failure.detail, {}};
        default: break;
    }
    if (is_bare(failure)) {
        return {Errc::disconnected, "the connection was closed while it was made, without a reason",
                "the server's log may name it"};
    }
    return {may_pass(failure) ? Errc::disconnected : Errc::bad_setup, failure.detail, {}};
}

std::string joined(const Explained& reason) {
    return without_secrets(reason.remedy.empty() ? reason.what : reason.what + "; " + reason.remedy);
}

bool all_alike(const BrokerOptions& options, const std::vector<FailedAttempt>& attempts) {
    const auto& first = attempts.front();
    return std::ranges::all_of(attempts, [&](const FailedAttempt& each) {
        return each.failure.status == first.failure.status && each.failure.detail == first.failure.detail &&
               name_of_credentials(options, each.server) == name_of_credentials(options, first.server);
    });
}

/// Returns the attempt whose error code counts: one that may pass, so that the caller knows that it may try again.
const FailedAttempt& decisive(const std::vector<FailedAttempt>& attempts) {
    const auto found = std::ranges::find_if(attempts, [](const auto& each) { return may_pass(each.failure); });
    return found != attempts.end() ? *found : attempts.front();
}

}  // namespace

bool may_pass(const Failure& failure) {
    switch (failure.status) {
        case NATS_NO_SERVER:
        case NATS_TIMEOUT:
        case NATS_IO_ERROR:
        case NATS_CONNECTION_CLOSED:
        case NATS_CONNECTION_DISCONNECTED:
        case NATS_STALE_CONNECTION:
        case NATS_ERR:  // an error text of the server, such as "maximum connections exceeded"
            return true;
        default: return false;
    }
}

bool may_pass(const std::vector<FailedAttempt>& attempts) {
    return std::ranges::any_of(attempts, [](const auto& each) { return may_pass(each.failure); });
}

bool is_bare(const Failure& failure) {
    switch (failure.status) {
        case NATS_IO_ERROR:
        case NATS_CONNECTION_CLOSED:
        case NATS_CONNECTION_DISCONNECTED:
        case NATS_STALE_CONNECTION: return true;
        default: return false;
    }
}

Failure with_tls_alert(Failure failure) {
    const auto code = ::ERR_peek_last_error();
    const bool alert = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET;
    return alert && may_pass(failure) ? Failure{NATS_SSL_ERROR, ::ERR_reason_error_string(code)} : failure;
}

std::string reason_of(const BrokerOptions& options, const FailedAttempt& attempt) {
    return joined(explained(options, attempt));
}

Error connect_error(const BrokerOptions& options, const std::vector<FailedAttempt>& attempts,
                    std::chrono::milliseconds waited) {
    const auto urls = without_credentials(servers_of(options));
    const auto reason = explained(options, decisive(attempts));
    const bool tried_again = waited.count() > 0 && may_pass(attempts);
    const auto tried = tried_again ? fmt::format(" (tried for {} ms)", waited.count()) : std::string{};
    if (all_alike(options, attempts))
        return {reason.code, fmt::format("cannot connect to {}{}: {}", urls, tried, joined(reason))};
    std::string each;
    for (const auto& attempt : attempts) {
        each += fmt::format("{}{}: {}", each.empty() ? "" : "; ", without_secrets(attempt.server),
                            without_secrets(explained(options, attempt).what));
    }
    return {reason.code, fmt::format("cannot connect to any of {}{}: {}", urls, tried, each)};
}

}  // namespace freshet::detail::nats
