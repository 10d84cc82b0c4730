// SPDX-License-Identifier: Apache-2.0
#include "nats/callbacks.hpp"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "nats/library.hpp"
#include "nats/nkey.hpp"

namespace freshet::detail::nats {
namespace {

struct Registry {
    std::mutex mutex = {};
    std::uintptr_t last_key = 0;
    std::unordered_map<std::uintptr_t, std::weak_ptr<ConnectionListener>> listeners = {};
};

/// Returns the registry. It is never destroyed, because cnats's threads run until the process ends.
Registry& registry() {
    static auto& instance = *new Registry;
    return instance;
}

std::shared_ptr<ConnectionListener> find(void* closure) {
    auto& all = registry();
    const std::lock_guard lock{all.mutex};
    const auto found = all.listeners.find(reinterpret_cast<std::uintptr_t>(closure));
    return found == all.listeners.end() ? nullptr : found->second.lock();
}

template <auto Member>
void notify(void* closure) noexcept {
    const EventThread scope;
    if (const auto listener = find(closure)) ((*listener).*Member)();
}

/// Returns a copy of the text that cnats may free; null if there is no memory.
char* copy(std::string_view text) noexcept {
    auto* const bytes = static_cast<char*>(std::malloc(text.size() + 1));
    if (bytes == nullptr) return nullptr;
    std::memcpy(bytes, text.data(), text.size());
    bytes[text.size()] = '\0';
    return bytes;
}

/// Calls a function that gives a text for cnats, and hands out the text or why there is none.
template <class F>
natsStatus give(void* closure, char** error, F function, std::string& text) noexcept {
    const auto listener = find(closure);
    if (listener == nullptr) return NATS_CONNECTION_CLOSED;
    try {
        auto given = function(listener->credentials());
        if (given) {
            text = *std::move(given);
            return NATS_OK;
        }
        *error = copy(given.error().what());
    } catch (...) { *error = copy("no memory"); }
    return NATS_ILLEGAL_STATE;
}

extern "C" {

void freshet_on_disconnected(natsConnection*, void* closure) { notify<&ConnectionListener::on_disconnected>(closure); }
void freshet_on_reconnected(natsConnection*, void* closure) { notify<&ConnectionListener::on_reconnected>(closure); }
void freshet_on_lame_duck(natsConnection*, void* closure) { notify<&ConnectionListener::on_lame_duck>(closure); }
void freshet_on_closed(natsConnection*, void* closure) { notify<&ConnectionListener::on_closed>(closure); }

void freshet_on_error(natsConnection*, natsSubscription* subscription, natsStatus status, void* closure) noexcept {
    const EventThread scope;
    if (const auto listener = find(closure)) listener->on_error(subscription, last_failure(status));
}

int64_t freshet_reconnect_delay(natsConnection*, int round, void* closure) noexcept {
    const auto listener = find(closure);
    return listener != nullptr ? listener->reconnect_delay(round).count() : 1;
}

natsStatus freshet_connect_socket(natsSock* socket, char* host, int port, void* closure) noexcept {
    const auto listener = find(closure);
    return listener != nullptr ? listener->connect_socket(*socket, host, port) : NATS_CONNECTION_CLOSED;
}

natsStatus freshet_sign(char** error, unsigned char** signature, int* length, const char* nonce,
                        void* closure) noexcept {
    // A server that knows neither nkeys nor JWTs sends no nonce, and looks at no signature.
    std::string signed_nonce(signature_size, '\0');
    const bool asked = nonce != nullptr && *nonce != '\0';
    const auto sign = [&](CredentialSource& source) { return source.sign(nonce); };
    const auto status = asked ? give(closure, error, sign, signed_nonce) : NATS_OK;
    if (status != NATS_OK) return status;
    *signature = reinterpret_cast<unsigned char*>(copy(signed_nonce));
    *length = static_cast<int>(signed_nonce.size());
    return *signature != nullptr ? NATS_OK : NATS_NO_MEMORY;
}

natsStatus freshet_jwt(char** jwt, char** error, void* closure) noexcept {
    std::string text;
    const auto status = give(closure, error, [](CredentialSource& source) { return source.jwt(); }, text);
    if (status != NATS_OK) return status;
    *jwt = copy(text);
    return *jwt != nullptr ? NATS_OK : NATS_NO_MEMORY;
}

/// cnats reads the token at once, on this thread, and has no way to be told an error: connect_socket() has refused.
const char* freshet_token(void* closure) noexcept {
    static thread_local std::string token;
    const auto listener = find(closure);
    try {
        if (listener != nullptr) token = listener->credentials().token().value_or("");
    } catch (...) { token.clear(); }
    return token.c_str();
}

}  // extern "C"

}  // namespace

Callbacks::Callbacks(std::weak_ptr<ConnectionListener> listener) {
    auto& all = registry();
    const std::lock_guard lock{all.mutex};
    key_ = ++all.last_key;
    all.listeners.emplace(key_, std::move(listener));
}

Callbacks::~Callbacks() {
    auto& all = registry();
    const std::lock_guard lock{all.mutex};
    all.listeners.erase(key_);
}

void* Callbacks::closure() const noexcept {
    return reinterpret_cast<void*>(key_);  // NOLINT(performance-no-int-to-ptr): it is never followed
}

void Callbacks::install(natsOptions* options) const {
    natsOptions_SetDisconnectedCB(options, &freshet_on_disconnected, closure());
    natsOptions_SetReconnectedCB(options, &freshet_on_reconnected, closure());
    natsOptions_SetLameDuckModeCB(options, &freshet_on_lame_duck, closure());
    natsOptions_SetClosedCB(options, &freshet_on_closed, closure());
    natsOptions_SetErrorHandler(options, &freshet_on_error, closure());
    natsOptions_SetCustomReconnectDelay(options, &freshet_reconnect_delay, closure());
}

bool Callbacks::install_sockets([[maybe_unused]] natsOptions* options) const {
#ifdef FRESHET_HAS_NATSOPTIONS_SETPROXYCONNHANDLER
    return natsOptions_SetProxyConnHandler(options, &freshet_connect_socket, closure()) == NATS_OK;
#else
    return false;
#endif
}

void Callbacks::install_signature(natsOptions* options, const std::string& public_key) const {
    if (const auto status = natsOptions_SetNKey(options, public_key.c_str(), &freshet_sign, closure());
        status != NATS_OK) {
        raise(to_error(status, "cannot use the nkey"));
    }
}

void Callbacks::install_jwt(natsOptions* options) const {
    const auto status =
        natsOptions_SetUserCredentialsCallbacks(options, &freshet_jwt, closure(), &freshet_sign, closure());
    if (status != NATS_OK) raise(to_error(status, "cannot use the JWT"));
}

void Callbacks::install_token(natsOptions* options) const {
    const auto status = natsOptions_SetTokenHandler(options, &freshet_token, closure());
    if (status != NATS_OK) raise(to_error(status, "cannot use the function that gives the token"));
}

}  // namespace freshet::detail::nats
