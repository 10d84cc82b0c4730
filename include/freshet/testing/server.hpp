// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace freshet::testing {

/// TLS of a server; PEM files.
struct ServerTls {
    std::string certificate = {};  ///< empty: no TLS
    std::string private_key = {};
    std::string client_ca = {};  ///< not empty: clients must show a certificate signed by this one
    bool handshake_first = false;
};

/// How a server is started.
struct ServerOptions {
    std::string config = {};                  ///< lines of the configuration file, before what the other fields add
    std::vector<std::string> arguments = {};  ///< more command line arguments (default: none)
    bool jetstream = false;                   ///< with a store of its own, which restart() keeps
    std::string user = {};                    ///< with `password`: who may connect (default: anybody)
    std::string password = {};
    std::string token = {};
    ServerTls tls = {};
    std::string name = {};                 ///< server_name; needed in a cluster with JetStream
    std::string cluster = {};              ///< name of the cluster it belongs to
    std::vector<std::string> routes = {};  ///< cluster_url() of members that were started before
    std::string program = {};              ///< the nats-server to run; empty: see Server
};

/// A nats-server of its own for a test: on 127.0.0.1 and a free port, its files in a temporary directory. It runs when
/// the constructor returns, and is gone when the destructor does; it also ends with the thread that started it.
/// The program is $NATS_SERVER, else `nats-server` on the PATH or in /usr/sbin. When an exception ends the test, or with
/// $FRESHET_KEEP_LOGS set, its files stay, and where they are is printed.
/// Functions block until what they say is so, and throw std::runtime_error with the server's log. Not thread-safe.
class Server {
public:
    explicit Server(ServerOptions options = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// `nats://127.0.0.1:PORT`, or `tls://localhost:PORT` with TLS.
    std::string url() const;
    /// The same with user and password in it.
    std::string url(std::string_view user, std::string_view password) const;
    std::string cluster_url() const;
    std::uint16_t port() const { return port_; }
    /// 0 while it is not running.
    pid_t pid() const { return pid_; }
    const std::filesystem::path& directory() const { return directory_; }
    /// What all its runs wrote so far.
    std::string log() const;

    /// Ends it in an orderly way, as an operator does.
    void stop();
    /// Ends it at once, as a crash does.
    void kill();
    /// Starts it again, stopping it first if it runs: the same port, the same store.
    void restart();
    /// Starts it again with other options.
    void restart(ServerOptions options);
    /// Freezes the process: connections stay open and nobody answers.
    void pause();
    void resume();
    /// Tells the clients to go elsewhere; it ends by itself about `lame_duck_duration` later.
    void lame_duck();

private:
    bool keeps_files() const noexcept;
    void start();
    void spawn();
    bool wait_until_ready();
    void read_ports(std::string_view ports);
    void signal(int number) const;
    void reap() noexcept;
    void write_config() const;
    std::vector<std::string> command() const;

    ServerOptions options_;
    std::filesystem::path directory_;
    std::uint16_t port_ = 0;
    std::uint16_t cluster_port_ = 0;
    pid_t pid_ = 0;
    int exceptions_ = std::uncaught_exceptions();
};

}  // namespace freshet::testing
