// SPDX-License-Identifier: Apache-2.0
#include "nats/nkey.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace freshet::detail::nats {
namespace {

// https://docs.nats.io/reference/reference-protocols/nats-protocol: base32 of a prefix, 32 bytes and a checksum.
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::uint8_t prefix_seed = 18 << 3;
constexpr std::uint8_t prefix_user = 20 << 3;
constexpr std::size_t key_size = 32;
constexpr std::size_t seed_size = 2 + key_size + 2;

using ByteList = std::vector<std::uint8_t>;

std::optional<ByteList> from_base32(std::string_view text) {
    ByteList bytes;
    bytes.reserve(text.size());
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto value = alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = bits << 5 | static_cast<std::uint32_t>(value);
        count += 5;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<std::uint8_t>(bits >> count));
    }
    return bytes;
}

std::string to_base32(std::span<const std::uint8_t> bytes) {
    std::string text;
    std::uint32_t bits = 0;
    int count = 0;
    for (const auto byte : bytes) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 5; count -= 5) text.push_back(alphabet[bits >> (count - 5) & 31]);
    }
    if (count > 0) text.push_back(alphabet[bits << (5 - count) & 31]);
    return text;
}

/// CRC-16/XMODEM.
std::uint16_t checksum(std::span<const std::uint8_t> bytes) {
    std::uint32_t crc = 0;
    for (const auto byte : bytes) {
        crc ^= static_cast<std::uint32_t>(byte) << 8;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1;
    }
    return static_cast<std::uint16_t>(crc);
}

bool checksum_holds(std::span<const std::uint8_t> bytes) {
    const auto body = bytes.first(bytes.size() - 2);
    const auto crc = checksum(body);
    return bytes[body.size()] == (crc & 0xff) && bytes[body.size() + 1] == crc >> 8;
}

bool is_user_seed(std::span<const std::uint8_t> bytes) {
    return bytes.size() == seed_size && (bytes[0] & 0xf8) == prefix_seed &&
           ((bytes[0] & 7) << 5 | bytes[1] >> 3) == prefix_user && checksum_holds(bytes);
}

}  // namespace

Expected<std::string> public_nkey(std::string_view seed) {
    auto bytes = from_base32(seed);
    if (!bytes || !is_user_seed(*bytes)) {
        return failure(Errc::bad_setup,
                       "the nkey seed is not one of a user: it should be 58 characters that begin with SU");
    }
    const std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })> key{
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes->data() + 2, key_size)};
    OPENSSL_cleanse(bytes->data(), bytes->size());

    std::array<std::uint8_t, 1 + key_size + 2> encoded{prefix_user};
    std::size_t size = key_size;
    if (key == nullptr || EVP_PKEY_get_raw_public_key(key.get(), encoded.data() + 1, &size) != 1) {
        return failure(
            Errc::bad_setup,
            "the nkey seed cannot be used: this OpenSSL has no Ed25519; use another one, or other credentials");
    }
    const auto crc = checksum(std::span{encoded}.first(1 + key_size));
    encoded[1 + key_size] = static_cast<std::uint8_t>(crc & 0xff);
    encoded[2 + key_size] = static_cast<std::uint8_t>(crc >> 8);
    return to_base32(encoded);
}

Expected<std::string> seed_in(std::string_view content) {
    if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // a byte order mark, as some editors write it
    for (std::size_t begin = 0; begin < content.size();) {
        const auto end = std::min(content.find('\n', begin), content.size());
        auto line = content.substr(begin, end - begin);
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
        if (line.starts_with("SU")) return std::string{line};
        begin = end + 1;
    }
    return failure(Errc::bad_setup, "it has no line with a user's nkey seed (SU...)");
}

}  // namespace freshet::detail::nats
