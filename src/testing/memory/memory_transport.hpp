// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <freshet/transport.hpp>

#include "testing/memory/memory_hub.hpp"

namespace freshet::detail {

/// A connection to a MemoryServer.
class MemoryTransport final : public Transport {
public:
    MemoryTransport(std::shared_ptr<MemoryHub> hub, const BrokerOptions& options);
    ~MemoryTransport() override;

    Expected<void> open(std::chrono::milliseconds wait, EventSink events) override;
    Expected<void> publish(const Publication& publication) override;
    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink) override;
    Expected<void> flush(std::chrono::milliseconds timeout) override;
    bool drain_deliveries(std::chrono::milliseconds timeout) override;
    void close(std::chrono::milliseconds timeout) override;
    ServerInfo server() const override;
    TransportStats stats() const override;

    Sender sender() const noexcept { return {.connection = this, .no_echo = no_echo_}; }
    // Called with the hub's lock held.
    void on_server_gone();
    void on_server_back();
    /// Removes and returns the next message that was published while the connection was lost; null when there is none,
    /// or when the connection is lost.
    SharedParcel next_kept();
    void on_lame_duck();
    void count_in(const Parcel& parcel) noexcept;
    void tell_slow_consumer(std::weak_ptr<MessageSink> slow, const std::string& subject, std::uint64_t dropped);
    void forget(const MemorySubscription& subscription);

private:
    enum class Stage : std::uint8_t { fresh, connected, lost, closed };
    using Subscriptions = std::vector<std::shared_ptr<MemorySubscription>>;

    Expected<void> check_usable(std::string_view what) const;
    Expected<void> keep_for_later(const SharedParcel& parcel);
    bool all_ended(Lane lane) const;
    void wait_for_ends(const Subscriptions& subscriptions);
    void emit_later(ConnectionEvent event, std::weak_ptr<MessageSink> concerned = {});
    void emit(const ConnectionEvent& event) noexcept;

    const std::shared_ptr<MemoryHub> hub_;
    const bool no_echo_;
    const ReconnectOptions reconnect_;
    Stage stage_ = Stage::fresh;
    bool closing_ = false;
    Subscriptions subscriptions_ = {};
    std::deque<SharedParcel> kept_ = {};  // published while the connection was lost
    std::size_t kept_bytes_ = 0;
    TransportStats stats_ = {};

    /// The receiver of events. Tasks that emit an event may outlive the transport.
    struct Events {
        std::recursive_mutex mutex = {};
        EventSink sink = {};
    };
    const std::shared_ptr<Events> events_ = std::make_shared<Events>();
};

}  // namespace freshet::detail
