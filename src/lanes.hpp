// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/message.hpp>

namespace freshet::detail {

enum class LaneOrder : std::uint8_t {
    none,    ///< one queue for all threads
    by_key,  ///< a queue per thread: messages with the same key are handled one after the other
};

struct LanesOptions {
    std::size_t threads = 1;
    LaneOrder order = LaneOrder::none;
    std::size_t max_messages = 65'536;  ///< waiting in all queues together
    std::size_t max_bytes = std::size_t{64} << 20;
};

/// Threads that handle messages, and the bounded queues before them: what `workers`, `ordered_by` and `dedicated` run on.
/// Thread-safe. The destructor drops what waits and joins the threads, so it must not run on one of them.
class Lanes {
public:
    /// Called on the threads, for each message once. Must not throw.
    using Handler = std::function<void(Message)>;

    Lanes(const LanesOptions& options, Handler handler);
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;
    ~Lanes();

    /// Never blocks. False: the bounds are reached, or it is closed; the message is dropped.
    bool push(Message message, std::size_t key);

    /// Takes nothing more and waits until everything is handled. False when `deadline` came first: what waits then is dropped.
    bool close_and_drain(TimePoint deadline);

    /// Waiting, without those being handled.
    std::size_t pending() const noexcept { return messages_.load(std::memory_order_relaxed); }

private:
    struct Queue {
        std::mutex mutex = {};
        std::condition_variable filled = {};
        std::deque<Message> messages = {};
        bool closed = false;
    };

    bool reserve(std::size_t bytes) noexcept;
    void release(std::size_t bytes) noexcept;
    void close() noexcept;
    void drop_waiting() noexcept;
    void run(Queue& queue) noexcept;

    const LanesOptions options_;
    const Handler handler_;
    std::atomic<std::size_t> messages_ = 0;
    std::atomic<std::size_t> bytes_ = 0;
    std::deque<Queue> queues_ = {};  // a deque: a Queue cannot move
    std::mutex running_mutex_ = {};
    std::condition_variable stopped_ = {};
    std::size_t running_ = 0;
    std::vector<std::thread> threads_ = {};
};

}  // namespace freshet::detail
