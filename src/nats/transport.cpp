// SPDX-License-Identifier: Apache-2.0
#include "nats/transport.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/fork.hpp"
#include "base/quoted.hpp"
#include "nats/c_string.hpp"
#include "nats/connections.hpp"
#include "nats/last_words.hpp"
#include "nats/library.hpp"
#include "nats/status.hpp"
#include "nats/subscription.hpp"

namespace freshet::detail {

using namespace nats;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// How often a drain without a server checks whether there is one again, and which subscriptions have become idle.
constexpr milliseconds drain_poll{10};

milliseconds left_until(steady_clock::time_point deadline) {
    return std::max(std::chrono::ceil<milliseconds>(deadline - steady_clock::now()), milliseconds{1});
}

/// Returns the error of a flush that began at `begin`, with what the server said if it ended the connection.
Error flush_error(natsStatus status, natsConnection* connection, steady_clock::time_point begin) {
    auto error = to_error(status, "cannot flush");
    const auto words = last_words::since(connection, begin);
    if (words.empty()) return error;
    return {error.code(), fmt::format("{}: the server said {}", error.message(), detail::quoted(words))};
}

natsStatus publish_bare(natsConnection* connection, const Publication& publication, const char* subject) {
    const auto* data = publication.payload.data();
    const int size = static_cast<int>(publication.payload.size());
#ifdef FRESHET_HAS_NATSCONNECTION_SEND
    if (publication.flush == Flush::now) return natsConnection_Send(connection, subject, data, size);
#endif
    return natsConnection_Publish(connection, subject, data, size);
}

natsStatus publish_request(natsConnection* connection, const Publication& publication, const char* subject) {
    const CString reply{publication.reply_to};
    const auto* data = publication.payload.data();
    const int size = static_cast<int>(publication.payload.size());
#ifdef FRESHET_HAS_NATSCONNECTION_SEND
    if (publication.flush == Flush::now)
        return natsConnection_SendRequest(connection, subject, reply.c_str(), data, size);
#endif
    return natsConnection_PublishRequest(connection, subject, reply.c_str(), data, size);
}

natsStatus publish_with_headers(natsConnection* connection, const Publication& publication, const char* subject) {
    const CString reply{publication.reply_to};
    MessageHandle message;
    auto status = natsMsg_Create(out(message), subject, publication.reply_to.empty() ? nullptr : reply.c_str(),
                                 as_text(publication.payload).data(), static_cast<int>(publication.payload.size()));
    for (const auto& [name, value] : *publication.headers) {
        if (status != NATS_OK) return status;
        status = natsMsgHeader_Add(message.get(), name.c_str(), value.c_str());
    }
    if (status != NATS_OK) return status;
#ifdef FRESHET_HAS_NATSCONNECTION_SEND
    if (publication.flush == Flush::now) return natsConnection_SendMsg(connection, message.get());
#endif
    return natsConnection_PublishMsg(connection, message.get());
}

natsStatus send(natsConnection* connection, const Publication& publication) {
    const CString subject{publication.subject};
    if (publication.headers != nullptr && !publication.headers->empty())
        return publish_with_headers(connection, publication, subject.c_str());
    return publication.reply_to.empty() ? publish_bare(connection, publication, subject.c_str())
                                        : publish_request(connection, publication, subject.c_str());
}

}  // namespace

NatsTransport::NatsTransport(const BrokerOptions& options)
    : reconnect_buffer_{options.reconnect.buffer_bytes},
      write_timeout_{options.write_timeout},
      answer_buffer_{options.io_buffer_bytes / 2},
      subscriptions_{std::make_shared<Subscriptions>()},
      connections_{std::make_shared<Connections>(options, subscriptions_)} {}

NatsTransport::~NatsTransport() {
    close(milliseconds{0});
    subscriptions_->forget_connections();  // subscriptions may outlive them
}

Expected<void> NatsTransport::open(milliseconds wait, EventSink events) {
    return connections_->open(wait, std::move(events));
}

void NatsTransport::on_loss(std::function<void()> lost) { connections_->on_loss(std::move(lost)); }

natsConnection* NatsTransport::native(Lane lane) const noexcept { return connections_->native(lane); }

Error NatsTransport::unusable(std::string_view what) const {
    if (forked()) return forked_error(what);
    return {Errc::closed, fmt::format("{}: the broker was not started", what)};
}

Expected<void> NatsTransport::publish(const Publication& publication) {
    auto* const connection = native(Lane::replies);
    if (connection == nullptr || forked()) {
        return std::unexpected{unusable(fmt::format("cannot publish to {}", detail::quoted(publication.subject)))};
    }
    if (publication.payload.size() > std::numeric_limits<int>::max()) {
        return std::unexpected{publish_error(NATS_MAX_PAYLOAD, publication)};
    }
    if (publication.lane == Lane::deliveries && publish_where_delivered(publication)) return {};
    if (const auto status = send(connection, publication); status != NATS_OK)
        return std::unexpected{publish_error(status, publication)};
    return {};
}

/// Publishes on the connection that delivers. Returns false if that could make it wait for the server while much is to
/// be sent already: nothing would be read meanwhile. Answers alone cannot do that, since each follows a delivery.
bool NatsTransport::publish_where_delivered(const Publication& publication) {
    auto* const connection = native(Lane::deliveries);
    if (connections_->is_single()) return false;  // there is no other
    const int waiting = natsConnection_Buffered(connection);
    const bool fits = waiting == 0 ||
                      (waiting > 0 && static_cast<std::size_t>(waiting) + publication.payload.size() <= answer_buffer_);
    return fits && send(connection, publication) == NATS_OK;
}

