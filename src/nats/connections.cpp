// SPDX-License-Identifier: Apache-2.0
#include "nats/connections.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/fork.hpp"
#include "base/without_secrets.hpp"
#include "nats/best_reasons.hpp"
#include "nats/connect_failure.hpp"
#include "nats/connection.hpp"
#include "nats/library.hpp"
#include "nats/options.hpp"
#include "nats/subscription.hpp"
#include "nats/url.hpp"

namespace freshet::detail::nats {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Kind = ConnectionEvent::Kind;

namespace {

// The time that cnats always takes to close a connection whose server does not answer.
constexpr milliseconds least_close_timeout{500};
// freshet's deadline decides how long a drain takes; cnats's own is later and only a safeguard.
constexpr milliseconds drain_grace{1'000};

// When the time to start is over and no server has named a reason, a few more attempts are made: what the server says
// before it closes a connection is lost now and then, because cnats drops what follows the server's first line.
constexpr int rounds_for_a_reason = 3;

/// Returns the x of `Permissions Violation for Publish to "x"`.
std::string subject_in(const std::string& text) {
    const auto begin = text.find('"');
    const auto end = begin == std::string::npos ? begin : text.find('"', begin + 1);
    return end == std::string::npos ? std::string{} : text.substr(begin + 1, end - begin - 1);
}

}  // namespace

Connections::Connections(const BrokerOptions& options, std::shared_ptr<Subscriptions> subscriptions)
    : options_{options}, subscriptions_{std::move(subscriptions)} {
    // The last callback may destroy this after the broker was destroyed; the user's objects must not live as long.
    options_.logger.reset();
    options_.on_event = nullptr;
}

Connections::~Connections() {
    if (!forked()) return;
    for (const auto& connection : all_)
        std::ignore = connection->handle.release();  // freeing would wait for threads that the child does not have
}

Expected<void> Connections::open(milliseconds wait, EventSink events) {
    if (forked()) return std::unexpected{forked_error("cannot connect")};
    try {
        open_library();
        grow_delivery_pool(options_.delivery_threads);
        sink_ = std::move(events);
        auto connected = connect_until(wait);
        if (connected && !announce()) connected = failure(Errc::closed, "the connection was closed while it was made");
        if (!connected) drop_all();
        return connected;
    } catch (const Error& error) {
        drop_all();
        return std::unexpected{error};
    }
}

Expected<void> Connections::connect_until(milliseconds wait) {
    const auto begin = steady_clock::now();
    BestReasons reasons;
    for (int round = 1;; ++round) {
        if (is_closing()) return {};  // announce() fails then
        const auto attempts = reasons.with(connect_all(reasons.any_bare() ? Listen::first : Listen::no));
        if (attempts.empty()) return {};
        drop_all();
        const auto waited = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
        const bool over = waited >= wait && !(reasons.any_bare() && round < rounds_for_a_reason);
        if (!may_pass(attempts) || over)
            return std::unexpected{connect_error(options_, attempts, round > 1 ? waited : milliseconds{0})};
        if (is_news(attempts))
            emit({.kind = Kind::waiting,
                  .detail =
                      fmt::format("{}; trying again{}", connect_error(options_, attempts, milliseconds{0}).message(),
                                  options_.critical && round == 1 ? fmt::format(" for {} ms", wait.count()) : "")});
        sleep(std::clamp(wait - waited, milliseconds{1}, delay(round)));
    }
}

std::vector<FailedAttempt> Connections::connect_all(Listen listen) {
    std::string first_server;
    for (const auto lane : both_lanes) {
        if (lane == Lane::deliveries && is_single()) break;
        if (auto failed = connect(lane, first_server, listen); !failed.empty()) return failed;
        const std::lock_guard lock{mutex_};
        first_server = all_.back()->address();
    }
    return {};
}

std::vector<FailedAttempt> Connections::connect(Lane lane, std::string_view first_server, Listen listen) {
    const auto connection = Connection::make(weak_from_this(), lane, options_);
    {
        const std::lock_guard lock{mutex_};
        all_.push_back(connection);  // added before it connects, so that no callback is missed
    }
    if (listen == Listen::first) connection->listen_first();
    return connection->connect(options_, first_server);
}

void Connections::drop_all() {
    All dropped;
    const std::lock_guard lock{mutex_};
    std::swap(dropped, all_);
}

/// Emits "connected" and the events since then. Returns false if the connections were closed meanwhile.
bool Connections::announce() {
    const std::lock_guard sink_lock{sink_mutex_};
    std::shared_ptr<Connection> lost;
    {
        const std::lock_guard lock{mutex_};
        if (closing_ || std::ranges::any_of(all_, [](const auto& connection) { return connection->closed; }))
            return false;
        for (const auto& connection : all_)
            native_[static_cast<std::size_t>(connection->lane)] = connection->handle.get();
        if (is_single()) native_[static_cast<std::size_t>(Lane::deliveries)] = native(Lane::replies);
        opened_ = true;
        told_.clear();
        const auto down = std::ranges::find_if(all_, [](const auto& connection) { return !connection->up; });
        if (down != all_.end()) lost = *down;
        down_ = lost != nullptr;
    }
    emit_locked({.kind = Kind::connected, .url = url()});
    if (lost == nullptr) return true;
    std::ignore = find_other_losses();
    emit_locked(loss_of(*lost));
    return true;
}

bool Connections::is_closing() {
    const std::lock_guard lock{mutex_};
    return closing_;
}

/// Blocks until the time is over or close() is called.
void Connections::sleep(milliseconds time) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, time, [this] { return closing_; });
}

