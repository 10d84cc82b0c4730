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

namespace freshet::detail {

enum class WorkerOrder : std::uint8_t {
    none,    ///< one queue for all threads
    by_key,  ///< a queue per thread: messages with the same key are handled one after the other
};

struct WorkersOptions {
    std::size_t threads = 1;
    WorkerOrder order = WorkerOrder::none;
    std::size_t max_messages = 65'536;  ///< waiting in all queues together
    std::size_t max_bytes = std::size_t{64} << 20;
    Clock* clock = nullptr;             ///< is told of the work; null: nobody is
    std::function<void()> on_end = {};  ///< called once, after close(), by the last thread when it ends; must not throw
};

/// Threads that handle messages, and the bounded queues before them: what `workers`, `ordered_by` and `dedicated` run
/// on. Thread-safe, also inside a handler.
class Workers {
public:
    /// Called on the threads, for each message once. Must not throw.
    using Handler = std::function<void(Message)>;

    /// Throws std::system_error when a thread cannot be started.
    Workers(const WorkersOptions& options, Handler handler);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    /// Drops what waits, and joins.
    ~Workers();

    /// Never blocks. Returns false, and leaves the message as it is, when the bounds are reached or it was closed.
    bool push(Message&& message, std::size_t key);

    /// Takes nothing more. The threads end when everything is handled.
    void close() noexcept;

    /// Removes and returns what waits: it will not be handled.
    std::vector<Message> take_waiting();

    /// Closes, and waits for the threads, however long their handlers take; not for that of a handler that calls it.
    /// The second call waits for the first.
    void join();

    /// Waiting, without those being handled.
    std::size_t pending() const noexcept;

private:
    class State;

    explicit Workers(std::shared_ptr<State> state) noexcept : state_{std::move(state)} {}

    std::shared_ptr<State> state_;  // shared with the threads: a handler may destroy the Workers
    std::mutex join_mutex_ = {};
    std::vector<std::thread> threads_ = {};
};

}  // namespace freshet::detail
