// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include <freshet/error.hpp>
#include <freshet/options.hpp>

namespace freshet::detail::nats {

/// Returns a name of what is presented to the server with the address `server` ("host:port"; empty: the first one),
/// without secrets: "user "bob"", "the token"...; empty if that is nothing.
std::string name_of_credentials(const BrokerOptions& options, std::string_view server);

/// A user's JWT and the seed of its nkey.
struct JwtParts {
    std::string jwt = {};
    std::string seed = {};
};
/// Finds both parts in the content of a `.creds` file. Errc::bad_setup names the part that is missing or broken.
Expected<JwtParts> jwt_parts(std::string_view content);

/// What one connection presents to the server. Reads files and calls the user's functions again at each attempt, so
/// that credentials can be replaced while the program runs. Errors show no secrets. Thread-safe.
class CredentialSource {
public:
    explicit CredentialSource(Credentials credentials);
    CredentialSource(const CredentialSource&) = delete;
    CredentialSource& operator=(const CredentialSource&) = delete;

    /// Checks what can be checked without a server, and fetches what token() returns. Call it before each round of
    /// attempts, without a lock, because the user's functions may block. Errc::bad_setup for unusable credentials.
    Expected<void> refresh();

    /// Says what is presented: at most one of the three. User and password, and a token that does not change, are not
    /// asked for again, and none of them.
    bool has_token() const noexcept;
    bool has_jwt() const noexcept;
    bool has_nkey() const noexcept;

    /// Returns the text for CONNECT's `auth_token`, as refresh() found it, or why that failed.
    Expected<std::string> token();
    /// Returns the user's JWT.
    Expected<std::string> jwt() const;
    /// Returns the 64 bytes of the signature of the server's nonce.
    Expected<std::string> sign(std::string_view nonce) const;
    /// Returns the public key of an nkey that is presented without a JWT.
    Expected<std::string> public_key() const;

private:
    const Credentials credentials_;
    mutable std::mutex mutex_ = {};  // guards the members below
    Expected<std::string> token_ = {};
    mutable std::string shown_key_ = {};  // of a seed file, as public_key() returned it first: cnats keeps that one
};

}  // namespace freshet::detail::nats
