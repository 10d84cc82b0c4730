// SPDX-License-Identifier: Apache-2.0
#include "jwt.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include <openssl/evp.h>

namespace freshet::testing {
namespace {

using Bytes = std::vector<unsigned char>;
using Key = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;

constexpr unsigned prefix_seed = 18 << 3;

/// Returns the bytes in digits of `bits` bits each, without padding.
std::string encoded(std::span<const unsigned char> bytes, std::string_view digits, int bits) {
    std::string text;
    unsigned buffer = 0;
    int count = 0;
    const unsigned mask = (1U << bits) - 1;
    for (const auto byte : bytes) {
        buffer = buffer << 8 | byte;
        for (count += 8; count >= bits; count -= bits) text.push_back(digits[buffer >> (count - bits) & mask]);
    }
    if (count > 0) text.push_back(digits[buffer << (bits - count) & mask]);
    return text;
}

std::string base64url(std::string_view text) {
    return encoded({reinterpret_cast<const unsigned char*>(text.data()), text.size()},
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6);
}

/// Returns the text of an nkey: base32 of its bytes and their checksum (CRC-16/XMODEM).
std::string nkey_text(Bytes bytes) {
    unsigned crc = 0;
    for (const auto byte : bytes) {
        crc ^= static_cast<unsigned>(byte) << 8;
        for (int bit = 0; bit < 8; ++bit) crc = ((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    bytes.push_back(static_cast<unsigned char>(crc & 0xff));
    bytes.push_back(static_cast<unsigned char>(crc >> 8));
    return encoded(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5);
}

Key key_of(const std::array<unsigned char, 32>& secret) {
    Key key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size())};
    if (key == nullptr) throw std::runtime_error{"OpenSSL makes no Ed25519 key"};
    return key;
}

std::string claims(const Nkey& issuer, const Nkey& subject, std::string_view more, std::string_view nats) {
    return R"({"jti":"test","iat":1700000000,"iss":")" + issuer.public_key() + R"(","name":"test","sub":")" +
           subject.public_key() + '"' + std::string{more} + R"(,"nats":{)" + std::string{nats} + R"(,"version":2}})";
}

std::string jwt(const Nkey& issuer, std::string_view claims) {
    const auto text = base64url(R"({"typ":"JWT","alg":"ed25519-nkey"})") + '.' + base64url(claims);
    return text + '.' + base64url(issuer.sign(text));
}

}  // namespace

Nkey::Nkey(Of kind, unsigned char fill) : kind_{kind} { secret_.fill(fill); }

std::string Nkey::seed() const {
    const auto kind = static_cast<unsigned>(kind_);
    Bytes bytes{static_cast<unsigned char>(prefix_seed | kind >> 5), static_cast<unsigned char>((kind & 31) << 3)};
    bytes.insert(bytes.end(), secret_.begin(), secret_.end());
    return nkey_text(bytes);
}

std::string Nkey::public_key() const {
    Bytes bytes(1 + secret_.size(), static_cast<unsigned char>(kind_));
    std::size_t size = secret_.size();
    EVP_PKEY_get_raw_public_key(key_of(secret_).get(), bytes.data() + 1, &size);
    return nkey_text(bytes);
}

std::string Nkey::sign(std::string_view text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* context) { EVP_MD_CTX_free(context); })> context{
        EVP_MD_CTX_new()};
    const auto key = key_of(secret_);
    std::string signature(64, '\0');
    auto size = signature.size();
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, text.size()) !=
            1)
        throw std::runtime_error{"OpenSSL does not sign"};
    return signature;
}

std::string Issuer::user_jwt(const Nkey& user, std::optional<std::chrono::system_clock::time_point> expires) const {
    std::string more;
    if (expires) more = R"(,"exp":)" + std::to_string(std::chrono::system_clock::to_time_t(*expires));
    return jwt(account_,
               claims(account_, user, more, R"("pub":{},"sub":{},"subs":-1,"data":-1,"payload":-1,"type":"user")"));
}

std::string Issuer::account_jwt(const Nkey& account, const Nkey* revoked) const {
    std::string nats{R"("limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,)"
                     R"("conn":-1,"leaf":-1},"default_permissions":{"pub":{},"sub":{}},"type":"account")"};
    if (revoked != nullptr) nats += R"(,"revocations":{")" + revoked->public_key() + R"(":1800000000})";
    return jwt(operator_, claims(operator_, account, "", nats));
}

std::string Issuer::config_with(const Nkey& account, const Nkey* revoked) const {
    return "operator: " + jwt(operator_, claims(operator_, operator_, "", R"("type":"operator")")) +
           "\nresolver: MEMORY\nresolver_preload: { " + account.public_key() + ": " + account_jwt(account, revoked) +
           " }";
}

std::string Issuer::config(const Nkey* revoked) const { return config_with(account_, revoked); }

std::string Issuer::config_without_account() const { return config_with(Nkey{Nkey::Of::account, 3}, nullptr); }

}  // namespace freshet::testing
