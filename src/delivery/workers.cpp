// SPDX-License-Identifier: Apache-2.0
#include "delivery/workers.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/sampler.hpp"
#include "base/wait.hpp"

namespace freshet::detail {

class Workers::State {
public:
    State(const WorkersOptions& options, Handler handler)
        : options_{options}, handler_{std::move(handler)}, running_{thread_count()} {
        queues_.resize(options.order == WorkerOrder::by_key ? thread_count() : 1);
    }

    std::size_t thread_count() const noexcept { return std::max<std::size_t>(options_.threads, 1); }

    bool push(Message&& message, std::size_t key) {
        const auto size = message.payload().size();
        if (!reserve(size)) return false;
        Queue& queue = queues_[key % queues_.size()];
        std::unique_lock lock{queue.mutex};
        if (queue.closed) {
            release(size);
            return false;
        }
        queue.messages.push_back({std::move(message), queue.meter.begin(options_)});
        const bool wakes = queue.idle > 0;
        if (wakes) wake(queue, 1);
        lock.unlock();  // before the notify: a woken thread would wait for the lock at once
        if (wakes) queue.filled.notify_one();
        return true;
    }

    void close() noexcept {
        for (auto& queue : queues_) {
            const std::lock_guard lock{queue.mutex};
            if (std::exchange(queue.closed, true)) continue;
            wake(queue, queue.idle);
            queue.filled.notify_all();
        }
    }

    std::vector<Message> take_waiting() {
        std::vector<Message> taken;
        for (auto& queue : queues_) {
            const std::lock_guard lock{queue.mutex};
            for (auto& one : queue.messages) {
                release(one.message.payload().size());
                taken.push_back(std::move(one.message));
            }
            queue.messages.clear();
        }
        return taken;
    }

    /// Counts a thread that is about to be started (1), or could not be (-1), as one that works.
    void add_work(std::ptrdiff_t change) const noexcept {
        if (options_.clock != nullptr && change != 0) options_.clock->add_work(change);
    }

    /// Handles messages of the thread's queue until that is closed and empty. The thread was counted by add_work(1).
    void run(std::size_t thread) noexcept {
        work(queues_[thread % queues_.size()]);
        if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1 && options_.on_end) options_.on_end();
        add_work(-1);
    }

    std::size_t pending() const noexcept { return messages_.load(std::memory_order_relaxed); }

private:
    /// When a message came that is measured.
    struct Arrival {
        TimePoint at = {};
        std::uint32_t weight = 0;  // 0: it is not measured
    };
    struct Waiting {
        Message message;
        Arrival arrival;
    };
    /// Chooses the messages of one queue whose wait is measured.
    class Meter {
    public:
        Arrival begin(const WorkersOptions& options) noexcept {
            if (options.waiting == nullptr || !options.waiting->wants(&sampler_)) return {};
            const auto now = options.clock->now();
            return {now, options.waiting->weight(&sampler_, now)};
        }
        static void end(const WorkersOptions& options, const Arrival& arrival) noexcept {
            if (arrival.weight != 0) options.waiting->take(options.clock->now() - arrival.at, arrival.weight);
        }

    private:
        Sampler sampler_ = {};
    };
    struct Queue {
        std::mutex mutex = {};
        std::condition_variable filled = {};
        std::deque<Waiting> messages = {};
        Meter meter = {};
        std::size_t idle = 0;     // threads that wait, and that nobody has woken
        std::size_t wakeups = 0;  // threads that were woken and have not come yet
        bool closed = false;
    };

    /// Wakes `count` idle threads; the caller notifies. A clock of tests counts a thread as work from here on until it
    /// waits again, and not each message: messages behind a handler that waits for a time to come are no work.
    void wake(Queue& queue, std::size_t count) const noexcept {
        queue.idle -= count;
        queue.wakeups += count;
        add_work(static_cast<std::ptrdiff_t>(count));
    }

    /// Handles messages until the queue is closed and empty.
    void work(Queue& queue) noexcept {
        std::unique_lock lock{queue.mutex};
        while (wait(queue, lock)) {
            Waiting next = std::move(queue.messages.front());
            queue.messages.pop_front();
            lock.unlock();
            release(next.message.payload().size());
            Meter::end(options_, next.arrival);
            {
                const WorkScope scope;
                handler_(std::move(next.message));
            }
            lock.lock();
        }
    }

    /// Waits for a message. Returns false when the queue is closed and empty.
    bool wait(Queue& queue, std::unique_lock<std::mutex>& lock) const noexcept {
        while (queue.messages.empty() && !queue.closed) {
            ++queue.idle;
            add_work(-1);
            queue.filled.wait(lock, [&] { return queue.wakeups > 0; });
            --queue.wakeups;
        }
        return !queue.messages.empty();
    }

    bool reserve(std::size_t bytes) noexcept {
        const auto messages = messages_.fetch_add(1, std::memory_order_relaxed) + 1;
        const auto total = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
        if (messages <= options_.max_messages && total <= options_.max_bytes) return true;
        release(bytes);
        return false;
    }

    void release(std::size_t bytes) noexcept {
        messages_.fetch_sub(1, std::memory_order_relaxed);
        bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    }

    const WorkersOptions options_;
    const Handler handler_;
    std::atomic<std::size_t> messages_ = 0;
    std::atomic<std::size_t> bytes_ = 0;
    std::deque<Queue> queues_ = {};  // a deque, because a Queue cannot move
    std::atomic<std::size_t> running_;
};

// Delegates to the other constructor, so that the destructor runs, and joins the started threads, if one cannot be
// started.
Workers::Workers(const WorkersOptions& options, Handler handler)
    : Workers{std::make_shared<State>(options, std::move(handler))} {
    threads_.reserve(state_->thread_count());
    for (std::size_t i = 0; i < state_->thread_count(); ++i) {
        state_->add_work(1);
        try {
            threads_.emplace_back([state = state_, i] { state->run(i); });
        } catch (...) {
            state_->add_work(-1);
            throw;
        }
    }
}

Workers::~Workers() {
    close();
    take_waiting();
    join();
}

void Workers::join() {
    close();
    const std::lock_guard lock{join_mutex_};
    for (auto& thread : std::exchange(threads_, {})) {
        if (thread.get_id() == std::this_thread::get_id()) thread.detach();
        else thread.join();
    }
}

bool Workers::push(Message&& message, std::size_t key) { return state_->push(std::move(message), key); }
void Workers::close() noexcept { state_->close(); }
std::vector<Message> Workers::take_waiting() { return state_->take_waiting(); }
std::size_t Workers::pending() const noexcept { return state_->pending(); }

}  // namespace freshet::detail
