// SPDX-License-Identifier: Apache-2.0
#include "lanes.hpp"

#include <utility>

namespace freshet::detail {

Lanes::Lanes(const LanesOptions& options, Handler handler)
    : options_{options}, handler_{std::move(handler)}, running_{options.threads} {
    queues_.resize(options.order == LaneOrder::by_key ? options.threads : 1);
    threads_.reserve(options.threads);
    for (std::size_t i = 0; i < options.threads; ++i)
        threads_.emplace_back([this, &queue = queues_[i % queues_.size()]] { run(queue); });
}

Lanes::~Lanes() {
    close();
    drop_waiting();
    for (auto& thread : threads_) thread.join();
}

bool Lanes::push(Message message, std::size_t key) {
    const auto size = message.payload().size();
    if (!reserve(size)) return false;
    Queue& queue = queues_[key % queues_.size()];
    const std::lock_guard lock{queue.mutex};
    if (queue.closed) {
        release(size);
        return false;
    }
    queue.messages.push_back(std::move(message));
    queue.filled.notify_one();
    return true;
}

bool Lanes::close_and_drain(TimePoint deadline) {
    close();
    std::unique_lock lock{running_mutex_};
    if (stopped_.wait_until(lock, deadline, [this] { return running_ == 0; })) return true;
    lock.unlock();
    drop_waiting();
    return false;
}

bool Lanes::reserve(std::size_t bytes) noexcept {
    const auto messages = messages_.fetch_add(1, std::memory_order_relaxed) + 1;
    const auto total = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (messages <= options_.max_messages && total <= options_.max_bytes) return true;
    release(bytes);
    return false;
}

void Lanes::release(std::size_t bytes) noexcept {
    messages_.fetch_sub(1, std::memory_order_relaxed);
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

void Lanes::close() noexcept {
    for (auto& queue : queues_) {
        const std::lock_guard lock{queue.mutex};
        queue.closed = true;
        queue.filled.notify_all();
    }
}

void Lanes::drop_waiting() noexcept {
    for (auto& queue : queues_) {
        const std::lock_guard lock{queue.mutex};
        for (const auto& message : queue.messages) release(message.payload().size());
        queue.messages.clear();
    }
}

void Lanes::run(Queue& queue) noexcept {
    std::unique_lock lock{queue.mutex};
    while (true) {
        queue.filled.wait(lock, [&queue] { return queue.closed || !queue.messages.empty(); });
        if (queue.messages.empty()) break;
        Message message = std::move(queue.messages.front());
        queue.messages.pop_front();
        lock.unlock();
        release(message.payload().size());
        handler_(std::move(message));
        lock.lock();
    }
    lock.unlock();
    const std::lock_guard done{running_mutex_};
    if (--running_ == 0) stopped_.notify_all();
}

}  // namespace freshet::detail
