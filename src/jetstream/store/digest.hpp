// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <freshet/buffer.hpp>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace freshet::detail {

/// Computes SHA-256 piece by piece. Throws std::runtime_error if OpenSSL has no SHA-256.
class Sha256 {
public:
    Sha256();
    void add(Bytes bytes);
    /// Returns the digest as object stores write it: `SHA-256=` and base64url (ADR-20). Call it once, at the end.
    std::string finish();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// Encodes with the alphabet of URLs and padding (RFC 4648, 5), as ADR-20 writes names and digests.
std::string base64url(Bytes bytes);

}  // namespace freshet::detail
