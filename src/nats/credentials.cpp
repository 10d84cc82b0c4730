// SPDX-License-Identifier: Apache-2.0
#include "nats/credentials.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <nats/nats.h>
#include <openssl/crypto.h>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "base/without_secrets.hpp"
#include "nats/files.hpp"
#include "nats/nkey.hpp"
#include "nats/url.hpp"

namespace freshet::detail::nats {
namespace {

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

/// A text that is overwritten when it is no longer needed.
class Secret {
public:
    explicit Secret(std::string text) : text_{std::move(text)} {}
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { OPENSSL_cleanse(text_.data(), text_.size()); }

    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

Error in_file(std::string_view what, const std::string& path, const Error& error) {
    return {error.code(), fmt::format("the {} {}: {}", what, quoted(without_secrets(path)), error.what())};
}

/// Calls a function of the user's. Its exception becomes an error.
template <class F, class... Arguments>
auto call(const F& function, std::string_view what, Arguments&&... arguments)
    -> Expected<decltype(function(std::forward<Arguments>(arguments)...))> {
    if (!function) return failure(Errc::bad_setup, fmt::format("{} is not set", what));
    const CallbackScope scope;  // it may run on a thread that connects again
    try {
        return function(std::forward<Arguments>(arguments)...);
    } catch (...) {
        return failure(Errc::bad_setup, fmt::format("{} threw: {}", what, without_secrets(exception_text())));
    }
}

/// Returns what `function` makes of the value, or the value's error. (std::expected::transform needs GCC 13.)
template <class T, class F>
auto map(Expected<T> value, F function) -> Expected<decltype(function(*std::move(value)))> {
    if (!value) return std::unexpected{std::move(value).error()};
    return function(*std::move(value));
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// Returns the text between "BEGIN name" and the next line of dashes.
Expected<std::string> block(std::string_view content, std::string_view name) {
    const auto begin = content.find("BEGIN " + std::string{name});
    const auto line_end = begin == std::string_view::npos ? begin : content.find('\n', begin);
    if (line_end == std::string_view::npos)
        return failure(Errc::bad_setup, fmt::format("it has no part \"BEGIN {}\"", name));
    const auto rest = content.substr(line_end + 1);
    const auto end = rest.find("---");
    if (end == std::string_view::npos)
        return failure(Errc::bad_setup, fmt::format("its part \"BEGIN {}\" has no end; the file is cut off", name));
    const auto text = trimmed(rest.substr(0, end));
    if (text.empty()) return failure(Errc::bad_setup, fmt::format("its part \"BEGIN {}\" is empty", name));
    return std::string{text};
}

Expected<std::string> signature(const std::string& seed, std::string_view nonce) {
    const std::string text{nonce};
    unsigned char* bytes = nullptr;
    int length = 0;
    if (nats_Sign(seed.c_str(), text.c_str(), &bytes, &length) != NATS_OK)
        return failure(Errc::bad_setup, "cannot sign with the nkey seed");
    const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { std::free(p); })> owned{bytes};
    return std::string{reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)};
}

Expected<std::string> seed_of_file(const std::string& path) {
    auto content = read_file(path, "nkey seed file");
    if (!content) return content;
    const Secret secret{*std::move(content)};
    auto seed = seed_in(secret.text());
    if (!seed) return std::unexpected{in_file("nkey seed file", path, seed.error())};
    return seed;
}

Expected<JwtParts> parts_of_file(const std::string& path) {
    auto content = read_file(path, "credentials file");
    if (!content) return std::unexpected{content.error()};
    const Secret secret{*std::move(content)};
    auto parts = jwt_parts(secret.text());
    if (!parts) return std::unexpected{in_file("credentials file", path, parts.error())};
    return parts;
}

Expected<JwtParts> parts_of(const CredsMemory& c) {
    auto parts = jwt_parts(c.content);
    if (!parts) return failure(Errc::bad_setup, fmt::format("CredsMemory: {}", parts.error().what()));
    return parts;
}

template <class... Kinds>
bool holds_any(const Credentials& credentials) noexcept {
    return (std::holds_alternative<Kinds>(credentials) || ...);
}

/// Returns why a seed is not one of a user.
Expected<void> check_seed(const std::string& seed) {
    if (const auto key = public_nkey(seed); !key) return std::unexpected{key.error()};
    return {};
}

/// Lets cnats send user and password where it asks for a token only: it puts the token into its JSON as it is, so the
/// token may end its own field and begin others. The server takes an empty token for none.
std::string as_token(const UserPassword& c) {
    return fmt::format(R"(","user":"{}","pass":"{})", json_text(c.user), json_text(c.password));
}

/// Returns the credentials as a server takes them: values that came out of a file often end with a line end.
Credentials without_blanks(Credentials credentials) {
    const auto trim = [](std::string& text) { text = std::string{trimmed(text)}; };
    if (auto* nkey = std::get_if<NkeySeed>(&credentials)) trim(nkey->seed);
    if (auto* both = std::get_if<JwtAndSeed>(&credentials)) {
        trim(both->jwt);
        trim(both->seed);
    }
    return credentials;
}

}  // namespace

CredentialSource::CredentialSource(Credentials credentials) : credentials_{without_blanks(std::move(credentials))} {}

std::string name_of_credentials(const BrokerOptions& options, std::string_view server) {
    std::string in_url;
    for (const auto& text : options.servers) {
        const auto url = ServerUrl::parse(text);
        if (!url || (url->user.empty() && !url->has_token)) continue;
        const bool meant = address_of(url->host, url->port) == server;
        if (!meant && !in_url.empty()) continue;
        in_url = url->has_token ? "the token" : "user " + quoted(without_secrets(without_escapes(url->user)));
        if (meant) break;
    }
    if (!in_url.empty()) return in_url;
    const Overloaded name{
        [](const std::monostate&) -> std::string { return {}; },
        [](const UserPassword& c) { return "user " + quoted(without_secrets(c.user)); },
        [](const Token&) -> std::string { return "the token"; },
        [](const NkeySeed& c) { return fmt::format("nkey {}", public_nkey(trimmed(c.seed)).value_or("?")); },
        [](const NkeyFile& c) { return "the nkey of " + quoted(without_secrets(c.path)); },
        [](const CredsFile& c) { return "the credentials of " + quoted(without_secrets(c.path)); },
        [](const CredsMemory&) -> std::string { return "the credentials"; },
        [](const JwtAndSeed&) -> std::string { return "the JWT"; },
        [](const TokenCallback&) -> std::string { return "the token of TokenCallback"; },
        [](const UserPasswordCallback&) -> std::string { return "the user of UserPasswordCallback"; },
        [](const JwtCallback&) -> std::string { return "the JWT of JwtCallback"; },
        [](const NkeyCallback& c) { return fmt::format("nkey {}", without_secrets(c.public_key)); },
    };
    return std::visit(name, options.credentials);
}

Expected<JwtParts> jwt_parts(std::string_view content) {
    auto jwt = block(content, "NATS USER JWT");
    if (!jwt) return std::unexpected{jwt.error()};
    auto seed = block(content, "USER NKEY SEED");
    if (!seed) return std::unexpected{seed.error()};
    if (auto fit = check_seed(*seed); !fit) return std::unexpected{fit.error()};
    return JwtParts{*std::move(jwt), *std::move(seed)};
}

Expected<void> CredentialSource::refresh() {
    const auto checked = [](const auto& result) -> Expected<void> {
        if (!result) return std::unexpected{result.error()};
        return {};
    };
    const auto keep = [&](Expected<std::string> token) -> Expected<void> {
        const std::lock_guard lock{mutex_};
        token_ = std::move(token);
        return checked(token_);
    };
    const Overloaded check{
        [](const std::monostate&) -> Expected<void> { return {}; },
        [](const UserPassword&) -> Expected<void> { return {}; },
        [](const Token&) -> Expected<void> { return {}; },
        [&](const NkeySeed& c) { return check_seed(c.seed); },
        [&](const NkeyFile&) { return checked(public_key()); },
        [&](const CredsFile& c) { return checked(parts_of_file(c.path)); },
        [&](const CredsMemory& c) { return checked(parts_of(c)); },
        [&](const JwtAndSeed& c) { return check_seed(c.seed); },
        [&](const TokenCallback& c) {
            return keep(map(call(c.token, "TokenCallback::token"), [](const auto& token) { return json_text(token); }));
        },
        [&](const UserPasswordCallback& c) {
            return keep(map(call(c.user_password, "UserPasswordCallback::user_password"), as_token));
        },
        [](const JwtCallback&) -> Expected<void> { return {}; },
        [](const NkeyCallback&) -> Expected<void> { return {}; },
    };
    return std::visit(check, credentials_);
}

bool CredentialSource::has_token() const noexcept {
    return holds_any<TokenCallback, UserPasswordCallback>(credentials_);
}

bool CredentialSource::has_jwt() const noexcept {
    return holds_any<CredsFile, CredsMemory, JwtAndSeed, JwtCallback>(credentials_);
}

bool CredentialSource::has_nkey() const noexcept { return holds_any<NkeySeed, NkeyFile, NkeyCallback>(credentials_); }

Expected<std::string> CredentialSource::token() {
    const std::lock_guard lock{mutex_};
    return token_;
}

Expected<std::string> CredentialSource::jwt() const {
    const auto jwt_in = [](const JwtParts& parts) { return parts.jwt; };
    if (const auto* c = std::get_if<CredsFile>(&credentials_)) return map(parts_of_file(c->path), jwt_in);
    if (const auto* c = std::get_if<CredsMemory>(&credentials_)) return map(parts_of(*c), jwt_in);
    if (const auto* c = std::get_if<JwtAndSeed>(&credentials_)) return c->jwt;
    if (const auto* c = std::get_if<JwtCallback>(&credentials_))
        return map(call(c->jwt, "JwtCallback::jwt"), [](const auto& jwt) { return std::string{trimmed(jwt)}; });
    return failure(Errc::bad_setup, "these credentials have no JWT");
}

Expected<std::string> CredentialSource::sign(std::string_view nonce) const {
    const auto checked = [](Expected<std::string> made, std::string_view what) -> Expected<std::string> {
        if (made && made->size() != signature_size)
            return failure(Errc::bad_setup, fmt::format("{} returned {} bytes; an Ed25519 signature has {}", what,
                                                        made->size(), signature_size));
        return made;
    };
    const auto same = [&](const NkeyFile& c) -> Expected<std::string> {
        auto seed = seed_of_file(c.path);
        const auto key = map(seed, [](const auto& text) { return public_nkey(text); });
        const std::lock_guard lock{mutex_};
        if (!key || !*key || shown_key_.empty() || **key == shown_key_) return seed;
        return failure(
            Errc::bad_setup,
            fmt::format("the nkey seed file {} holds another nkey than at the start; start the program again",
                        quoted(without_secrets(c.path))));
    };
    const auto with = [&](const Expected<std::string>& seed) -> Expected<std::string> {
        return seed ? signature(*seed, nonce) : seed;
    };
    const auto seed_in = [](const JwtParts& parts) { return parts.seed; };
    const Overloaded sign{
        [&](const NkeySeed& c) { return signature(c.seed, nonce); },
        [&](const NkeyFile& c) { return with(same(c)); },
        [&](const CredsFile& c) { return with(map(parts_of_file(c.path), seed_in)); },
        [&](const CredsMemory& c) { return with(map(parts_of(c), seed_in)); },
        [&](const JwtAndSeed& c) { return signature(c.seed, nonce); },
        [&](const JwtCallback& c) { return checked(call(c.sign, "JwtCallback::sign", nonce), "JwtCallback::sign"); },
        [&](const NkeyCallback& c) { return checked(call(c.sign, "NkeyCallback::sign", nonce), "NkeyCallback::sign"); },
        [](const auto&) -> Expected<std::string> { return failure(Errc::bad_setup, "these credentials cannot sign"); },
    };
    return std::visit(sign, credentials_);
}

Expected<std::string> CredentialSource::public_key() const {
    if (const auto* c = std::get_if<NkeySeed>(&credentials_)) return public_nkey(c->seed);
    if (const auto* c = std::get_if<NkeyCallback>(&credentials_)) return c->public_key;
    if (const auto* c = std::get_if<NkeyFile>(&credentials_)) {
        const auto seed = seed_of_file(c->path);
        if (!seed) return seed;
        auto key = public_nkey(*seed);
        if (!key) return std::unexpected{in_file("nkey seed file", c->path, key.error())};
        const std::lock_guard lock{mutex_};
        if (shown_key_.empty()) shown_key_ = *key;
        return key;
    }
    return failure(Errc::bad_setup, "these credentials have no nkey");
}

}  // namespace freshet::detail::nats