bool Connections::start_drain(milliseconds timeout) {
    natsConnection* deliveries = nullptr;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& connection : all_) {
            if (connection->lane != Lane::deliveries) continue;
            connection->leaving = true;
            deliveries = connection->handle.get();
        }
    }
    const auto status = natsConnection_DrainTimeout(deliveries, (timeout + drain_grace).count());
    return status == NATS_OK || status == NATS_CONNECTION_CLOSED;
}

void Connections::close(milliseconds timeout) {
    if (forked()) return;  // touches nothing, not even locks
    All connections;
    {
        const std::lock_guard lock{mutex_};
        closing_ = true;
        changed_.notify_all();
        if (opened_) connections = all_;
    }
    const auto flush = std::max(timeout, least_close_timeout).count();
    for (const auto& connection : connections) {
        // A drain sends the buffered data and closes, in a thread of its own.
        const bool sends = connection->lane == Lane::replies &&
                           natsConnection_DrainTimeout(connection->handle.get(), flush) == NATS_OK;
        if (!sends) natsConnection_Close(connection->handle.get());
    }
    if (CallbackThread::inside()) return;
    {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return connections.empty() || ended_; });
    }
    const std::lock_guard lock{loss_mutex_};
    loss_ = nullptr;
}

void Connections::on_lame_duck(Connection& connection) {
    {
        const std::lock_guard lock{mutex_};
        if (ignores(connection) || lame_duck_) return;
        lame_duck_ = true;
    }
    const auto left = url();
    All connections;
    {
        const std::lock_guard lock{mutex_};
        connections = all_;
    }
    // Each connection moves now, while the server still answers, and not when the server closes it.
    const bool moved = std::ranges::all_of(connections, [](const auto& each) { return each->move_on(); });
    emit({.kind = Kind::lame_duck,
          .detail = moved ? "the server will shut down; moving to another"
                          : "the server will shut down, and no other is known; reconnecting when it has closed",
          .url = left});
}

void Connections::on_closed(Connection& connection) {
    All others;
    bool last = false;
    {
        const std::lock_guard lock{mutex_};
        connection.closed = true;
        if (!ignores(connection)) {  // cnats closed it, and the other connection is of no use without it
            closing_ = true;
            end_ = connection.end();
            others = all_;
        }
        last = opened_ && all_closed();
    }
    for (const auto& other : others) natsConnection_Close(other->handle.get());
    if (!last) return;
    emit({.kind = Kind::closed, .detail = end_});
    const std::lock_guard lock{mutex_};
    ended_ = true;
    changed_.notify_all();
}

void Connections::on_error(Connection& connection, natsSubscription* subscription, const Failure& failure) {
    {
        const std::lock_guard lock{mutex_};
        if (closing_ || (connection.leaving && failure.status != NATS_SLOW_CONSUMER)) return;
    }
    if (failure.status == NATS_SLOW_CONSUMER && subscription != nullptr) {
        if (const auto event = subscriptions_->report_dropped(subscription)) emit(*event);
        return;
    }
    if (failure.status == NATS_CONNECTION_AUTH_FAILED) return;  // on_failed() tells of it, once
    if (failure.status == NATS_NOT_PERMITTED) {
        subscriptions_->refuse(carried_by(connection), failure.detail);
        const std::lock_guard lock{mutex_};
        refusals_.told(connection.lane, failure.detail);
        changed_.notify_all();
    }
    emit({.kind = Kind::error, .detail = failure.detail, .subject = subject_in(failure.detail)});
}

