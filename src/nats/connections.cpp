// SPDX-License-Identifier: Apache-2.0
#include "nats/connections.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <random>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>

#include "base/fork.hpp"
#include "nats/callbacks.hpp"
#include "nats/connect_failure.hpp"
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

/// Returns the x of `Permissions Violation for Publish to "x"`.
std::string subject_in(const std::string& text) {
    const auto begin = text.find('"');
    const auto end = begin == std::string::npos ? begin : text.find('"', begin + 1);
    return end == std::string::npos ? std::string{} : text.substr(begin + 1, end - begin - 1);
}

}  // namespace

/// One natsConnection.
class Connections::Connection final : public ConnectionListener, public std::enable_shared_from_this<Connection> {
public:
    static std::shared_ptr<Connection> make(std::weak_ptr<Connections> owner, Lane lane) {
        auto connection = std::make_shared<Connection>(std::move(owner), lane);
        connection->callbacks_ = std::make_unique<Callbacks>(connection);
        return connection;
    }

    Connection(std::weak_ptr<Connections> owner, Lane which) : lane{which}, owner_{std::move(owner)} {}

    Failure connect(const BrokerOptions& options) {
        const auto made = make_options(options, lane, *callbacks_);
        ::ERR_clear_error();
        const auto status = natsConnection_Connect(out(handle), made.get());
        return status == NATS_OK ? Failure{} : with_tls_alert(last_failure(status));
    }

    void on_disconnected() noexcept override {
        tell([&](Connections& all) { all.on_disconnected(*this); });
    }
    void on_reconnected() noexcept override {
        tell([&](Connections& all) { all.on_reconnected(*this); });
    }
    void on_lame_duck() noexcept override {
        tell([&](Connections& all) { all.on_lame_duck(*this); });
    }
    void on_closed() noexcept override {
        tell([&](Connections& all) { all.on_closed(*this); });
    }
    void on_error(natsSubscription* subscription, const Failure& failure) noexcept override {
        tell([&](Connections& all) { all.on_error(*this, subscription, failure); });
    }
    milliseconds reconnect_delay(int round) noexcept override {
        milliseconds delay{1};
        tell([&](Connections& all) { delay = all.delay(round); });
        return delay;
    }
    SocketLimits socket_limits() noexcept override {
        SocketLimits limits;
        tell([&](Connections& all) {
            limits = {.connect = all.options_.connect_timeout, .write = all.options_.write_timeout};
        });
        return limits;
    }
    std::string seed() noexcept override {
        std::string seed;
        tell([&](Connections& all) { seed = seed_of(all.options_); });
        return seed;
    }

    const Lane lane;
    ConnectionHandle handle = {};
    // Guarded by Connections::mutex_.
    bool up = true;
    bool leaving = false;  // freshet closes the connection, so its end is no loss
    bool closed = false;

private:
    template <class F>
    void tell(F function) noexcept {
        if (const auto owner = owner_.lock()) function(*owner);
    }

    std::weak_ptr<Connections> owner_;
    std::unique_ptr<Callbacks> callbacks_ = {};
};

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
    for (int round = 1;; ++round) {
        if (is_closing()) return {};  // announce() fails then
        const auto failure = connect_all();
        if (failure.status == NATS_OK) return {};
        drop_all();
        const auto waited = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
        if (!may_pass(failure) || waited >= wait) return std::unexpected{connect_error(options_, failure, waited)};
        if (round == 1)
            emit({.kind = Kind::waiting,
                  .detail = fmt::format("{}; trying again for {} ms",
                                        connect_error(options_, failure, waited).message(), wait.count())});
        sleep(std::min(delay(round), wait - waited));
    }
}

Failure Connections::connect_all() {
    for (const auto lane : both_lanes) {
        if (lane == Lane::deliveries && is_single()) break;
        if (auto failure = connect(lane); failure.status != NATS_OK) return failure;
    }
    return {};
}

Failure Connections::connect(Lane lane) {
    const auto connection = Connection::make(weak_from_this(), lane);
    {
        const std::lock_guard lock{mutex_};
        all_.push_back(connection);  // added before it connects, so that no callback is missed
    }
    return connection->connect(options_);
}

void Connections::drop_all() {
    All dropped;
    const std::lock_guard lock{mutex_};
    std::swap(dropped, all_);
}

