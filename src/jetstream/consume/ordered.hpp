// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <freshet/error.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/message.hpp>
#include <freshet/metadata.hpp>

namespace freshet::detail {

class Link;

/// The settings of an OrderedConsumer.
struct OrderedOptions {
    std::string stream = {};
    std::vector<std::string> filter_subjects = {};  ///< empty: everything
    js::Deliver deliver = js::Deliver::all;
    std::uint64_t start_sequence = 0;                                      ///< with Deliver::from_sequence
    std::optional<std::chrono::system_clock::time_point> start_time = {};  ///< with Deliver::from_time
    bool headers_only = false;
    js::Replay replay = js::Replay::instant;
    std::size_t window = 512;                      ///< messages asked for ahead of the listener
    std::size_t max_bytes = std::size_t{8} << 20;  ///< most bytes of these messages; a larger message comes alone
    std::chrono::milliseconds heartbeat{5'000};    ///< after a silence of twice this, the consumer is made anew
    js::ContextOptions context = {};
};

/// Gets the messages of an OrderedConsumer. Calls come one at a time unless they say otherwise.
class OrderedListener {
public:
    OrderedListener() = default;
    OrderedListener(const OrderedListener&) = delete;
    OrderedListener& operator=(const OrderedListener&) = delete;
    virtual ~OrderedListener() = default;

    /// Called before everything else. The listener calls `handled` once for each message that is done with, with the
    /// size of its payload; from any thread, also inside on_message. The consumer asks for no more than its window
    /// beyond the messages that are done with.
    virtual void on_open(std::function<void(std::size_t bytes)> handled) noexcept = 0;
    /// Called once, before the first message, with the number of messages that there are to begin with. After these
    /// Metadata::pending is 0 for the first time.
    virtual void on_start(std::uint64_t pending) noexcept = 0;
    /// Called with the next message; each comes exactly once and in the stream's order. May block.
    virtual void on_message(Message message, const Metadata& metadata) noexcept = 0;
    /// Called when the stream was deleted and made anew, for example a memory store after a restart. Delivered messages
    /// may be gone, and delivery begins again as at the start, with `pending` messages.
    virtual void on_reset(std::uint64_t pending) noexcept = 0;
    /// Called when nothing was delivered for a while and nothing is left to be delivered now.
    virtual void on_idle() noexcept {}
    /// Called when the stream does not exist any more, in the thread that makes the consumer anew, at each attempt that
    /// fails for this reason. May block. May declare the stream: then its messages follow, after on_reset.
    virtual void on_missing() noexcept {}
    /// Called from any thread when no messages come although the connection is there, and why; the consumer tries on.
    virtual void on_lost(const Error& why) noexcept { (void)why; }
    /// Called from any thread when that is past.
    virtual void on_back() noexcept {}
    /// Called last, and exactly once if start succeeded.
    virtual void on_end() noexcept = 0;
};

/// Delivers the messages of a stream in order and without acknowledgements (ADR-17, with pull requests as in ADR-37).
/// Uses an ephemeral consumer, which it makes anew after a gap, missing heartbeats, a reconnect that lost it, or its
/// deletion. The new one begins with the message after the last delivered one. Tries for as long as it takes, also
/// while the stream is missing. Thread-safe.
class OrderedConsumer {
public:
    /// Makes the consumer. Blocks for an answer. If there is no such stream, or the server refuses, returns an error
    /// and has not called the listener, except for on_open. Messages may come before it returns. `link` must outlive
    /// on_end.
    static Expected<std::unique_ptr<OrderedConsumer>> start(Link& link, OrderedOptions options,
                                                            std::shared_ptr<OrderedListener> listener);
    OrderedConsumer(const OrderedConsumer&) = delete;
    OrderedConsumer& operator=(const OrderedConsumer&) = delete;
    /// Stops without waiting for on_end.
    ~OrderedConsumer();

    /// Asks for nothing more; the broker drains what its transport has received. Does not block.
    void quiesce() noexcept;
    /// Takes nothing more, and delivers what has arrived, for `timeout` at most; then on_end is called. Does not block.
    void stop(std::chrono::milliseconds timeout) noexcept;
    /// Returns how many messages have arrived and were not given to the listener yet.
    std::size_t pending() const noexcept;

private:
    class State;
    explicit OrderedConsumer(std::shared_ptr<State> state) noexcept;

    std::shared_ptr<State> state_;
};

}  // namespace freshet::detail
