// SPDX-License-Identifier: Apache-2.0
#include <freshet/testing/server.hpp>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/quoted.hpp"

namespace freshet::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto start_timeout = 20s;
constexpr auto poll_interval = 2ms;
constexpr int start_attempts = 20;  // another process may hold the port of a restart for a moment

std::string find_program() {
    if (const char* given = std::getenv("NATS_SERVER"); given != nullptr && *given != '\0') return given;
    const char* path = std::getenv("PATH");
    std::string directories = std::string{path != nullptr ? path : ""} + ":/usr/sbin:/usr/local/bin";
    for (std::size_t begin = 0; begin < directories.size();) {
        const auto end = std::min(directories.find(':', begin), directories.size());
        const auto program = directories.substr(begin, end - begin) + "/nats-server";
        if (::access(program.c_str(), X_OK) == 0) return program;
        begin = end + 1;
    }
    throw std::runtime_error{"nats-server is neither on the PATH nor in /usr/sbin or /usr/local/bin; install it, "
                             "or set NATS_SERVER to its path"};
}

fs::path make_directory() {
    auto name = (fs::temp_directory_path() / "freshet-nats-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::system_error{errno, std::generic_category(), "cannot make the directory " + detail::quoted(name)};
    }
    return name;
}

std::string read_file(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// Returns the port in `"key":["nats://127.0.0.1:PORT"` of a ports file; 0 if it is not there.
std::uint16_t port_of(std::string_view ports, std::string_view key) {
    const auto list = ports.find('"' + std::string{key} + "\":");
    if (list == std::string_view::npos) return 0;
    const auto host = ports.find("://", list);
    const auto colon = host == std::string_view::npos ? host : ports.find(':', host + 3);
    std::uint16_t port = 0;
    if (colon != std::string_view::npos) std::from_chars(ports.data() + colon + 1, ports.data() + ports.size(), port);
    return port;
}

bool accepts_connections(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return connected;
}

/// Runs the program in the child process. Makes only async-signal-safe calls.
[[noreturn]] void run_program(char* const argv[], const char* log, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);  // the parent died before the line above
    const int fd = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);  // sockets of clients under test would stay open in the server
    ::execv(argv[0], argv);
    ::_exit(127);
}

}  // namespace

Server::Server(ServerOptions options) : options_{std::move(options)}, directory_{make_directory()} {
    try {
        start();
    } catch (...) {
        reap();
        fs::remove_all(directory_);
        throw;
    }
}

Server::~Server() {
    reap();
    if (keeps_files()) {
        std::fprintf(stderr, "freshet: the files of the nats-server, its log among them, are in %s\n",
                     directory_.c_str());
        return;
    }
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

bool Server::keeps_files() const noexcept {
    const char* const keep = std::getenv("FRESHET_KEEP_LOGS");
    return probe_.failed() || (keep != nullptr && *keep != '\0');
}

std::string Server::url() const {
    const bool tls = !options_.tls.certificate.empty();
    return (tls ? "tls://localhost:" : "nats://127.0.0.1:") + std::to_string(port_);
}

std::string Server::url(std::string_view user, std::string_view password) const {
    auto text = url();
    return text.insert(text.find("://") + 3, std::string{user} + ':' + std::string{password} + '@');
}

std::string Server::cluster_url() const { return "nats://127.0.0.1:" + std::to_string(cluster_port_); }

std::string Server::log() const { return read_file(directory_ / "log"); }

void Server::start() {
    write_config();
    for (int attempt = 1;; ++attempt) {
        spawn();
        if (wait_until_ready()) return;
        reap();
        if (port_ == 0 || attempt == start_attempts)
            throw std::runtime_error{"nats-server does not start; its log:\n" + log()};
        std::this_thread::sleep_for(50ms);
    }
}

void Server::spawn() {
    auto arguments = command();
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const auto log_file = (directory_ / "log").string();
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) run_program(argv.data(), log_file.c_str(), parent);
    if (child < 0) throw std::system_error{errno, std::generic_category(), "cannot start nats-server: fork"};
    pid_ = child;
}

