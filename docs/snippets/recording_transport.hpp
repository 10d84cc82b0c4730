// SPDX-License-Identifier: Apache-2.0
#pragma once

// The transport of docs/transports.md. Public headers only.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <freshet/transport.hpp>

// [record]
/// The subjects on which something was published. Thread-safe: a broker publishes from any thread.
class Record {
public:
    void add(std::string_view subject) {
        const std::lock_guard lock{mutex_};
        subjects_.emplace_back(subject);
    }
    std::vector<std::string> subjects() const {
        const std::lock_guard lock{mutex_};
        return subjects_;
    }

private:
    mutable std::mutex mutex_ = {};
    std::vector<std::string> subjects_ = {};
};
// [record]

// [transport]
/// Records what is published, and forwards everything to another transport.
class RecordingTransport final : public freshet::Transport {
public:
    RecordingTransport(std::unique_ptr<freshet::Transport> to, std::shared_ptr<Record> record)
        : to_{std::move(to)}, record_{std::move(record)} {}

    freshet::Expected<void> publish(const freshet::Publication& publication) override {
        auto sent = to_->publish(publication);
        if (sent) record_->add(publication.subject);
        return sent;
    }

    freshet::Expected<void> open(std::chrono::milliseconds wait, freshet::EventSink events) override {
        return to_->open(wait, std::move(events));
    }
    void on_loss(std::function<void()> lost) override { to_->on_loss(std::move(lost)); }
    freshet::Expected<std::unique_ptr<freshet::TransportSubscription>> subscribe(
        const freshet::SubscriptionSpec& spec, std::shared_ptr<freshet::MessageSink> sink) override {
        return to_->subscribe(spec, std::move(sink));
    }
    freshet::Expected<void> flush(std::chrono::milliseconds timeout) override { return to_->flush(timeout); }
    bool drain_deliveries(std::chrono::milliseconds timeout) override { return to_->drain_deliveries(timeout); }
    void close(std::chrono::milliseconds timeout) override { to_->close(timeout); }
    freshet::ServerInfo server() const override { return to_->server(); }
    freshet::TransportStats stats() const override { return to_->stats(); }

private:
    std::unique_ptr<freshet::Transport> to_;
    std::shared_ptr<Record> record_;
};
// [transport]
