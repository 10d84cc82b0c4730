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

/// What an OrderedConsumer delivers.
struct OrderedOptions {
    std::string stream = {};
    std::vector<std::string> filter_subjects = {};  ///< empty: everything
    js::Deliver deliver = js::Deliver::all;
    std::uint64_t start_sequence = 0;                                      ///< with Deliver::from_sequence
    std::optional<std::chrono::system_clock::time_point> start_time = {};  ///< with Deliver::from_time
    bool headers_only = false;
    js::Replay replay = js::Replay::instant;
    std::size_t window = 512;                      ///< messages asked for ahead of the listener
    std::size_t max_bytes = std::size_t{8} << 20;  ///< of these messages; a larger one comes alone
    std::chrono::milliseconds heartbeat{5'000};    ///< twice this without a sign of life: it is made anew
    js::ContextOptions context = {};
};

/// Who gets the messages of an OrderedConsumer. Calls come one at a time.
class OrderedListener {
public:
    OrderedListener() = default;
    OrderedListener(const OrderedListener&) = delete;
    OrderedListener& operator=(const OrderedListener&) = delete;
    virtual ~OrderedListener() = default;

    /// Before everything else: `handled` is to be called for each message when it is done with, with the size of its
    /// payload; from any thread, also inside on_message. No more than the window is asked for beyond those that are.
    virtual void on_open(std::function<void(std::size_t bytes)> handled) noexcept = 0;
    /// Once, before the first message: how many messages there are to begin with. After them
    /// Metadata::pending is 0 for the first time.
    virtual void on_start(std::uint64_t pending) noexcept = 0;
    /// The next message, each exactly once and in the stream's order. May block.
    virtual void on_message(Message message, const Metadata& metadata) noexcept = 0;
    /// The stream was deleted and made anew (a memory store after a restart): what was delivered may be gone, and
    /// delivery begins again as at the start, with `pending` messages.
    virtual void on_reset(std::uint64_t pending) noexcept = 0;
    /// Nothing was delivered for a while, and nothing is left to be delivered now.
    virtual void on_idle() noexcept {}
    /// There is no such stream any more. Called in the thread that makes the consumer anew, at each attempt that fails
    /// for it; may block, and declare the stream: then its messages follow, after on_reset.
    virtual void on_missing() noexcept {}
    /// The last call, exactly once if start succeeded.
    virtual void on_end() noexcept = 0;
};

/// The messages of a stream in order and without acknowledgements (ADR-17, over the pull of ADR-37): an ephemeral
/// consumer that is made anew, from the message after the last one delivered, whenever there is a gap, no heartbeat, a
/// reconnect that lost it, or somebody deleted it; as long as that takes, also when the stream is missing meanwhile.
/// Thread-safe.
class OrderedConsumer {
public:
    /// Makes the consumer: blocks for an answer. Fails if there is no such stream or the server refuses; then the
    /// listener is not called. Messages may come before it returns. `link` must outlive on_end.
    static Expected<std::unique_ptr<OrderedConsumer>> start(Link& link, OrderedOptions options,
                                                            std::shared_ptr<OrderedListener> listener);
    OrderedConsumer(const OrderedConsumer&) = delete;
    OrderedConsumer& operator=(const OrderedConsumer&) = delete;
    /// Stops without waiting for on_end.
    ~OrderedConsumer();

    /// Asks for nothing more; the broker will drain what its transport delivers. Does not block.
    void quiesce() noexcept;
    /// Takes nothing more and delivers what has arrived, for `timeout` at most; on_end follows. Does not block.
    void stop(std::chrono::milliseconds timeout) noexcept;
    /// Messages that arrived and were not given to the listener yet.
    std::size_t pending() const noexcept;

private:
    class State;
    explicit OrderedConsumer(std::shared_ptr<State> state) noexcept;

    std::shared_ptr<State> state_;
};

}  // namespace freshet::detail
