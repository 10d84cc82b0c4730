// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include <nats/nats.h>

namespace freshet::detail::nats {

/// What a connection waits for at most; 0: no limit.
struct SocketLimits {
    std::chrono::milliseconds connect{};  ///< for all addresses of a host together, and at least 10 ms for each
    std::chrono::milliseconds write{};    ///< for the server's machine to take what was sent
};

/// Whether the kernel ends a connection that takes nothing (TCP_USER_TIMEOUT, RFC 5482). Then cnats needs no write deadline,
/// for which it reads the clock at each publication, and asks the socket twice for each message that it waits for.
bool kernel_limits_writes() noexcept;

/// Connects to one address of the host after the other: those of IPv4 first, then in random order, as cnats does. Blocks.
/// `socket` does not block: cnats reads the server's first line with a deadline, and then chooses itself.
/// NATS_NO_SERVER where nothing accepts or the name cannot be resolved, NATS_TIMEOUT where the last address did not answer.
natsStatus connect_socket(natsSock& socket, const char* host, int port, const SocketLimits& limits) noexcept;

}  // namespace freshet::detail::nats
