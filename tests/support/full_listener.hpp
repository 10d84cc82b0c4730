// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

namespace freshet::testing {

/// A port of 127.0.0.1 at which whoever connects waits for ever, as at a machine that drops what it is sent: somebody
/// listens and never accepts, and has as many waiting as it may.
class FullListener {
public:
    FullListener() {
        for (auto& each : sockets_) each = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(sockets_[0], any, size) == 0);
        REQUIRE(::listen(sockets_[0], 0) == 0);
        REQUIRE(::getsockname(sockets_[0], any, &size) == 0);
        port_ = ntohs(address.sin_port);
        for (std::size_t i = 1; i < sockets_.size(); ++i) static_cast<void>(::connect(sockets_[i], any, size));
    }
    FullListener(const FullListener&) = delete;
    FullListener& operator=(const FullListener&) = delete;
    ~FullListener() {
        for (const int each : sockets_) ::close(each);
    }

    std::uint16_t port() const noexcept { return port_; }

private:
    std::array<int, 4> sockets_ = {};  // the first listens
    std::uint16_t port_ = 0;
};

}  // namespace freshet::testing
