// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <freshet/transport.hpp>

namespace freshet::testing {

/// A transport that does next to nothing, in the caller's thread: what remains is what freshet itself does per message.
class StillTransport final : public Transport {
public:
    /// Hands a message to the subscriber of a subject, which has handled it when this returns.
    void deliver(const std::string& wire_subject, Message message) {
        sinks_.find(wire_subject)->second->on_message(std::move(message));
    }
    MessageSink& sink(const std::string& wire_subject) { return *sinks_.at(wire_subject); }
    std::uint64_t published_bytes() const noexcept { return published_bytes_; }

    Expected<void> open(std::chrono::milliseconds, EventSink) override { return {}; }
    Expected<void> publish(const Publication& publication) override {
        published_bytes_ += publication.subject.size() + publication.payload.size();
        return {};
    }
    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink) override {
        sinks_[spec.subject] = sink;
        return std::make_unique<Subscription>();
    }
    Expected<void> flush(std::chrono::milliseconds) override { return {}; }
    bool drain_deliveries(std::chrono::milliseconds) override {
        end_all();
        return true;
    }
    void close(std::chrono::milliseconds) override { end_all(); }
    ServerInfo server() const override { return {}; }
    TransportStats stats() const override { return {}; }

private:
    struct Subscription final : TransportSubscription {
        void drain(std::chrono::milliseconds) override {}
        Expected<void> auto_unsubscribe(std::uint64_t) override { return {}; }
        std::size_t pending() const override { return 0; }
        std::uint64_t dropped() const override { return 0; }
    };

    void end_all() {
        for (const auto& [subject, sink] : std::exchange(sinks_, {})) sink->on_end();
    }

    std::map<std::string, std::shared_ptr<MessageSink>> sinks_ = {};
    std::uint64_t published_bytes_ = 0;
};

}  // namespace freshet::testing
