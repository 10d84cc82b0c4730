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
    Clock* clock = nullptr;                     ///< of the deadlines, and told of the work; null: the system's
    std::function<void()> on_thread_exit = {};  ///< called at the end of each thread, in it; must not throw
};

/// Threads that handle messages, and the bounded queues before them: what `workers`, `ordered_by` and `dedicated` run on.
/// Thread-safe, also inside a handler.
class Workers {
public:
    /// Called on the threads, for each message once. Must not throw.
    using Handler = std::function<void(Message)>;

    /// Throws std::system_error when a thread cannot be started.
    Workers(const WorkersOptions& options, Handler handler);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    /// As join().
    ~Workers();

    /// Never blocks. False: the bounds are reached, or it is closed; the message is dropped.
    bool push(Message message, std::size_t key);

    /// Takes nothing more and waits until everything is handled. False when `deadline` came first: what waits then is dropped.
    /// Inside a handler it does not wait: what was queued is handled later; false if there is any.
    bool close_and_drain(TimePoint deadline);

    /// Gives back what waits: it will not be handled.
    std::vector<Message> take_waiting();

    /// Takes nothing more, drops what waits and waits for the threads, however long their handlers take; not for that of a handler
    /// that calls it. The second call waits for the first.
    void join();

    /// Waiting, without those being handled.
    std::size_t pending() const noexcept;
    /// Taken by push, then dropped by a deadline.
    std::uint64_t dropped() const noexcept;

private:
    class State;

    explicit Workers(std::shared_ptr<State> state) noexcept : state_{std::move(state)} {}

    std::shared_ptr<State> state_;  // shared with the threads: a handler may destroy the Workers
    std::mutex join_mutex_ = {};
    std::vector<std::thread> threads_ = {};
};

}  // namespace freshet::detail
