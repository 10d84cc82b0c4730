// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/batch_handler.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <freshet/subscriber.hpp>

#include "base/callback_scope.hpp"
#include "base/wait.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet {

Items& Context::items() {
    if (auto* items = get<Items>()) return *items;
    raise({Errc::bad_setup, "Context::items: this is not a batch"});
}

namespace detail {

struct ItemAccess {
    static std::optional<Error>& rejected(Item& item) noexcept { return item.rejected_; }
    static const std::optional<Outcome>& decided(const Item& item) noexcept { return item.decided_; }
    static Message& message(Item& item) noexcept { return item.message_; }
    static Message take(Item& item) noexcept { return std::move(item.message_); }
};

std::optional<Error>& rejection(Item& item) noexcept { return ItemAccess::rejected(item); }
Message& message_of(Item& item) noexcept { return ItemAccess::message(item); }

/// The messages that wait to be a batch, and the threads that handle batches.
class BatchHandlerBase::Collector : public std::enable_shared_from_this<Collector> {
public:
    Collector(const Batch& options, std::size_t workers)
        : options_{options}, workers_{std::max<std::size_t>(workers, 1)} {}

    std::size_t size() const noexcept { return options_.size; }
    std::chrono::milliseconds within() const noexcept { return options_.within; }

    void add(SubscriberCore& subscriber, Message message) {
        std::unique_lock lock{mutex_};
        if (subscriber_ == nullptr) begin(subscriber);
        waiting_.push_back({std::move(message), subscriber.link().clock().now() + options_.within});
        if (waiting_.size() == 1) arm();
        if (!threads_.empty()) return announce();
        if (waiting_.size() >= options_.size) run(lock);
    }

    /// Gives back or handles what waits, and waits for handlers that run.
    void close() noexcept {
        std::unique_lock lock{mutex_};
        closed_ = true;
        changed_.notify_all();
        auto threads = std::exchange(threads_, {});
        if (threads.empty() && !waiting_.empty()) run(lock);
        lock.unlock();
        for (auto& thread : threads) {
            if (thread.get_id() == std::this_thread::get_id()) thread.detach();
            else thread.join();
        }
    }

private:
    using Lock = std::unique_lock<std::mutex>;
    struct Waiting {
        Message message;
        TimePoint due;  // when its batch is complete, even if it is alone
    };

    void begin(SubscriberCore& subscriber) {
        subscriber_ = &subscriber;
        if (!subscriber.host().threads())
            return;  // then the thread that brings the last message, or the clock's, handles them
        for (std::size_t i = 0; i < workers_; ++i) threads_.emplace_back([self = shared_from_this()] { self->work(); });
    }

    Clock& clock() const noexcept { return subscriber_->link().clock(); }

    bool due() const {
        return closed_ || waiting_.size() >= options_.size ||
               (!waiting_.empty() && clock().now() >= waiting_.front().due);
    }

    void arm() {
        if (waiting_.empty() || closed_) return;
        clock().schedule(waiting_.front().due, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->on_due();
        });
    }

    void on_due() {
        Lock lock{mutex_};
        if (!threads_.empty()) announce();
        else if (!closed_ && !waiting_.empty() && due()) run(lock);
    }

    /// Wakes a thread for what is due. Until it has come, that is work in hand, for which a clock of tests stands still.
    void announce() {
        if (due() && !announced_) {
            announced_ = true;
            clock().add_work(1);
        }
        changed_.notify_one();
    }

    void work() {
        const WorkScope scope;
        Lock lock{mutex_};
        while (true) {
            changed_.wait(lock, [this] { return due() && (closed_ || !waiting_.empty()); });
            if (!std::exchange(announced_, false)) clock().add_work(1);
            const bool ended = waiting_.empty();
            if (!ended) run(lock);
            if (!ended && !waiting_.empty()) announce();
            clock().add_work(-1);
            if (ended) return;
        }
    }

