// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/message.hpp>

#include "base/histogram.hpp"

namespace freshet::detail {

enum class WorkerOrder : std::uint8_t {
    none,    ///< one queue for all threads
    by_key,  ///< a queue per thread: messages with the same key are handled one after the other
};

struct WorkersOptions {
    std::size_t threads = 1;
    WorkerOrder order = WorkerOrder::none;
    std::size_t max_messages = 65'536;              ///< messages that may wait, in all queues together
    std::size_t max_bytes = std::size_t{64} << 20;  ///< bytes of these
    Clock* clock = nullptr;                         ///< counts the work that waits and runs; null: no clock does
    Histogram* waiting = nullptr;                   ///< takes how long messages wait, by `clock`; null: nobody asks
    std::function<void()> on_end = {};  ///< called once, after close(), by the last thread when it ends; must not throw
};

/// Threads that handle messages, and the bounded queues before them, for `workers`, `ordered_by`, `dedicated` and
/// batches. Thread-safe, also inside a handler.
class Workers {
public:
    /// The function that the threads call once for each message. It must not throw.
    using Handler = std::function<void(Message)>;

    /// Starts the threads; throws std::system_error if it cannot.
    Workers(const WorkersOptions& options, Handler handler);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    /// Drops the messages that wait, and joins the threads.
    ~Workers();

    /// Queues a message; never blocks. Returns false, and leaves the message as it is, if the limits are reached or
    /// close() was called.
    bool push(Message&& message, std::size_t key);

    /// Refuses messages from now on. The threads end when they have handled all that wait.
    void close() noexcept;

    /// Removes and returns the messages that wait, so that they are not handled.
    std::vector<Message> take_waiting();

    /// Closes, and blocks until the threads have ended, however long their handlers take. If a handler calls it, it
    /// does not wait for that handler's thread. A second call waits for the first.
    void join();

    /// Returns how many messages wait, without those that are being handled.
    std::size_t pending() const noexcept;

private:
    class State;

    explicit Workers(std::shared_ptr<State> state) noexcept : state_{std::move(state)} {}

    std::shared_ptr<State> state_;  // shared with the threads: a handler may destroy the Workers
    std::mutex join_mutex_ = {};
    std::vector<std::thread> threads_ = {};
};

}  // namespace freshet::detail