bool Server::wait_until_ready() {
    const auto ports_file =
        directory_ / (fs::path{command().front()}.filename().string() + '_' + std::to_string(pid_) + ".ports");
    const auto deadline = std::chrono::steady_clock::now() + start_timeout;
    while (std::chrono::steady_clock::now() < deadline) {
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = 0;
            return false;
        }
        const auto ports = read_file(ports_file);
        if (!ports.empty() && ports.find('}') != std::string::npos) {
            read_ports(ports);
            if (accepts_connections(port_)) return true;
        }
        std::this_thread::sleep_for(poll_interval);
    }
    return false;
}

void Server::read_ports(std::string_view ports) {
    port_ = port_of(ports, "nats");
    if (!options_.cluster.empty()) cluster_port_ = port_of(ports, "cluster");
    if (port_ == 0)
        throw std::runtime_error{"nats-server names no port for clients in its ports file: " + std::string{ports}};
}

void Server::stop() {
    if (pid_ == 0) return;
    resume();
    signal(SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

void Server::kill() { reap(); }

void Server::restart() {
    stop();
    start();
}

void Server::restart(ServerOptions options) {
    stop();
    options_ = std::move(options);
    start();
}

void Server::reload(ServerOptions options) {
    constexpr std::string_view done{"Reloaded server configuration"};
    options_ = std::move(options);
    write_config();
    const auto before = log().size();
    signal(SIGHUP);
    const auto deadline = std::chrono::steady_clock::now() + start_timeout;
    while (log().find(done, before) == std::string::npos) {
        if (std::chrono::steady_clock::now() >= deadline || log().find("Failed to reload", before) != std::string::npos)
            throw std::runtime_error{"nats-server does not take the changed options; its log:\n" + log()};
        std::this_thread::sleep_for(poll_interval);
    }
}

void Server::pause() {
    signal(SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
}

void Server::resume() { signal(SIGCONT); }

void Server::lame_duck() { signal(SIGUSR2); }

void Server::signal(int number) const {
    if (pid_ == 0) throw std::runtime_error{"cannot signal nats-server: it does not run; restart() it first"};
    ::kill(pid_, number);
}

void Server::reap() noexcept {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

void Server::write_config() const {
    std::ofstream out{directory_ / "config"};
    const auto quoted = [](const auto& text) { return '"' + std::string{text} + '"'; };
    out << options_.config << '\n';
    if (!options_.name.empty()) out << "server_name: " << quoted(options_.name) << '\n';
    if (options_.jetstream) out << "jetstream { store_dir: " << quoted((directory_ / "store").string()) << " }\n";
    if (!options_.user.empty()) {
        out << "authorization { user: " << quoted(options_.user) << ", password: " << quoted(options_.password)
            << " }\n";
    }
    if (!options_.token.empty()) out << "authorization { token: " << quoted(options_.token) << " }\n";
    if (const auto& tls = options_.tls; !tls.certificate.empty()) {
        out << "tls { cert_file: " << quoted(tls.certificate) << ", key_file: " << quoted(tls.private_key);
        if (!tls.client_ca.empty()) out << ", ca_file: " << quoted(tls.client_ca) << ", verify: true";
        if (tls.handshake_first) out << ", handshake_first: true";
        out << ", timeout: 10 }\n";
    }
    if (!options_.cluster.empty()) {
        out << "cluster { name: " << quoted(options_.cluster)
            << ", listen: \"127.0.0.1:" << (cluster_port_ == 0 ? "-1" : std::to_string(cluster_port_))
            << "\", routes: [ ";
        for (const auto& route : options_.routes) out << quoted(route) << ", ";
        out << "\"nats://127.0.0.1:1\" ] }\n";  // leads nowhere: JetStream in a cluster requires a route
    }
    if (!out.flush()) throw std::runtime_error{"cannot write " + detail::quoted((directory_ / "config").string())};
}

std::vector<std::string> Server::command() const {
    std::vector<std::string> words{options_.program.empty() ? find_program() : options_.program,
                                   "-a",
                                   "127.0.0.1",
                                   "-p",
                                   port_ == 0 ? "-1" : std::to_string(port_),
                                   "--ports_file_dir",
                                   directory_.string(),
                                   "-c",
                                   (directory_ / "config").string()};
    words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
    return words;
}

}  // namespace freshet::testing