Error NatsTransport::publish_error(natsStatus status, const Publication& publication) const {
    const auto what = fmt::format("cannot publish to {}", detail::quoted(publication.subject));
    switch (status) {
        case NATS_MAX_PAYLOAD:
            return {Errc::payload_too_large,
                    fmt::format("{}: the payload of {} bytes{} is over the server's max_payload of {} bytes", what,
                                publication.payload.size(), publication.headers != nullptr ? " with its headers" : "",
                                natsConnection_GetMaxPayload(native(Lane::replies)))};
        case NATS_INSUFFICIENT_BUFFER:
            return {
                Errc::buffer_full,
                fmt::format(
                    "{}: the connection is lost, and the {} bytes of ReconnectOptions::buffer_bytes have no room for "
                    "it; publish it again when the connection is back",
                    what, reconnect_buffer_)};
        case NATS_CONNECTION_CLOSED:
        case NATS_DRAINING: return {Errc::closed, fmt::format("{}: the connection is closed", what)};
        case NATS_IO_ERROR:
        case NATS_TIMEOUT:
            return {Errc::disconnected,
                    fmt::format("{}: the connection broke, or the server took nothing for the {} ms of "
                                "BrokerOptions::write_timeout; reconnecting",
                                what, write_timeout_.count())};
        default: return to_error(status, what);
    }
}

Expected<std::unique_ptr<TransportSubscription>> NatsTransport::subscribe(const SubscriptionSpec& spec,
                                                                          std::shared_ptr<MessageSink> sink) {
    auto* const connection = native(spec.lane);
    if (connection == nullptr || forked()) {
        return std::unexpected{unusable(fmt::format("cannot subscribe to {}", detail::quoted(spec.subject)))};
    }
    return subscriptions_->subscribe(connection, spec, std::move(sink));
}

Expected<void> NatsTransport::flush(milliseconds timeout) {
    if (native(Lane::replies) == nullptr || forked()) return std::unexpected{unusable("cannot flush")};
    const auto begin = steady_clock::now();
    const auto deadline = begin + timeout;
    for (const auto lane : {Lane::replies, Lane::deliveries}) {
        if (lane == Lane::deliveries && (connections_->is_single() || drained_.load(std::memory_order_acquire))) break;
        const auto status = natsConnection_FlushTimeout(native(lane), left_until(deadline).count());
        if (status == NATS_TIMEOUT) {
            return failure(Errc::timeout,
                           fmt::format("cannot flush: no answer from the server within {} ms", timeout.count()));
        }
        if (status != NATS_OK) return std::unexpected{flush_error(status, native(lane), begin)};
        connections_->await_refusals(lane, deadline);
    }
    return {};
}

bool NatsTransport::drain_deliveries(milliseconds timeout) {
    if (native(Lane::deliveries) == nullptr || forked()) return true;
    const auto begin = steady_clock::now();
    if (subscriptions_->wait_until(Lane::deliveries, begin)) return true;
    const auto deadline = begin + timeout;
    bool started = false;
    do {
        if (!started) started = start_drain(timeout);
        if (!started) subscriptions_->end_idle();
        const auto until = started ? deadline : std::min(deadline, steady_clock::now() + drain_poll);
        if (subscriptions_->wait_until(Lane::deliveries, until)) return subscriptions_->all_drained();
    } while (steady_clock::now() < deadline);
    subscriptions_->end_all();
    return false;
}

/// Returns false while there is no server.
bool NatsTransport::start_drain(milliseconds timeout) {
    if (connections_->is_single() || subscriptions_->any_draining()) {
        subscriptions_->drain_each(timeout);
        return true;
    }
    drained_.store(true, std::memory_order_release);
    return connections_->start_drain(timeout);
}

void NatsTransport::close(milliseconds timeout) {
    subscriptions_->discard();
    connections_->close(timeout);
    if (!CallbackThread::inside() && !forked()) subscriptions_->wait();
}

ServerInfo NatsTransport::server() const {
    if (native(Lane::replies) == nullptr || forked()) return {};
    return connections_->server();
}

TransportStats NatsTransport::stats() const {
    TransportStats total{.reconnects = connections_->reconnects()};
    for (const auto lane : {Lane::replies, Lane::deliveries}) {
        if (native(lane) == nullptr || forked() || (lane == Lane::deliveries && connections_->is_single())) break;
        StatisticsHandle native_stats;
        natsStatistics_Create(out(native_stats));
        natsConnection_GetStats(native(lane), native_stats.get());
        TransportStats of;
        natsStatistics_GetCounts(native_stats.get(), &of.in_messages, &of.in_bytes, &of.out_messages, &of.out_bytes,
                                 &of.reconnects);
        total.in_messages += of.in_messages;
        total.in_bytes += of.in_bytes;
        total.out_messages += of.out_messages;
        total.out_bytes += of.out_bytes;
    }
    return total;
}

}  // namespace freshet::detail

std::unique_ptr<freshet::Transport> freshet::nats_transport(const BrokerOptions& options) {
    return std::make_unique<detail::NatsTransport>(options);
}
