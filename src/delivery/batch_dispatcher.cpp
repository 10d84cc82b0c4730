// SPDX-License-Identifier: Apache-2.0
#include "delivery/batch_dispatcher.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/wait.hpp"
#include "delivery/workers.hpp"

namespace freshet::detail {

/// Collects messages into batches. Announces each batch that is due to the workers with an empty message; a worker then
/// takes the batch itself.
class BatchDispatcher::Collector : public std::enable_shared_from_this<Collector> {
public:
    Collector(Handling& handling, const BatchSettings& settings) : handling_{handling}, settings_{settings} {
        if (settings_.threads == 0) return;
        workers_.emplace(WorkersOptions{.threads = settings_.threads,
                                        .clock = settings_.clock.get(),
                                        .on_end = [&handling] { handling.on_emptied(); }},
                         [this](Message) { on_announced(); });
    }

    bool add(Message& message) {
        Lock lock{mutex_};
        const auto size = message.payload().size();
        if (closed_ || waiting_.size() >= settings_.max_messages || size > settings_.max_bytes - bytes_) return false;
        bytes_ += size;
        waiting_.push_back({std::move(message), clock().now() + longest_wait()});
        if (waiting_.size() == 1) arm();
        start_due(lock);
        return true;
    }

    void close() {
        Lock lock{mutex_};
        if (std::exchange(closed_, true)) return;
        disarm();
        if (workers_) {
            const auto batches = (waiting_.size() + settings_.batch.size - 1) / settings_.batch.size;
            for (std::size_t i = 0; i < std::min(batches, settings_.threads); ++i) workers_->push(Message{}, 0);
            return workers_->close();
        }
        start_due(lock);
        tell_emptied(lock);
    }

    std::vector<Message> take_waiting() {
        std::vector<Message> taken;
        Lock lock{mutex_};
        for (auto& one : std::exchange(waiting_, {})) taken.push_back(std::move(one.message));
        bytes_ = 0;
        disarm();
        tell_emptied(lock);
        return taken;
    }

    std::size_t pending() const {
        const std::lock_guard lock{mutex_};
        return waiting_.size();
    }

    /// Drops what waits, and waits for the threads, which finish only the batches that they handle already.
    void join() {
        close();
        take_waiting();
        if (workers_) workers_->join();
    }

private:
    using Lock = std::unique_lock<std::mutex>;
    struct Waiting {
        Message message;
        TimePoint due;  // the time at which its batch is complete, even if it is alone
    };

    Clock& clock() const noexcept { return *settings_.clock; }
    std::chrono::milliseconds longest_wait() const { return std::min(settings_.batch.within, longest_timeout); }

    bool due() const {
        if (waiting_.empty()) return false;
        return closed_ || waiting_.size() >= settings_.batch.size || clock().now() >= waiting_.front().due;
    }

    /// Sets the timer, of which there is at most one, for the message that has waited longest.
    void arm() {
        disarm();
        if (waiting_.empty() || closed_) return;
        timer_ = clock().schedule(waiting_.front().due, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->on_due();
        });
    }

    void disarm() noexcept {
        if (timer_) clock().cancel(*std::exchange(timer_, std::nullopt));
    }

    void on_due() {
        Lock lock{mutex_};
        if (!closed_) start_due(lock);
    }

    /// Has the batches that are due handled: by a worker, or here if there are no workers.
    void start_due(Lock& lock) {
        if (workers_) {
            if (!announced_ && due()) announced_ = workers_->push(Message{}, 0);
            return;
        }
        while (due()) run(lock);
    }

    /// Handles a batch that was announced. Runs on a thread of the workers.
    void on_announced() {
        Lock lock{mutex_};
        announced_ = false;
        if (due()) run(lock);
        while (closed_ && due()) run(lock);  // after close() nothing is announced any more
    }

    /// Takes a batch and handles it after it has released the lock.
    void run(Lock& lock) {
        std::vector<Message> batch;
        const auto now = settings_.waiting != nullptr ? clock().now() : TimePoint{};
        while (!waiting_.empty() && batch.size() < settings_.batch.size) {
            bytes_ -= waiting_.front().message.payload().size();
            batch.push_back(std::move(waiting_.front().message));
            if (settings_.waiting != nullptr) settings_.waiting->take(now - (waiting_.front().due - longest_wait()), 1);
            waiting_.pop_front();
        }
        arm();
        ++running_;
        if (workers_) start_due(lock);
        lock.unlock();
        handling_.handle(std::move(batch));
        lock.lock();
        --running_;
        tell_emptied(lock);
    }

    /// Tells once that nothing waits and no handler runs after close(). With workers, their last thread tells it
    /// instead.
    void tell_emptied(Lock& lock) {
        if (workers_ || !closed_ || running_ > 0 || !waiting_.empty() || std::exchange(told_, true)) return;
        lock.unlock();
        handling_.on_emptied();
        lock.lock();
    }

    Handling& handling_;
    const BatchSettings settings_;
    mutable std::mutex mutex_ = {};
    std::deque<Waiting> waiting_ = {};
    std::size_t bytes_ = 0;
    std::optional<TimerId> timer_ = {};
    std::size_t running_ = 0;
    bool announced_ = false;  // a thread was called and has not come yet
    bool closed_ = false;
    bool told_ = false;
    std::optional<Workers> workers_ = {};  // the last member: its threads use the others
};

BatchDispatcher::BatchDispatcher(Handling& handling, const BatchSettings& settings)
    : collector_{std::make_shared<Collector>(handling, settings)} {}

BatchDispatcher::~BatchDispatcher() { collector_->join(); }

bool BatchDispatcher::dispatch(Message& message) noexcept { return collector_->add(message); }
void BatchDispatcher::close() noexcept { collector_->close(); }
std::vector<Message> BatchDispatcher::take_waiting() { return collector_->take_waiting(); }
std::size_t BatchDispatcher::pending() const noexcept { return collector_->pending(); }

}  // namespace freshet::detail
