// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include <freshet/native.hpp>
#include <freshet/transport.hpp>

namespace freshet::detail {

namespace nats {
class Connections;
class Subscriptions;
}  // namespace nats

/// The transport over cnats. It promises more than Transport:
/// - A URL in an error or event never has its user and password in it.
/// - Handlers' subscriptions share the process's delivery pool; each one on Lane::replies has a thread. With
///   BrokerOptions::no_echo each subscription has a thread, on a single connection.
/// - publish may block while the socket accepts no data, up to BrokerOptions::write_timeout, and while cnats tries to
///   reconnect, up to BrokerOptions::connect_timeout. close waits for such a call.
/// - Do not publish on Lane::replies to a subscription of the same lane at full rate: that deadlocks inside cnats until
///   write_timeout.
class NatsTransport final : public Transport {
public:
    explicit NatsTransport(const BrokerOptions& options);
    ~NatsTransport() override;

    Expected<void> open(std::chrono::milliseconds wait, EventSink events) override;
    void on_loss(std::function<void()> lost) override;
    Expected<void> publish(const Publication& publication) override;
    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink) override;
    Expected<void> flush(std::chrono::milliseconds timeout) override;
    bool drain_deliveries(std::chrono::milliseconds timeout) override;
    void close(std::chrono::milliseconds timeout) override;
    ServerInfo server() const override;
    TransportStats stats() const override;

    /// Returns cnats's connection of a lane; null before open. Valid as long as the transport. Do not close or destroy
    /// it.
    natsConnection* native(Lane lane) const noexcept;

private:
    bool publish_where_delivered(const Publication& publication);
    bool start_drain(std::chrono::milliseconds timeout);
    Error publish_error(natsStatus status, const Publication& publication) const;
    Error unusable(std::string_view what) const;

    std::size_t reconnect_buffer_;
    std::chrono::milliseconds write_timeout_;
    std::size_t answer_buffer_;  // bytes that may wait on the deliveries' connection before answers take the other
    std::shared_ptr<nats::Subscriptions> subscriptions_;
    std::shared_ptr<nats::Connections> connections_;
    std::atomic<bool> drained_ = false;  // the deliveries' connection is closed
};

}  // namespace freshet::detail