    /// Takes a batch and handles it, without the lock.
    void run(Lock& lock) {
        std::vector<Item> items;
        while (!waiting_.empty() && items.size() < options_.size) {
            items.emplace_back(std::move(waiting_.front().message));
            waiting_.pop_front();
        }
        arm();
        lock.unlock();
        handle(items);
        lock.lock();
    }

    void handle(std::vector<Item>& items) noexcept {
        auto& source = subscriber_->source();
        if (source.wants_back()) {
            for (auto& item : items)
                source.settle(ItemAccess::take(item), {.outcome = Outcome::nack(), .untouched = true});
            return;
        }
        Message first = {};  // the context's, when it has none of its own any more
        Context context{*subscriber_, first};
        const HandlerScope scope{context, subscriber_->publish_route()};
        std::vector<Item*> all;
        for (auto& item : items) all.push_back(&item);
        context.set(Items{std::move(all)});
        settle(context, subscriber_->run_batch(context), items);
    }

    void settle(Context& context, const Outcome& returned, std::vector<Item>& items) noexcept {
        const auto& failure = ContextAccess::failure(context);
        const auto& decided = ContextAccess::decided(context);
        const auto& outcome = decided ? *decided : returned;
        if (failure) context.logger().error("handler of {} messages failed: {}", items.size(), failure->what());
        std::uint64_t failed = 0;
        std::uint64_t rejected = 0;
        for (auto& item : items) {
            if (const auto& why = rejection(item)) {
                ++rejected;
                Context{*subscriber_, ItemAccess::message(item)}.logger().error("message rejected: {}", why->what());
                release(item, {.outcome = Outcome::term(), .failure = &*why, .rejected = true});
            } else if (const auto& own = ItemAccess::decided(item)) {
                failed += *own == Outcome::ack ? 0 : 1;
                release(item, {.outcome = *own, .decided = true});
            } else {
                failed += failure || outcome != Outcome::ack ? 1 : 0;
                release(item,
                        {.outcome = outcome, .failure = failure ? &*failure : nullptr, .decided = decided.has_value()});
            }
        }
        subscriber_->count_batch(failed, rejected);
    }

    void release(Item& item, const Handled& handled) noexcept {
        auto message = ItemAccess::take(item);
        if (auto* const observer = subscriber_->observer()) observer->on_batched(*subscriber_, message, handled);
        subscriber_->source().settle(std::move(message), handled);
    }

    const Batch options_;
    const std::size_t workers_;
    SubscriberCore* subscriber_ = nullptr;

    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::deque<Waiting> waiting_ = {};
    std::vector<std::thread> threads_ = {};
    bool announced_ = false;  // a thread was woken, and has not come yet
    bool closed_ = false;
};

BatchHandlerBase::BatchHandlerBase(std::unique_ptr<HandlerBase> inner) : inner_{std::move(inner)} {}

BatchHandlerBase::~BatchHandlerBase() = default;

bool BatchHandlerBase::configure(SubscriberOptions& options) {
    collector_ = std::make_shared<Collector>(options.batch, options.workers);
    // Batches have threads of their own.
    options.workers = 0;
    options.dedicated = false;
    return true;
}

void BatchHandlerBase::bind(Binder& binder) {
    if (collector_ == nullptr || collector_->size() == 0)
        binder.problem("its handler takes a batch: say how large, with `.batch = {.size = 100, .within = 50ms}`");
    else if (collector_->within().count() < 0) binder.problem("batch.within is negative");
    inner_->bind(binder);
}

bool BatchHandlerBase::take(SubscriberCore& subscriber, Message& message) noexcept {
    collector_->add(subscriber, std::move(message));
    return true;
}

Outcome BatchHandlerBase::invoke(Context& context) {
    auto& items = context.items();
    decode(context, items);
    std::vector<Item*> good;
    for (std::size_t i = 0; i < items.size(); ++i)
        if (!rejection(items[i])) good.push_back(&items[i]);
    if (good.empty()) return Outcome::ack;
    context.set(Items{std::move(good)});
    return inner_->invoke(context);
}

void BatchHandlerBase::end() noexcept {
    if (collector_ != nullptr) collector_->close();
    inner_->end();
}

}  // namespace detail
}  // namespace freshet
