// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <freshet/testing/failed.hpp>

namespace freshet::testing {

/// TLS settings of a Server: paths of PEM files.
struct ServerTls {
    std::string certificate = {};  ///< empty: no TLS
    std::string private_key = {};
    std::string client_ca = {};    ///< clients must show a certificate signed by this one; empty: need none
    bool handshake_first = false;  ///< does the TLS handshake before the server sends INFO
};

/// Options of a Server.
struct ServerOptions {
    std::string config = {};                  ///< lines of the configuration file, before those of the other fields
    std::vector<std::string> arguments = {};  ///< more command line arguments (default: none)
    bool jetstream = false;                   ///< JetStream with a store of its own, which restart() keeps
    std::string user = {};                    ///< with `password`: the user that may connect; empty: anybody may
    std::string password = {};
    std::string token = {};  ///< token that clients must send; empty: none
    ServerTls tls = {};
    std::string name = {};                 ///< server_name; needed in a cluster with JetStream
    std::string cluster = {};              ///< name of the cluster that the server joins; empty: none
    std::vector<std::string> routes = {};  ///< cluster_url() of members that run already
    std::string program = {};              ///< path of the nats-server to run; empty: see Server
};

/// Runs a nats-server for a test, on 127.0.0.1 and a free port, with its files in a temporary directory. The server
/// runs when the constructor returns, and has ended when the destructor returns. It also ends with the thread that
/// started it.
///
/// The program is $NATS_SERVER, else `nats-server` from the PATH, /usr/sbin or /usr/local/bin. When an exception ends
/// the test, or if $FRESHET_KEEP_LOGS is set, the files stay, and their directory is printed.
///
/// Functions block until they are done. They throw std::runtime_error with the server's log if they fail. Not
/// thread-safe.
class Server {
public:
    explicit Server(ServerOptions options = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// Returns `nats://127.0.0.1:PORT`, or `tls://localhost:PORT` with TLS.
    std::string url() const;
    /// Returns the URL with user and password in it.
    std::string url(std::string_view user, std::string_view password) const;
    /// Returns the URL for ServerOptions::routes of another member of the cluster.
    std::string cluster_url() const;
    /// Returns the port for clients.
    std::uint16_t port() const { return port_; }
    /// Returns the process id; 0 while the server does not run.
    pid_t pid() const { return pid_; }
    /// Returns the directory of the configuration, the log and the store.
    const std::filesystem::path& directory() const { return directory_; }
    /// Returns the log of all runs so far.
    std::string log() const;

    /// Ends the server in an orderly way, as an operator does.
    void stop();
    /// Ends the server at once, as a crash does.
    void kill();
    /// Stops the server if it runs, and starts it again on the same port with the same store.
    void restart();
    /// Stops the server if it runs, and starts it again with other options.
    void restart(ServerOptions options);
    /// Has the running server read other options, as an operator does who changes users, rights or limits; the server
    /// refuses some changes, such as of its name.
    void reload(ServerOptions options);
    /// Freezes the process: connections stay open, and the server does not answer until resume().
    void pause();
    /// Lets a paused server go on.
    void resume();
    /// Tells the clients to use another server; this one ends by itself about `lame_duck_duration` later.
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
    detail::FailureProbe probe_ = {};
};

}  // namespace freshet::testing
