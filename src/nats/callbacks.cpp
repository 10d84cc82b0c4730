// SPDX-License-Identifier: Apache-2.0
#include "nats/callbacks.hpp"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "nats/library.hpp"

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

/// Clears this thread's last error in cnats. Otherwise cnats reports the thread's last TLS error for later failures
/// too. It clears the error itself only where it makes the socket, and has no function for that.
void forget_tls_error() noexcept { static_cast<void>(natsConnection_Publish(nullptr, nullptr, nullptr, 0)); }

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
    forget_tls_error();
    return listener != nullptr ? connect_socket(*socket, host, port, listener->socket_limits())
                               : NATS_CONNECTION_CLOSED;
}

natsStatus freshet_sign(char** error, unsigned char** signature, int* length, const char* nonce,
                        void* closure) noexcept {
    const auto listener = find(closure);
    const auto seed = listener != nullptr ? listener->seed() : std::string{};
    const auto status = nats_Sign(seed.c_str(), nonce, signature, length);
    if (status != NATS_OK) *error = ::strdup("cannot sign with the nkey seed");  // cnats frees it
    return status;
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

}  // namespace freshet::detail::nats
