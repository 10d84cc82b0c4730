// SPDX-License-Identifier: Apache-2.0
#include "nats/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace freshet::detail::nats {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds least_per_address{10};

/// Owns a file descriptor: closes it when it is destroyed.
class Socket {
public:
    explicit Socket(int descriptor) noexcept : descriptor_{descriptor} {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    int get() const noexcept { return descriptor_; }
    int release() noexcept { return std::exchange(descriptor_, -1); }

private:
    int descriptor_;
};

int to_int(milliseconds time) noexcept {
    return static_cast<int>(std::min<milliseconds::rep>(time.count(), std::numeric_limits<int>::max()));
}

bool set_option(int socket, int level, int option, int value) noexcept {
    return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

/// Makes the kernel end the connection if the peer acknowledges nothing for `limit`. Returns false if it cannot.
bool limit_writes(int socket, [[maybe_unused]] milliseconds limit) noexcept {
#ifdef TCP_USER_TIMEOUT
    return set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, to_int(limit));
#else
    return socket < 0;
#endif
}

/// Sets a socket up as cnats does: not blocking, and without waiting for more to send (TCP_NODELAY).
bool prepare(int socket, milliseconds write_limit) noexcept {
    const int flags = ::fcntl(socket, F_GETFL);
    return flags >= 0 && ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0 &&
           ::fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 && set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1) &&
           limit_writes(socket, write_limit);
}

/// Blocks until the socket is connected, for `limit` at most; 0: without a limit. Returns NATS_TIMEOUT at the limit.
natsStatus await_connected(int socket, milliseconds limit) noexcept {
    const auto deadline = steady_clock::now() + limit;
    for (;;) {
        pollfd waited{.fd = socket, .events = POLLOUT, .revents = 0};
        const auto left = std::max(std::chrono::ceil<milliseconds>(deadline - steady_clock::now()), milliseconds{0});
        const int ready = ::poll(&waited, 1, limit.count() == 0 ? -1 : to_int(left));
        if (ready == 0) return NATS_TIMEOUT;
        if (ready > 0) break;
        if (errno != EINTR) return NATS_IO_ERROR;
    }
    int error = 0;
    socklen_t size = sizeof error;
    const bool connected = ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
    return connected ? NATS_OK : NATS_NO_SERVER;
}

natsStatus connect_to(natsSock& made, const addrinfo& address, const SocketLimits& limits) noexcept {
    Socket socket{::socket(address.ai_family, address.ai_socktype, address.ai_protocol)};
    if (socket.get() < 0) return NATS_NO_SERVER;  // such as an IPv6 address on a machine without IPv6
    if (!prepare(socket.get(), limits.write)) return NATS_SYS_ERROR;
    if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
        if (errno != EINPROGRESS) return NATS_NO_SERVER;
        if (const auto status = await_connected(socket.get(), limits.connect); status != NATS_OK) return status;
    }
    made = socket.release();
    return NATS_OK;
}

using AddressList = std::unique_ptr<addrinfo, decltype([](addrinfo* list) { ::freeaddrinfo(list); })>;

AddressList resolve(const char* host, int port) {
    const addrinfo wanted{.ai_flags = 0,
                          .ai_family = AF_UNSPEC,
                          .ai_socktype = SOCK_STREAM,
                          .ai_protocol = 0,
                          .ai_addrlen = 0,
                          .ai_addr = nullptr,
                          .ai_canonname = nullptr,
                          .ai_next = nullptr};
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host, std::to_string(port).c_str(), &wanted, &found);
    return AddressList{error == 0 ? found : nullptr};
}

std::vector<const addrinfo*> in_order(const AddressList& list) {
    std::vector<const addrinfo*> addresses;
    for (const auto* next = list.get(); next != nullptr; next = next->ai_next) addresses.push_back(next);
    std::ranges::shuffle(addresses, std::minstd_rand{std::random_device{}()});
    std::ranges::stable_partition(addresses, [](const addrinfo* each) { return each->ai_family == AF_INET; });
    return addresses;
}

natsStatus connect_to_any(natsSock& socket, const char* host, int port, const SocketLimits& limits) {
    const auto list = resolve(host, port);
    const auto addresses = in_order(list);
    auto each = limits;
    if (limits.connect.count() > 0 && !addresses.empty())
        each.connect = std::max(limits.connect / std::ssize(addresses), least_per_address);
    auto status = NATS_NO_SERVER;
    for (const auto* address : addresses) {
        status = connect_to(socket, *address, each);
        if (status == NATS_OK) break;
    }
    return status;
}

}  // namespace

bool kernel_limits_writes() noexcept {
    static const bool able = [] {
        const Socket probe{::socket(AF_INET, SOCK_STREAM, 0)};
        return probe.get() >= 0 && limit_writes(probe.get(), milliseconds{1});
    }();
    return able;
}

bool adopt_socket(natsSock socket, const SocketLimits& limits) noexcept {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) return false;
    prepare(socket, limits.write);  // what a socket that is not of TCP cannot is left out
    return true;
}

std::string peek_greeting(natsSock socket, milliseconds limit, milliseconds linger) {
    const auto peek = [&] {
        std::string text(std::size_t{64} << 10, '\0');
        const auto size = ::recv(socket, text.data(), text.size(), MSG_PEEK | MSG_DONTWAIT);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        return text;
    };
    const auto deadline = steady_clock::now() + limit;
    for (auto wait = milliseconds{1};; wait = std::min(wait * 2, milliseconds{20})) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
        if (left.count() <= 0) return {};
        pollfd waited{.fd = socket, .events = POLLIN, .revents = 0};
        if (::poll(&waited, 1, to_int(left)) <= 0) return {};
        if (peek().find("\r\n") != std::string::npos) break;
        if ((waited.revents & (POLLHUP | POLLERR)) != 0) return {};
        ::poll(nullptr, 0, to_int(wait));  // half a line has come
    }
    pollfd closed{.fd = socket, .events = POLLRDHUP, .revents = 0};
    if (linger.count() > 0) static_cast<void>(::poll(&closed, 1, to_int(linger)));
    return peek();
}

natsStatus connect_socket(natsSock& socket, const char* host, int port, const SocketLimits& limits) noexcept {
    try {
        return connect_to_any(socket, host, port, limits);
    } catch (...) { return NATS_NO_MEMORY; }
}

}  // namespace freshet::detail::nats
