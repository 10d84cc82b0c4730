// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::testing {

/// An nkey for tests, made of one byte that is repeated: it opens nothing, and is the same in every run.
class Nkey {
public:
    enum class Of : std::uint8_t { account = 0, operator_ = 14 << 3, user = 20 << 3 };

    Nkey(Of kind, unsigned char fill);

    std::string seed() const;
    std::string public_key() const;
    /// Returns the 64 bytes of a signature.
    std::string sign(std::string_view text) const;

private:
    Of kind_;
    std::array<unsigned char, 32> secret_ = {};
};

/// An operator with an account, who signs JWTs as `nsc` does.
class Issuer {
public:
    /// Returns the JWT of a user. Without a time it does not expire.
    std::string user_jwt(const Nkey& user, std::optional<std::chrono::system_clock::time_point> expires = {}) const;
    /// Returns the configuration of a server that knows the operator and the account, in which the user `revoked` may
    /// no longer log in.
    std::string config(const Nkey* revoked = nullptr) const;
    /// Returns the configuration of a server that knows the operator, and another account than this one's.
    std::string config_without_account() const;

private:
    std::string account_jwt(const Nkey& account, const Nkey* revoked) const;
    std::string config_with(const Nkey& account, const Nkey* revoked) const;

    Nkey operator_{Nkey::Of::operator_, 1};
    Nkey account_{Nkey::Of::account, 2};
};

}  // namespace freshet::testing
