// SPDX-License-Identifier: Apache-2.0
#include "nats/connection.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>
#include <openssl/err.h>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "base/without_secrets.hpp"
#include "nats/connect_failure.hpp"
#include "nats/greeting.hpp"
#include "nats/last_words.hpp"
#include "nats/options.hpp"
#include "nats/socket.hpp"
#include "nats/tls.hpp"
#include "nats/url.hpp"

namespace freshet::detail::nats {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// A connection that is lost sooner was likely refused for what it did, such as one subscription too many. Making it
// again at once would fail at once.
constexpr std::chrono::seconds early{10};
// A server that refuses a new connection says so and closes it at once.
constexpr milliseconds time_to_listen{200};

}  // namespace

std::shared_ptr<Connections::Connection> Connections::Connection::make(std::weak_ptr<Connections> owner, Lane lane,
                                                                       const BrokerOptions& options) {
    auto connection = std::make_shared<Connection>(std::move(owner), lane, options);
    connection->callbacks_ = std::make_unique<Callbacks>(connection);
    return connection;
}

Connections::Connection::Connection(std::weak_ptr<Connections> owner, Lane which, const BrokerOptions& options)
    : lane{which}, owner_{std::move(owner)}, credentials_{options.credentials} {}

Connections::Connection::~Connection() {
    if (handle) last_words::forget(handle.get());
}

std::vector<FailedAttempt> Connections::Connection::connect(const BrokerOptions& options,
                                                            std::string_view first_server) {
    key_was_encrypted_ = has_encrypted_key(options.tls);
    const auto made = make_options(options, lane, credentials_, *callbacks_, first_server);
    ::ERR_clear_error();
    const auto status = natsConnection_Connect(out(handle), made.get());
    if (status == NATS_OK) {
        succeed();
        last_words::watch(handle.get(), socket_, weak_from_this());
        return {};
    }
    const auto last = with_tls_alert(last_failure(status));
    attempts_.fail(last);
    auto failed = attempts_.take();
    if (failed.empty()) failed.push_back({.failure = last});  // this cnats makes its sockets itself
    return failed;
}

std::string Connections::Connection::url() const {
    std::array<char, 512> text{};
    natsConnection_GetConnectedUrl(handle.get(), text.data(), text.size());
    return without_credentials(text.data());
}

std::string Connections::Connection::address() const { return without_scheme(url()); }

std::string Connections::Connection::last_url() const {
    const std::lock_guard lock{server_mutex_};
    return last_url_;
}

/// Notes that the connection is made.
void Connections::Connection::succeed() {
    attempts_.succeed();
    made_ = steady_clock::now();
    auto made = url();
    const std::lock_guard lock{server_mutex_};
    if (!made.empty()) last_url_ = std::move(made);  // empty: it is lost again
}

std::string Connections::Connection::end() const {
    const auto last = remembered_error(handle.get());
    if (!last.detail.empty()) return last.detail;
    return is_bare(last) ? "the server closed it without a reason; its log may name one"
                         : natsStatus_GetText(last.status);
}

std::string Connections::Connection::take_loss() {
    auto words = last_words::take(handle.get());
    const int times = early_losses_;
    if (times < 3) return words;
    return fmt::format("{}{} losses in a row, each soon after it was made: this will not pass by itself",
                       words.empty() ? "" : words + "; ", times);
}

bool Connections::Connection::move_on() {
#ifdef FRESHET_HAS_NATSCONNECTION_RECONNECT
    char** servers = nullptr;
    int count = 0;
    if (natsConnection_GetServers(handle.get(), &servers, &count) != NATS_OK) return false;
    for (int i = 0; i < count; ++i) std::free(servers[i]);
    std::free(servers);
    return count > 1 && natsConnection_Reconnect(handle.get()) == NATS_OK;
#else
    return false;
#endif
}

void Connections::Connection::on_lost() noexcept {
    tell([](Connections& all) { all.on_lost(); });
}

void Connections::Connection::on_disconnected() noexcept {
    tell([&](Connections& all) { all.on_disconnected(*this); });
}

void Connections::Connection::on_reconnected() noexcept {
    listens_first_ = false;
    try {
        succeed();
    } catch (...) {}  // no memory for the address
    tell([&](Connections& all) { all.on_reconnected(*this); });
}

void Connections::Connection::on_lame_duck() noexcept {
    tell([&](Connections& all) { all.on_lame_duck(*this); });
}

