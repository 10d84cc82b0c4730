// SPDX-License-Identifier: Apache-2.0
#include "nats/tls.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "base/without_secrets.hpp"
#include "nats/files.hpp"
#include "nats/require.hpp"

namespace freshet::detail::nats {
namespace {

using Bio = std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free_all(bio); })>;
using Key = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;

[[noreturn]] void refuse(const std::string& what) { raise({Errc::bad_setup, what}); }

/// Returns whether a passphrase is needed for a PEM key: in its header (PKCS#8), or in a line of it (older files).
bool is_encrypted(std::string_view pem) {
    return pem.find("BEGIN ENCRYPTED PRIVATE KEY") != std::string_view::npos ||
           pem.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
}

std::string openssl_reason() {
    const char* const reason = ::ERR_reason_error_string(::ERR_peek_last_error());
    return reason != nullptr ? reason : "OpenSSL gives no reason";
}

/// Gives OpenSSL the passphrase. Without this function OpenSSL would ask on the terminal.
int give_passphrase(char* buffer, int size, int, void* passphrase) {
    const auto& text = *static_cast<const std::string*>(passphrase);
    if (text.size() > static_cast<std::size_t>(size)) return -1;
    std::memcpy(buffer, text.data(), text.size());
    return static_cast<int>(text.size());
}

std::string passphrase_of(const TlsOptions& tls, const std::string& what) {
    if (!tls.passphrase) refuse(what + ": the key is encrypted; set TlsOptions::passphrase, or use a key that is not");
    const CallbackScope scope;
    try {
        return tls.passphrase();
    } catch (...) { refuse("TlsOptions::passphrase threw: " + without_secrets(exception_text())); }
}

std::string decrypted(const std::string& pem, const TlsOptions& tls, const std::string& what) {
    auto passphrase = passphrase_of(tls, what);
    ::ERR_clear_error();
    const Bio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    const Key key{PEM_read_bio_PrivateKey(in.get(), nullptr, &give_passphrase, &passphrase)};
    OPENSSL_cleanse(passphrase.data(), passphrase.size());
    if (key == nullptr) refuse(fmt::format("{}: the passphrase does not open the key: {}", what, openssl_reason()));
    const Bio out{BIO_new(BIO_s_secmem())};
    char* text = nullptr;
    if (PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        refuse(fmt::format("{}: OpenSSL cannot write the key: {}", what, openssl_reason()));
    const auto size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

/// Hands cnats a certificate and its key from memory.
void set_chain(natsOptions* native, const std::string& certificate, std::string key, const TlsOptions& tls,
               const std::string& what) {
    if (is_encrypted(key)) key = decrypted(key, tls, what);
    const auto status = natsOptions_SetCertificatesChain(native, certificate.c_str(), key.c_str());
    OPENSSL_cleanse(key.data(), key.size());
    require(status, what);
}

/// Lets cnats read certificate and key for each connection, if this cnats can and the key needs no passphrase.
void set_chain_files(natsOptions* native, const TlsOptions& tls) {
    const auto what = fmt::format("TlsOptions::certificate {} with private_key {}",
                                  quoted(without_secrets(tls.certificate)), quoted(without_secrets(tls.private_key)));
    auto certificate = value_or_raise(read_file(tls.certificate, "certificate file"));
    auto key = value_or_raise(read_file(tls.private_key, "private key file"));
    set_chain(native, certificate, key, tls, what);  // tells now what is wrong with them
    const bool again = !is_encrypted(key);
    OPENSSL_cleanse(key.data(), key.size());
#ifdef FRESHET_HAS_NATSOPTIONS_LOADCERTIFICATESCHAINDYNAMIC
    if (again) {
        require(natsOptions_LoadCertificatesChainDynamic(native, tls.certificate.c_str(), tls.private_key.c_str()),
                what);
    }
#else
    static_cast<void>(again);
#endif
}

void check_pairs(const TlsOptions& tls) {
    const auto together = [](const std::string& a, const std::string& b, const char* names) {
        if (a.empty() != b.empty()) refuse(fmt::format("{} go together; set both or none", names));
    };
    together(tls.certificate, tls.private_key, "TlsOptions::certificate and TlsOptions::private_key");
    together(tls.certificate_pem, tls.private_key_pem, "TlsOptions::certificate_pem and TlsOptions::private_key_pem");
    const auto either = [](const std::string& a, const std::string& b, const char* names) {
        if (!a.empty() && !b.empty()) refuse(fmt::format("{} are both set; use one of them", names));
    };
    either(tls.certificate, tls.certificate_pem, "TlsOptions::certificate and TlsOptions::certificate_pem");
    either(tls.ca_file, tls.ca_pem, "TlsOptions::ca_file and TlsOptions::ca_pem");
}

void set_verification(natsOptions* native, const TlsOptions& tls) {
    const auto* verify = std::get_if<VerifyServer>(&tls.verify);
    if (verify == nullptr) return require(natsOptions_SkipServerVerification(native, true), "SkipServerVerification");
    if (verify->expected_name.empty()) return;
    require(natsOptions_SetExpectedHostname(native, verify->expected_name.c_str()), "VerifyServer::expected_name");
}

}  // namespace

void set_tls(natsOptions* native, const TlsOptions& tls) {
    check_pairs(tls);
    if (tls.handshake_first) {
#ifdef FRESHET_HAS_NATSOPTIONS_TLSHANDSHAKEFIRST
        require(natsOptions_TLSHandshakeFirst(native), "TlsOptions::handshake_first");
#else
        refuse("TlsOptions::handshake_first needs cnats 3.9, this is " NATS_VERSION_STRING);
#endif
    }
    if (!tls.ca_file.empty()) {
        require(natsOptions_LoadCATrustedCertificates(native, tls.ca_file.c_str()),
                fmt::format("TlsOptions::ca_file {}", quoted(without_secrets(tls.ca_file))));
    }
    if (!tls.ca_pem.empty())
        require(natsOptions_SetCATrustedCertificates(native, tls.ca_pem.c_str()), "TlsOptions::ca_pem");
    if (!tls.certificate.empty()) set_chain_files(native, tls);
    if (!tls.certificate_pem.empty())
        set_chain(native, tls.certificate_pem, tls.private_key_pem, tls, "TlsOptions::certificate_pem");
    set_verification(native, tls);
}

bool has_encrypted_key(const TlsOptions& tls) {
    if (tls.private_key.empty()) return false;
    auto key = read_file(tls.private_key, "private key file");
    if (!key) return false;
    const bool encrypted = is_encrypted(*key);
    OPENSSL_cleanse(key->data(), key->size());
    return encrypted;
}

}  // namespace freshet::detail::nats
