// SPDX-License-Identifier: Apache-2.0
#include "nats/connect_failure.hpp"

#include <array>
#include <string>

#include <fmt/format.h>
#include <nats/nats.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "nats/options.hpp"
#include "nats/url.hpp"

namespace freshet::detail::nats {

Failure last_error(natsConnection* native) {
    std::array<char, 512> text{};
#ifdef FRESHET_HAS_NATSCONNECTION_READLASTERROR
    const auto status = natsConnection_ReadLastError(native, text.data(), text.size());
#else
    const char* unsafe = nullptr;
    const auto status = natsConnection_GetLastError(native, &unsafe);
    if (unsafe != nullptr) fmt::format_to_n(text.data(), text.size() - 1, "{}", unsafe);
#endif
    return {status, text[0] != '\0' ? text.data() : natsStatus_GetText(status)};
}

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

Failure with_tls_alert(Failure failure) {
    const auto code = ::ERR_peek_last_error();
    const bool alert = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET;
    return alert && may_pass(failure) ? Failure{NATS_SSL_ERROR, ::ERR_reason_error_string(code)} : failure;
}

Error connect_error(const BrokerOptions& options, const Failure& failure, std::chrono::milliseconds waited) {
    const auto urls = without_credentials(servers_of(options));
    switch (failure.status) {
        case NATS_CONNECTION_AUTH_FAILED:
            return {Errc::unauthorized, fmt::format("{} refused {}: {}; check BrokerOptions::credentials", urls,
                                                    name_of_credentials(options), failure.detail)};
        case NATS_NO_SERVER: {
            const auto servers = servers_of(options);
            for (const auto& server : servers) {
                const auto url = ServerUrl::parse(server);
                const auto problem = url ? resolver_problem(*url) : std::string{};
                if (problem.empty()) continue;
                return {Errc::disconnected,
                        fmt::format("cannot resolve the host '{}' of {}: {}", url->host, urls, problem)};
            }
            return {Errc::disconnected, fmt::format("cannot reach {} (tried for {} ms): nothing accepts connections; "
                                                    "is nats-server running there?",
                                                    urls, waited.count())};
        }
        case NATS_TIMEOUT:
            return {Errc::disconnected,
                    fmt::format("cannot reach {} (tried for {} ms): no answer within the connect_timeout of "
                                "{} ms; is it a nats-server, and does it run?",
                                urls, waited.count(), options.connect_timeout.count())};
        case NATS_SECURE_CONNECTION_WANTED:
            return {Errc::bad_setup,
                    fmt::format("{} offers no TLS, and TLS is asked for; check the URL and BrokerOptions::tls", urls)};
        case NATS_SSL_ERROR:
            return {Errc::bad_setup,
                    fmt::format("TLS with {} failed: {}; check BrokerOptions::tls (ca_file, certificate, "
                                "expected_name)",
                                urls, failure.detail)};
        default: break;
    }
    const auto code = may_pass(failure) ? Errc::disconnected : Errc::bad_setup;
    return {code, fmt::format("cannot connect to {}: {}", urls, failure.detail)};
}

}  // namespace freshet::detail::nats
