// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include <nats/nats.h>

namespace freshet::detail::nats {

/// The longest times that a connection waits; 0: no limit.
struct SocketLimits {
    std::chrono::milliseconds connect{};  ///< to connect to all addresses of a host together; at least 10 ms for each
    std::chrono::milliseconds write{};    ///< for the server's machine to acknowledge sent bytes
};

/// Returns whether the kernel can end a connection whose peer accepts no data (TCP_USER_TIMEOUT, RFC 5482). Then cnats
/// needs no write deadline, for which it reads the clock at each publication, and asks the socket twice for each
/// message that it waits for.
bool kernel_limits_writes() noexcept;

/// Connects to one address of the host after the other: those of IPv4 first, then in random order, as cnats does.
/// Blocks. The resulting `socket` is non-blocking: cnats reads the server's first line with a deadline, and then sets
/// the mode itself. Returns NATS_NO_SERVER if nothing accepts or the name cannot be resolved, NATS_TIMEOUT if the last
/// address did not answer.
natsStatus connect_socket(natsSock& socket, const char* host, int port, const SocketLimits& limits) noexcept;

/// Sets up a socket that somebody else has connected as connect_socket() sets up its own. Returns false if it is not
/// one.
bool adopt_socket(natsSock socket, const SocketLimits& limits) noexcept;

/// Returns what the server sends first, and leaves it to be read again. Blocks until a line has come, and then until
/// the server closes the connection or `linger` is over; "" if no line comes within `limit`.
std::string peek_greeting(natsSock socket, std::chrono::milliseconds limit, std::chrono::milliseconds linger);

}  // namespace freshet::detail::nats