/// Emits "connected" and the events since then. Returns false if the connections were closed meanwhile.
bool Connections::announce() {
    const std::lock_guard sink_lock{sink_mutex_};
    bool lost = false;
    {
        const std::lock_guard lock{mutex_};
        if (closing_ || std::ranges::any_of(all_, [](const auto& connection) { return connection->closed; }))
            return false;
        for (const auto& connection : all_)
            native_[static_cast<std::size_t>(connection->lane)] = connection->handle.get();
        if (is_single()) native_[static_cast<std::size_t>(Lane::deliveries)] = native(Lane::replies);
        opened_ = true;
        lost = down_ = !all_up();
    }
    emit_locked({.kind = Kind::connected, .url = url()});
    if (lost) std::ignore = find_other_losses();
    if (lost) emit_locked({.kind = Kind::disconnected, .detail = "the connection was lost at once; reconnecting"});
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
    if (CallbackThread::is_this()) return;
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return connections.empty() || ended_; });
}

void Connections::on_disconnected(Connection& connection) {
    {
        const std::lock_guard lock{mutex_};
        connection.up = false;
        if (ignores(connection) || down_) return;
        down_ = true;
    }
    const auto others = find_other_losses();
    {
        // cnats reports these losses in this thread, too, but perhaps after the reconnect of the first connection.
        const std::lock_guard lock{mutex_};
        for (const auto& other : others) other->up = false;
    }
    emit({.kind = Kind::disconnected,
          .detail =
              fmt::format("the connection to {} was lost; {}", without_credentials(servers_of(options_)),
                          options_.reconnect.enabled ? "reconnecting" : "closing, since reconnecting is disabled")});
}

/// Blocks until it is known which of the connections that seem to be up have lost the server, too, and returns these:
/// only an answer tells. What is published afterwards does not go into a dead socket, but waits for the reconnect.
Connections::All Connections::find_other_losses() {
    All others;
    {
        const std::lock_guard lock{mutex_};
        std::ranges::copy_if(all_, std::back_inserter(others),
                             [](const auto& each) { return each->up && !each->leaving && !each->closed; });
    }
    std::erase_if(others, [&](const auto& other) {
        auto* const native = other->handle.get();
        const auto status = natsConnection_FlushTimeout(native, options_.connect_timeout.count());
        const bool unheard = status == NATS_TIMEOUT && natsConnection_Status(native) == NATS_CONN_STATUS_CONNECTED;
        return status == NATS_OK || unheard;
    });
    return others;
}

void Connections::on_reconnected(Connection& connection) {
    {
        const std::lock_guard lock{mutex_};
        connection.up = true;
        if (ignores(connection) || !down_ || !all_up()) return;
        down_ = false;
        lame_duck_ = false;
        reconnects_.fetch_add(1, std::memory_order_relaxed);
    }
    // cnats has sent the subscriptions again, but only an answer proves that the server has read them.
    natsConnection_FlushTimeout(native(Lane::deliveries), options_.connect_timeout.count());
    emit({.kind = Kind::reconnected, .url = url()});
}

void Connections::on_lame_duck(Connection& connection) {
    {
        const std::lock_guard lock{mutex_};
        if (ignores(connection) || lame_duck_) return;
        lame_duck_ = true;
    }
    emit({.kind = Kind::lame_duck, .detail = "the server will shut down; moving to another", .url = url()});
}

void Connections::on_closed(Connection& connection) {
    All others;
    bool last = false;
    {
        const std::lock_guard lock{mutex_};
        connection.closed = true;
        if (!ignores(connection)) {  // cnats closed it, and the other connection is of no use without it
            closing_ = true;
            end_ = last_error(connection.handle.get()).detail;
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
    if (failure.status == NATS_NOT_PERMITTED) {
        subscriptions_->refuse(failure.detail);
        const std::lock_guard lock{mutex_};
        refusals_.told(connection.lane, failure.detail);
        changed_.notify_all();
    }
    emit({.kind = Kind::error, .detail = failure.detail, .subject = subject_in(failure.detail)});
}

void Connections::await_refusals(Lane lane, steady_clock::time_point deadline) {
    const auto last = last_error(native(lane));
    if (last.status != NATS_NOT_PERMITTED || EventThread::is_this()) return;
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
