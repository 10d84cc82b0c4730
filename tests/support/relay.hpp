// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace freshet::testing {

/// A port of 127.0.0.1 that passes each connection on to a server, and can break one connection while the others go on.
/// Connections are numbered from 0, in the order in which they came.
class Relay {
public:
    explicit Relay(std::uint16_t server) : server_{server}, listener_{make_socket()} {
        auto any = address(0);
        socklen_t size = sizeof any;
        auto* const raw = reinterpret_cast<sockaddr*>(&any);
        const bool listens = ::bind(listener_, raw, size) == 0 && ::listen(listener_, 8) == 0 &&
                             ::getsockname(listener_, raw, &size) == 0;
        if (!listens) throw std::system_error{errno, std::generic_category(), "cannot listen"};
        port_ = ntohs(any.sin_port);
        thread_ = std::jthread{[this] { run(); }};
    }
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;
    ~Relay() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }

    std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

    /// Ends a connection.
    void hang_up(std::size_t number) {
        const std::lock_guard lock{mutex_};
        ::shutdown(at(number).client, SHUT_RDWR);
    }
    /// Passes nothing on any more; the connection stays, and neither end can tell.
    void silence(std::size_t number) {
        const std::lock_guard lock{mutex_};
        at(number).silent = true;
    }
    /// Takes what the client of a connection sends next without passing it on, and then ends the connection.
    void swallow(std::size_t number) {
        const std::lock_guard lock{mutex_};
        at(number).swallows = true;
    }

private:
    struct Pair {
        int client = -1;  // -1: ended
        int server = -1;
        bool swallows = false;
        bool silent = false;
    };

    static int make_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }
    static sockaddr_in address(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        return address;
    }

    Pair& at(std::size_t number) {
        auto found = pairs_.begin();
        std::advance(found, static_cast<std::ptrdiff_t>(number));
        return *found;
    }

    void run() {
        for (;;) {
            std::vector<pollfd> ready{{listener_, POLLIN, 0}};
            for (const auto& pair : pairs_) {  // only this thread changes the list and the sockets
                if (pair.client < 0) continue;
                ready.push_back({pair.client, POLLIN, 0});
                ready.push_back({pair.server, POLLIN, 0});
            }
            ::poll(ready.data(), ready.size(), -1);
            if (ready.front().revents != 0 && !take_in()) break;
            for (std::size_t i = 1; i < ready.size(); ++i)
                if (ready[i].revents != 0) pass_on(ready[i].fd);
        }
        for (auto& pair : pairs_) end(pair);
    }

    bool take_in() {
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return false;
        const int server = make_socket();
        const auto to = address(server_);
        const std::lock_guard lock{mutex_};
        auto& pair = pairs_.emplace_back(Pair{.client = client, .server = server});
        if (::connect(server, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) end(pair);
        return true;
    }

    void pass_on(int from) {
        const std::lock_guard lock{mutex_};
        for (auto& pair : pairs_) {
            if (pair.client < 0 || (pair.client != from && pair.server != from)) continue;
            std::array<char, 4'096> bytes{};
            const auto size = ::recv(from, bytes.data(), bytes.size(), 0);
            const bool swallows = pair.swallows && from == pair.client;
            const int to = from == pair.client ? pair.server : pair.client;
            if (pair.silent && size > 0) continue;
            if (size <= 0 || swallows || ::send(to, bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) < 0)
                end(pair);
        }
    }

    static void end(Pair& pair) {
        if (pair.client < 0) return;
        ::close(pair.client);
        ::close(pair.server);
        pair.client = pair.server = -1;
    }

    const std::uint16_t server_;
    const int listener_;
    std::uint16_t port_ = 0;
    std::mutex mutex_ = {};
    std::list<Pair> pairs_ = {};
    std::jthread thread_ = {};
};

}  // namespace freshet::testing