void Connections::Connection::on_closed() noexcept {
    tell([&](Connections& all) { all.on_closed(*this); });
}

void Connections::Connection::on_error(natsSubscription* subscription, const Failure& failure) noexcept {
    tell([&](Connections& all) { all.on_error(*this, subscription, failure); });
}

milliseconds Connections::Connection::reconnect_delay(int round) noexcept {
    milliseconds delay{1};
    tell([&](Connections& all) {
        if (round == 1) early_losses_ = steady_clock::now() - made_.load() < early ? early_losses_ + 1 : 0;
        attempts_.fail();
        const auto failed = attempts_.take();
        if (std::ranges::any_of(failed, is_bare, &FailedAttempt::failure)) listen_first();
        all.on_failed(*this, failed);
        // A failure is told when the attempt is made, which it prevents.
        static_cast<void>(credentials_.refresh());
        delay = all.delay(round + std::max(early_losses_ - 1, 0));
    });
    return delay;
}

natsStatus Connections::Connection::connect_socket(natsSock& socket, const char* host, int port) noexcept {
    natsStatus status = NATS_CONNECTION_CLOSED;
    tell([&](Connections& all) {
        try {
            attempts_.begin(address_of(host, std::to_string(port)));
            status = dial(all, socket, host, port);
            if (status == NATS_OK) status = hear(all, socket);
            if (status == NATS_OK) socket_ = socket;
        } catch (...) { status = NATS_NO_MEMORY; }
    });
    return status;
}

/// Keeps what the server tells of itself. Ends the attempt if it says why it does not take the connection.
natsStatus Connections::Connection::hear(Connections& all, natsSock& socket) {
    if (all.options_.tls.handshake_first) return NATS_OK;  // such a server waits for the client
    const auto linger = listens_first_ ? time_to_listen : milliseconds{0};
    auto greeting = read_greeting(peek_greeting(socket, all.options_.connect_timeout, linger));
    if (greeting.refusal.empty()) {
        const std::lock_guard lock{server_mutex_};
        server_ = std::move(greeting.server);
        return NATS_OK;
    }
    attempts_.fail({NATS_ERR, greeting.refusal});
    ::close(std::exchange(socket, -1));
    return NATS_ERR;
}

ServerInfo Connections::Connection::server() const {
    const std::lock_guard lock{server_mutex_};
    return server_;
}

/// Returns why an attempt cannot succeed; nothing if it may.
std::optional<Failure> Connections::Connection::unfit(Connections& all) {
    if (credentials_.has_token()) {
        if (const auto token = credentials_.token(); !token) return Failure{NATS_ILLEGAL_STATE, token.error().what()};
    }
    // cnats reads a key that was not encrypted again. OpenSSL would now ask for the passphrase on the terminal.
    const auto& tls = all.options_.tls;
    if (key_was_encrypted_ || !has_encrypted_key(tls)) return std::nullopt;
    return Failure{NATS_ILLEGAL_STATE,
                   fmt::format("TlsOptions::private_key {} was replaced by an encrypted key, which can only be opened "
                               "at the start; put one there that is not encrypted, or start the program again",
                               quoted(without_secrets(tls.private_key)))};
}

natsStatus Connections::Connection::dial(Connections& all, natsSock& socket, const char* host, int port) {
    if (auto failure = unfit(all)) {
        attempts_.fail(*std::move(failure));
        return NATS_ILLEGAL_STATE;
    }
    const SocketLimits limits{.connect = all.options_.connect_timeout, .write = all.options_.write_timeout};
    if (!all.options_.dial) {
        const auto status = nats::connect_socket(socket, host, port, limits);
        if (status != NATS_OK) attempts_.fail({status, natsStatus_GetText(status)});
        return status;
    }
    try {
        const CallbackScope scope;  // it may run on a thread that connects again
        socket = all.options_.dial(host, static_cast<std::uint16_t>(port));
    } catch (...) {
        attempts_.fail({NATS_ERR, "BrokerOptions::dial threw: " + without_secrets(exception_text())});
        return NATS_NO_SERVER;
    }
    if (adopt_socket(socket, limits)) return NATS_OK;
    attempts_.fail({NATS_ILLEGAL_STATE, fmt::format("BrokerOptions::dial returned {}, which is no socket", socket)});
    return NATS_SYS_ERROR;
}

}  // namespace freshet::detail::nats
