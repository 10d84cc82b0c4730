// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace freshet::testing {

/// Takes a server's place on its port while it lives, to see that somebody knocks.
class Doorstep {
public:
    explicit Doorstep(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        const int yes = 1;
        ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        const bool listens = ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                             ::listen(socket_, 1) == 0;
        if (!listens) throw std::system_error{errno, std::generic_category(), "cannot listen"};
    }
    Doorstep(const Doorstep&) = delete;
    Doorstep& operator=(const Doorstep&) = delete;
    ~Doorstep() { ::close(socket_); }

    /// Waits for somebody and hangs up on them; false when nobody comes.
    bool turn_away() const {
        constexpr int timeout = 20'000;  // milliseconds
        pollfd ready{socket_, POLLIN, 0};
        if (::poll(&ready, 1, timeout) != 1) return false;
        const int visitor = ::accept(socket_, nullptr, nullptr);
        ::close(visitor);
        return visitor >= 0;
    }

private:
    int socket_;
};

}  // namespace freshet::testing
