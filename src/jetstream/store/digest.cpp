// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/digest.hpp"

#include <array>
#include <cstdint>
#include <stdexcept>

#include <openssl/evp.h>

namespace freshet::detail {

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_{EVP_MD_CTX_new()} {
    if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
        throw std::runtime_error{"object store: OpenSSL offers no SHA-256, which digests need"};
}

void Sha256::add(Bytes bytes) {
    if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1)
        throw std::runtime_error{"object store: OpenSSL's SHA-256 failed"};
}

std::string Sha256::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1)
        throw std::runtime_error{"object store: OpenSSL's SHA-256 failed"};
    return "SHA-256=" + base64url(std::as_bytes(std::span{digest.data(), size}));
}

std::string base64url(Bytes bytes) {
    static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i)
            bits = bits << 8 | (i < count ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
        for (std::size_t i = 0; i < 4; ++i) text.push_back(i <= count ? alphabet[bits >> (18 - 6 * i) & 63] : '=');
    }
    return text;
}

}  // namespace freshet::detail
