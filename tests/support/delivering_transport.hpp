// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <freshet/transport.hpp>

namespace freshet::testing {

/// A transport without a network: what is delivered waits for its one delivery thread, which all subscriptions share,
/// as the subscribers of a real broker share a delivery thread.
class DeliveringTransport final : public Transport {
public:
    /// Called inside subscribe(), before the subscription is there.
    std::function<void(const std::string& subject, const std::shared_ptr<MessageSink>& sink)> on_subscribe = {};

    DeliveringTransport() : core_{std::make_shared<Core>()}, thread_{[core = core_] { core->run(); }} {}
    ~DeliveringTransport() override {
        core_->end();
        thread_.join();
    }

    /// Delivers `count` messages with this body to the subscription of a subject.
    void deliver(std::string_view subject, int count = 1, std::string_view body = "x") {
        for (int i = 0; i < count; ++i) core_->deliver(subject, Message::make(subject, as_bytes(body)));
    }
    /// Subscriptions that had no on_end.
    std::size_t open() const { return core_->open(); }

    Expected<void> open(std::chrono::milliseconds, EventSink) override { return {}; }
    Expected<void> publish(const Publication&) override { return {}; }
    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink) override {
        if (on_subscribe) on_subscribe(spec.subject, sink);
        auto feed = std::make_shared<Feed>(Feed{.subject = spec.subject, .sink = std::move(sink)});
        core_->add(feed);
        return std::make_unique<Subscription>(core_, std::move(feed));
    }
    Expected<void> flush(std::chrono::milliseconds) override { return {}; }
    bool drain_deliveries(std::chrono::milliseconds timeout) override {
        core_->finish_all(false);
        return core_->wait_for(timeout);
    }
    void close(std::chrono::milliseconds) override {
        core_->finish_all(true);
        core_->wait_for(std::nullopt);
    }
    ServerInfo server() const override { return {}; }
    TransportStats stats() const override { return {}; }

private:
    struct Feed {
        std::string subject;
        std::shared_ptr<MessageSink> sink;
        std::deque<Message> waiting = {};
        std::uint64_t delivered = 0;
        std::uint64_t most = 0;  // 0: any number
        bool finishing = false;
    };

    class Core {
    public:
        void add(std::shared_ptr<Feed> feed) {
            const std::lock_guard lock{mutex_};
            feeds_.push_back(std::move(feed));
        }
        void deliver(std::string_view subject, Message message) {
            const std::lock_guard lock{mutex_};
            for (const auto& feed : feeds_) {
                if (feed->subject != subject || feed->finishing) continue;
                feed->waiting.push_back(std::move(message));
                changed_.notify_all();
                return;
            }
        }
        void finish(Feed& feed, bool drop) {
            const std::lock_guard lock{mutex_};
            feed.finishing = true;
            if (drop) feed.waiting.clear();
            changed_.notify_all();
        }
        void limit(Feed& feed, std::uint64_t count) {
            const std::lock_guard lock{mutex_};
            feed.most = count;
        }
        void finish_all(bool drop) {
            const std::lock_guard lock{mutex_};
            for (const auto& feed : feeds_) {
                feed->finishing = true;
                if (drop) feed->waiting.clear();
            }
            changed_.notify_all();
        }
        bool wait_for(std::optional<std::chrono::milliseconds> timeout) {
            std::unique_lock lock{mutex_};
            const auto done = [this] { return feeds_.empty(); };
            if (timeout) return changed_.wait_for(lock, *timeout, done);
            changed_.wait(lock, done);
            return true;
        }
        std::size_t open() const {
            const std::lock_guard lock{mutex_};
            return feeds_.size();
        }
        std::size_t pending(const Feed& feed) const {
            const std::lock_guard lock{mutex_};
            return feed.waiting.size();
        }
        void end() {
            const std::lock_guard lock{mutex_};
            ended_ = true;
            changed_.notify_all();
        }

        void run() {
            std::unique_lock lock{mutex_};
            while (true) {
                const auto ready = std::ranges::find_if(feeds_, [](const auto& feed) {
                    return !feed->waiting.empty() || feed->finishing;
                });
                if (ready == feeds_.end()) {
                    if (ended_) return;
                    changed_.wait(lock);
                    continue;
                }
                step(lock, *ready);
            }
        }

    private:
        void step(std::unique_lock<std::mutex>& lock, std::shared_ptr<Feed> feed) {
            if (feed->waiting.empty()) {
                const auto sink = std::exchange(feed->sink, nullptr);
                lock.unlock();
                sink->on_end();
                lock.lock();
                std::erase(feeds_, feed);
            } else {
                auto message = std::move(feed->waiting.front());
                feed->waiting.pop_front();
                lock.unlock();
                feed->sink->on_message(std::move(message));
                lock.lock();
                if (++feed->delivered == feed->most) {
                    feed->waiting.clear();
                    feed->finishing = true;
                }
            }
            changed_.notify_all();
        }

        mutable std::mutex mutex_ = {};
        std::condition_variable changed_ = {};
        std::vector<std::shared_ptr<Feed>> feeds_ = {};
        bool ended_ = false;
    };

    class Subscription final : public TransportSubscription {
    public:
        Subscription(std::shared_ptr<Core> core, std::shared_ptr<Feed> feed)
            : core_{std::move(core)}, feed_{std::move(feed)} {}
        ~Subscription() override { core_->finish(*feed_, true); }
        void drain(std::chrono::milliseconds timeout) override { core_->finish(*feed_, timeout.count() <= 0); }
        Expected<void> auto_unsubscribe(std::uint64_t count) override {
            core_->limit(*feed_, count);
            return {};
        }
        std::size_t pending() const override { return core_->pending(*feed_); }
        std::uint64_t dropped() const override { return 0; }

    private:
        std::shared_ptr<Core> core_;
        std::shared_ptr<Feed> feed_;
    };

    std::shared_ptr<Core> core_;
    std::thread thread_;
};

}  // namespace freshet::testing