bool Connections::is_news(const FailedAttempt& attempt) {
    const auto reason = reason_of(options_, attempt);
    const std::lock_guard lock{mutex_};
    // A bare end says nothing new where the server has named a reason before.
    return !(is_bare(attempt.failure) && !told_.empty()) && told_.pass(attempt.server, reason, steady_clock::now());
}

bool Connections::is_news(const std::vector<FailedAttempt>& attempts) {
    bool found = false;
    for (const auto& attempt : attempts) found = is_news(attempt) || found;
    return found;
}

/// Tells each change of a server's reason, until the connection is back.
void Connections::on_failed(Connection& connection, const std::vector<FailedAttempt>& attempts) {
    {
        const std::lock_guard lock{mutex_};
        if (ignores(connection)) return;
    }
    for (const auto& attempt : attempts) {
        if (!is_news(attempt)) continue;
        emit({.kind = Kind::waiting,
              .detail = fmt::format("cannot reconnect{}{}: {}; trying again{}", attempt.server.empty() ? "" : " to ",
                                    without_secrets(attempt.server), reason_of(options_, attempt),
                                    may_pass(attempt.failure) ? "" : ", but this will not pass by itself"),
              .url = without_secrets(attempt.server)});
    }
}

std::optional<Lane> Connections::carried_by(const Connection& connection) const {
    return is_single() ? std::nullopt : std::optional{connection.lane};
}

void Connections::await_refusals(Lane lane, steady_clock::time_point deadline) {
    const auto last = remembered_error(native(lane));
    if (last.status != NATS_NOT_PERMITTED || EventThread::inside()) return;
    // cnats reports errors in another thread, one after the other: when it has reported the last one, it has reported
    // all.
    std::unique_lock lock{mutex_};
    if (!changed_.wait_until(lock, deadline, [&] { return refusals_.all_told(lane, last.detail) || closing_; }))
        refusals_.give_up(lane, last.detail);
}

milliseconds Connections::delay(int round) const {
    static thread_local std::minstd_rand random{std::random_device{}()};
    const auto& reconnect = options_.reconnect;
    auto longest = std::max(reconnect.min_wait, milliseconds{1});
    for (int i = 1; i < round && longest < reconnect.max_wait; ++i) longest *= 2;
    longest = std::min(longest, std::max(reconnect.max_wait, milliseconds{1}));
    return milliseconds{std::uniform_int_distribution{longest.count() / 2, longest.count()}(random)};
}

/// Returns whether an event of the connection is to be ignored. Called under mutex_.
bool Connections::ignores(const Connection& connection) const {
    return !opened_ || closing_ || connection.leaving ||
           std::ranges::none_of(all_, [&](const auto& current) { return current.get() == &connection; });
}

bool Connections::all_up() const {
    return std::ranges::all_of(all_, [](const auto& connection) { return connection->up || connection->leaving; });
}

bool Connections::all_closed() const {
    return std::ranges::all_of(all_, [](const auto& connection) { return connection->closed; });
}

ServerInfo Connections::server() {
    ServerInfo info;
    {
        const std::lock_guard lock{mutex_};
        if (!all_.empty()) info = all_.front()->server();
    }
    std::array<char, 128> id{};
    natsConnection_GetConnectedServerId(native(Lane::replies), id.data(), id.size());
    info.url = url();
    info.id = id.data();
    info.max_payload = static_cast<std::size_t>(natsConnection_GetMaxPayload(native(Lane::replies)));
    return info;
}

std::string Connections::url() const {
    std::array<char, 512> text{};
    natsConnection_GetConnectedUrl(native(Lane::replies), text.data(), text.size());
    return without_credentials(text.data());
}

void Connections::emit(const ConnectionEvent& event) noexcept {
    const std::lock_guard lock{sink_mutex_};
    emit_locked(event);
}

void Connections::emit_locked(const ConnectionEvent& event) noexcept {
    const CallbackThread scope;
    try {
        if (sink_) sink_(event);
    } catch (...) {  // a sink that cares about its exceptions catches them itself
        return;
    }
}

}  // namespace freshet::detail::nats
