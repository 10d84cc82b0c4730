// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <csignal>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/server.hpp"
#include "../support/wait.hpp"

using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::NatsServer;

namespace {

/// The first line a server on this port says, "" when it says none within half a second.
std::string greeting(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    std::array<char, 4096> text{};
    pollfd ready{fd, POLLIN, 0};
    const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const auto size = connected && ::poll(&ready, 1, 500) == 1 ? ::read(fd, text.data(), text.size()) : 0;
    ::close(fd);
    return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

TEST_CASE("a test server runs when it is made and is gone with its object") {
    std::filesystem::path directory;
    pid_t pid = 0;
    {
        NatsServer server;
        directory = server.directory();
        pid = server.pid();
        CHECK_THAT(greeting(server.port()), ContainsSubstring("INFO {"));
    }
    CHECK(::kill(pid, 0) == -1);
    CHECK_FALSE(std::filesystem::exists(directory));
}

TEST_CASE("a test server restarts on the same port with the same store") {
    NatsServer server{{.jetstream = true}};
    const auto port = server.port();
    const auto pid = server.pid();
    REQUIRE(std::filesystem::exists(server.directory() / "store"));

    server.kill();
    CHECK(greeting(port).empty());
    server.restart();
    CHECK(server.port() == port);
    CHECK(server.pid() != pid);
    CHECK_THAT(greeting(port), ContainsSubstring("\"jetstream\":true"));

    server.restart({.config = "max_payload: 1234"});
    CHECK(server.port() == port);
    CHECK_THAT(greeting(port), ContainsSubstring("\"max_payload\":1234"));
}

TEST_CASE("a paused test server answers nothing until it goes on") {
    NatsServer server;
    server.pause();
    CHECK(greeting(server.port()).empty());
    server.resume();
    CHECK(eventually([&] { return !greeting(server.port()).empty(); }));
}

TEST_CASE("a test server that cannot start throws with its log") {
    CHECK_THROWS_MATCHES(NatsServer{{.config = "no_such_option_at_all: 1"}}, std::runtime_error,
                         Catch::Matchers::MessageMatches(ContainsSubstring("no_such_option_at_all")));
}

TEST_CASE("test servers form a cluster") {
    NatsServer first{{.name = "a", .cluster = "c"}};
    NatsServer second{{.name = "b", .cluster = "c", .routes = {first.cluster_url()}}};
    CHECK(eventually([&] { return first.log().find("Route connection created") != std::string::npos; }));
}
