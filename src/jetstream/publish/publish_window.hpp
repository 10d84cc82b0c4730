// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/clock.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/js/publish_options.hpp>

#include "jetstream/publish/publish.hpp"
#include "link/request_mux.hpp"
#include "link/traffic.hpp"

namespace freshet::detail {

/// Holds the messages of an asynchronous publisher that wait for their acknowledgement, up to a limit. Sends a message
/// again where that helps, and reports each once: to its function, or out of flush. Has no connection: `Send` sends.
///
/// Thread-safe. Owned by a shared_ptr; lives as long as a message is under way. Its memory grows to the messages that
/// were under way at the same time and is reused, so in the long run a message costs no allocation.
class PublishWindow final : public Unconfirmed, public std::enable_shared_from_this<PublishWindow> {
public:
    using Done = std::move_only_function<void(Expected<js::PublishAck>)>;

    struct Outgoing {
        std::string_view subject = {};
        Bytes body = {};
        std::string_view content_type = {};  // a literal, from Encoded
        RequestOptions request = {};
        bool has_id = false;
        int retries = 0;
        std::chrono::milliseconds retry_wait{};
        std::chrono::milliseconds patience{};  // of each acknowledgement, with `until`
        TimePoint until = {};                  // as in Repeats
        bool ordered = false;                  // it expects what was published before: sent again, it keeps its place
        Need need = {};                        // not known yet whether the server has it
    };
    /// Sends a message. The sink gets one answer and its end, on any thread, perhaps before this returns; it gets
    /// neither if this fails or throws. The message stays valid until this has returned and the sink has had its end.
    using Send = std::function<Expected<void>(const Outgoing& message, ReplySink& sink)>;
    /// Reports failures that nobody has asked for when the window ends, and exceptions of a Done.
    using Report = std::function<void(const std::string& text)>;

    PublishWindow(Clock& clock, std::size_t max_pending, Send send, Report report);
    ~PublishWindow();

    /// Counts what is published from now on; null: nothing. Call it before publish.
    void count(std::shared_ptr<PublishCounts> counts) noexcept { counts_ = std::move(counts); }

    /// Copies and sends a message. Blocks while the window is full, unless inside a Done. With an empty Done, flush
    /// reports a failure.
    void publish(Outgoing message, Done done);
    /// Blocks until nothing is under way. Returns Errc::timeout, or the first failure without a Done since the last
    /// call, with their number.
    Expected<void> flush(std::chrono::milliseconds timeout);
    std::size_t pending() const;
    std::size_t unconfirmed() const override { return pending(); }
    std::size_t most_unconfirmed() const noexcept override { return max_pending_; }

private:
    class Sending;
    struct Abandon {
        void operator()(Sending* sending) const noexcept;
    };
    using Waiting = std::unique_ptr<Sending, Abandon>;

    enum class After : std::uint8_t { leave, pause, turn };  // what follows an answer

    Sending& enter();
    void send(Sending& sending) noexcept;
    /// What becomes of a message that was refused.
    After judge(Sending& sending, const Error& error);
    /// Puts an ordered message behind the others; false if it has to wait until they were sent.
    bool line_up(Sending& sending);
    /// Sends a message again, an ordered one in its turn.
    void resume(Sending& sending) noexcept;
    /// Sends the ordered messages whose turn it is.
    void send_in_turn() noexcept;
    void send_later(Sending& sending) noexcept;
    void tell(Done& done, Expected<js::PublishAck> ack) noexcept;
    void leave(Sending& sending) noexcept;
    std::optional<Error> take_failure();

    static inline thread_local int telling_ = 0;  // Dones that this thread is calling

    Clock& clock_;
    const std::size_t max_pending_;
    const std::size_t resume_at_;
    const Send send_;
    const Report report_;
    std::shared_ptr<PublishCounts> counts_ = {};

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::deque<Sending> sendings_;  // a deque, so that they do not move
    Sending* free_ = nullptr;
    std::size_t pending_ = 0;
    std::shared_ptr<PublishWindow> self_ = {};  // set while anything is pending
    // Those that expect what was published before, in the order of the calls. When one is refused for the moment, the
    // later ones are refused for it: they are sent again behind it.
    std::deque<Sending*> order_ = {};
    std::size_t unsent_ = 0;      // of order_
    std::uint64_t setbacks_ = 0;  // how often one of them was refused for the moment
    bool sending_in_turn_ = false;
    bool full_ = false;         // true until pending_ has fallen to resume_at_
    std::size_t failures_ = 0;  // failures without a Done since the last flush
    std::optional<Error> first_failure_ = {};
};

}  // namespace freshet::detail
