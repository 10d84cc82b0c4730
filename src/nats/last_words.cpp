// SPDX-License-Identifier: Apache-2.0
#include "nats/last_words.hpp"

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "nats/callbacks.hpp"
#include "nats/status.hpp"

namespace freshet::detail::nats::last_words {
namespace {

struct Watched {
    const std::atomic<int>* socket;
    std::weak_ptr<ConnectionListener> listener;
    std::string words = {};
    std::chrono::steady_clock::time_point said = {};
    bool taken = false;

    void hear(std::string text) {
        words = std::move(text);
        said = std::chrono::steady_clock::now();
        taken = false;
    }
};

struct Registry {
    std::mutex mutex = {};
    std::map<natsConnection*, Watched> connections = {};
};

/// Returns the registry. It is never destroyed, because cnats's threads run until the process ends.
Registry& registry() {
    static auto& instance = *new Registry;
    return instance;
}

/// Returns whether the socket may be one that cnats has shut down. cnats does that before it starts the thread that
/// connects again. A thread that starts for another reason must not wait for the lock of a connection that works,
/// because a publisher may hold that for as long as the server accepts nothing.
bool may_have_ended([[maybe_unused]] int socket) {
#ifdef TCP_INFO
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) return info.tcpi_state != TCP_ESTABLISHED;
#endif
    return true;
}

/// Returns whether the server has said why it ends the connection. cnats has a status of its own for refused logins.
bool is_said(const Failure& last) {
    return (last.status == NATS_ERR || last.status == NATS_CONNECTION_AUTH_FAILED) && !last.detail.empty();
}

}  // namespace

void watch(natsConnection* connection, const std::atomic<int>& socket, std::weak_ptr<ConnectionListener> listener) {
    auto& all = registry();
    const std::lock_guard lock{all.mutex};
    all.connections.insert_or_assign(connection, Watched{.socket = &socket, .listener = std::move(listener)});
}

void forget(natsConnection* connection) {
    auto& all = registry();
    const std::lock_guard lock{all.mutex};
    all.connections.erase(connection);
}

std::string take(natsConnection* connection) {
    auto& all = registry();
    const std::lock_guard lock{all.mutex};
    const auto found = all.connections.find(connection);
    if (found == all.connections.end() || std::exchange(found->second.taken, true)) return {};
    return found->second.words;
}

std::string since(natsConnection* connection, std::chrono::steady_clock::time_point begin) {
    if (auto words = remembered_error(connection); is_said(words)) return words.detail;
    auto& all = registry();
    const std::lock_guard lock{all.mutex};
    const auto found = all.connections.find(connection);
    return found != all.connections.end() && found->second.said >= begin ? found->second.words : std::string{};
}

extern "C" void freshet_on_thread_started(void*) noexcept {
    std::vector<std::weak_ptr<ConnectionListener>> lost;
    try {
        auto& all = registry();
        const std::lock_guard lock{all.mutex};
        for (auto& [connection, watched] : all.connections) {
            if (!may_have_ended(*watched.socket)) continue;
            auto words = remembered_error(connection);
            if (is_said(words)) watched.hear(std::move(words.detail));
            lost.push_back(watched.listener);
        }
    } catch (...) { lost.clear(); }  // no memory: the callbacks tell, later
    for (const auto& listener : lost)
        if (const auto alive = listener.lock()) alive->on_lost();
}

}  // namespace freshet::detail::nats::last_words
