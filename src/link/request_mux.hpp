// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>

#include <freshet/clock.hpp>
#include <freshet/error.hpp>
#include <freshet/message.hpp>

#include "base/wait.hpp"

namespace freshet::detail {

/// Who asked, and gets the answers. Calls come one at a time, from the thread that feeds the mux, the clock's, or one that
/// cancels; no lock is held, so a sink may open new requests. It must live until on_end.
class ReplySink {
public:
    /// Whether a message is an answer that the sink takes.
    using Wanted = bool (*)(const Message&) noexcept;

    ReplySink() = default;
    ReplySink(const ReplySink&) = delete;
    ReplySink& operator=(const ReplySink&) = delete;

    /// The subject asked, for error messages.
    virtual std::string_view subject() const noexcept = 0;
    /// Whether this is an answer to wait for, or another one that is left out. Called under a lock: to be quick, and to call nothing of
    /// the mux.
    virtual bool accepts(const Message&) noexcept { return true; }
    /// An answer, or the error that came in its place. A request for one answer gets exactly one of these.
    virtual void on_reply(Expected<Message> reply) noexcept = 0;
    /// The last call, exactly one for each ticket: the sink may go.
    virtual void on_end() noexcept = 0;

protected:
    ~ReplySink() = default;
};

/// A sink for the stack of a thread that waits: no allocation.
class BlockingReply final : public ReplySink {
public:
    /// `subject` must live as long as this. `wanted` null: the first answer.
    explicit BlockingReply(std::string_view subject, Wanted wanted = nullptr) noexcept
        : subject_{subject}, wanted_{wanted} {}

    /// Blocks until the request has ended, so only where may_wait() was true before it was sent. To be called once, after the ticket
    /// was opened. `clock` is the mux's.
    Expected<Message> wait(Clock& clock) {
        if (!run_until(clock, TimePoint::max(), [this] { return ended_.try_acquire(); })) ended_.acquire();
        return *std::move(reply_);
    }

    /// Whether answers were left out. To be asked after wait().
    bool left_out() const noexcept { return left_out_; }

    std::string_view subject() const noexcept override { return subject_; }
    bool accepts(const Message& message) noexcept override {
        const bool accepted = wanted_ == nullptr || wanted_(message);
        left_out_ = left_out_ || !accepted;
        return accepted;
    }
    void on_reply(Expected<Message> reply) noexcept override { reply_ = std::move(reply); }
    void on_end() noexcept override { ended_.release(); }

private:
    std::string_view subject_;
    Wanted wanted_;
    bool left_out_ = false;
    std::optional<Expected<Message>> reply_ = {};
    std::binary_semaphore ended_{0};
};

/// When a request for many answers ends (ADR-47): at the first of these, or at a status of the server's such as
/// "no responders".
struct ManyLimits {
    std::chrono::nanoseconds timeout{};  ///< in all
    std::chrono::nanoseconds stall{0};   ///< without another answer after the first; 0: does not end it
    std::size_t max_replies = 0;         ///< 0: any number
    bool ends_at_empty = true;  ///< an answer without a body is the sign that there are no more, and not delivered
};

/// Requests over one inbox of our own, `PREFIX.<id>.*`: which reply belongs to whom, deadlines, errors. Knows no connection: the
/// owner subscribes to inbox_wildcard(), feeds on_reply from one thread, and publishes with Ticket::reply_to().
///
/// Thread-safe, except that it is destroyed last: no call may run then. Every ticket ends exactly once. A deadline is met with a
/// delay of 1 ms at most, and 0.1 ms more for each thousand requests that were in flight at the same time.
class RequestMux {
public:
    static constexpr std::size_t max_prefix = 32;
    static constexpr std::size_t id_size = 14;    ///< 83 bits, a few more than the random part of a NUID has
    static constexpr std::size_t max_token = 14;  ///< most have some 5: what is short is read fast, here and by servers

    /// One request in flight. A plain value without resources.
    class Ticket {
    public:
        /// Where the answer should go; followed by a NUL.
        std::string_view reply_to() const noexcept { return {text_.data(), size_}; }

    private:
        friend class RequestMux;
        std::array<char, max_prefix + 1 + id_size + 1 + max_token + 1> text_;
        std::uint8_t size_;
        std::uint64_t number_;
    };

    /// `inbox_prefix` without trailing dot, at most max_prefix characters. `clock` must outlive the mux.
    RequestMux(Clock& clock, std::string_view inbox_prefix);
    RequestMux(const RequestMux&) = delete;
    RequestMux& operator=(const RequestMux&) = delete;
    /// Ends what is open with Errc::closed.
    ~RequestMux();

    std::string_view inbox_wildcard() const noexcept { return inbox_wildcard_; }

    /// A request for one answer. Fails only after close(), with its error; then, and when it throws, the sink is not called.
    Expected<Ticket> open(ReplySink& sink, std::chrono::nanoseconds timeout);
    /// A request for several answers. When its time is over it ends without an error, also if there was no answer.
    Expected<Ticket> open_many(ReplySink& sink, const ManyLimits& limits);

    /// To be called from one thread. A reply that nobody waits for any more is counted and dropped.
    void on_reply(Message message) noexcept;

    /// Ends the request with an error, unless it has ended. For a request of many whose sink is being called, the end follows that
    /// call, in its thread.
    void cancel(const Ticket& ticket, const Error& error) noexcept;
    /// The same without an error, for a request of many only.
    void finish(const Ticket& ticket) noexcept;
    /// Ends everything that is open. The sinks get `error` with their subject in front.
    void cancel_all(const Error& error) noexcept;
    /// The same, and refuses new requests.
    void close(const Error& error) noexcept;

    std::size_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }
    /// Replies that came too late or more than once.
    std::uint64_t unexpected_replies() const noexcept;

private:
    struct Many;
    struct Slot;

    Expected<Ticket> open(ReplySink& sink, std::chrono::nanoseconds timeout, std::unique_ptr<Many> many);
    Slot& take_slot();
    Slot* find(std::uint64_t number) noexcept;
    ReplySink& release(Slot& slot) noexcept;
    Ticket ticket_for(const Slot& slot) const noexcept;

    void deliver_one_of_many(std::unique_lock<std::mutex>& lock, Slot& slot, Message message) noexcept;
    void end(std::uint64_t number, const std::optional<Error>& why) noexcept;
    bool release_or_mark(Slot& slot, const std::optional<Error>& why);

    void arm(TimePoint when);
    void sweep() noexcept;
    struct Expired;
    std::optional<Expired> next_expired(std::size_t& index, TimePoint now, TimePoint& next_deadline);

    Clock& clock_;
    std::string inbox_;  // PREFIX.<id>.
    std::string inbox_wildcard_;

    mutable std::mutex mutex_;
    std::deque<Slot> slots_;  // a deque: slots stay where they are
    Slot* free_ = nullptr;
    std::atomic<std::size_t> in_flight_ = 0;  // written under mutex_
    std::uint64_t unexpected_replies_ = 0;
    std::optional<Error> closed_ = {};

    TimerId timer_ = {};                     // the last sweep scheduled
    bool armed_ = false;                     // it has not begun
    bool sweeping_ = false;                  // it runs
    TimePoint sweep_at_ = TimePoint::max();  // no deadline is before this one
    TimePoint sweep_not_before_ = {};
};

}  // namespace freshet::detail
