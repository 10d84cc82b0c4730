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
#include "link/request_counts.hpp"

namespace freshet::detail {

/// The receiver of the answers to one request. Calls come one at a time, from the thread that feeds the mux, from the
/// clock's thread, or from a thread that cancels. No lock is held during a call, except of accepts(), so a sink may
/// open new requests. The sink must live until on_end.
class ReplySink {
public:
    /// Returns true if a message is an answer that the sink accepts.
    using Wanted = bool (*)(const Message&) noexcept;

    ReplySink() = default;
    ReplySink(const ReplySink&) = delete;
    ReplySink& operator=(const ReplySink&) = delete;

    /// Returns the subject of the request, for error messages.
    virtual std::string_view subject() const noexcept = 0;
    /// Returns true if this is the one answer to wait for, false for another that came first and is left out. Called
    /// under a lock: it must be quick and must call nothing of the mux.
    virtual bool accepts(const Message&) noexcept { return true; }
    /// Receives an answer, or the error that came in its place. A request for one answer gets exactly one of these.
    virtual void on_reply(Expected<Message> reply) noexcept = 0;
    /// Is told that no call follows. Called exactly once for each ticket; afterwards the sink may be destroyed.
    virtual void on_end() noexcept = 0;

protected:
    ~ReplySink() = default;
};

/// A sink on the stack of a thread that waits; it does not allocate.
class BlockingReply final : public ReplySink {
public:
    /// Waits for an answer that `wanted` accepts; null: for the first one. `subject` must outlive this object.
    explicit BlockingReply(std::string_view subject, Wanted wanted = nullptr, RequestTimer timer = {}) noexcept
        : subject_{subject}, wanted_{wanted}, timer_{timer} {}

    /// Blocks until the request has ended and returns the answer or the error; so only where may_wait() was true before
    /// the request was sent. Call it once, after the ticket was opened. `clock` is the mux's clock.
    Expected<Message> wait(Clock& clock) {
        if (!run_until(clock, TimePoint::max(), [this] { return ended_.try_acquire(); })) ended_.acquire();
        return *std::move(reply_);
    }

    /// Returns true if answers were left out. Call it after wait().
    bool left_out() const noexcept { return left_out_; }

    std::string_view subject() const noexcept override { return subject_; }
    bool accepts(const Message& message) noexcept override {
        const bool accepted = wanted_ == nullptr || wanted_(message);
        left_out_ = left_out_ || !accepted;
        return accepted;
    }
    void on_reply(Expected<Message> reply) noexcept override {
        timer_.end(reply);  // here, since the broker may be gone when the thread that waits goes on
        reply_ = std::move(reply);
    }
    void on_end() noexcept override { ended_.release(); }

private:
    std::string_view subject_;
    Wanted wanted_;
    RequestTimer timer_;
    bool left_out_ = false;
    std::optional<Expected<Message>> reply_ = {};
    std::binary_semaphore ended_{0};
};

/// The limits of a request for many answers (ADR-47). The request ends at the first limit that is reached, or at a
/// status of the server, such as "no responders".
struct ManyLimits {
    std::chrono::nanoseconds timeout{};  ///< deadline for all answers
    std::chrono::nanoseconds stall{0};   ///< the longest pause after an answer; 0: no limit
    std::size_t max_replies = 0;         ///< the number of answers; 0: any number
    bool ends_at_empty = true;           ///< an answer without a body is the end mark, and not delivered
};

/// Requests over one inbox of freshet's own, `PREFIX.<id>.*`: finds the request to which a reply belongs, and takes
/// care of deadlines and errors. Knows no connection: the owner subscribes to inbox_wildcard(), feeds on_reply from one
/// thread, and publishes with Ticket::reply_to().
///
/// Thread-safe, except for the destructor: no other call may run then. Every ticket ends exactly once. A deadline is
/// met with a delay of at most 1 ms, and 0.1 ms more for each thousand requests that were in flight at the same time.
class RequestMux {
public:
    static constexpr std::size_t max_prefix = 32;
    static constexpr std::size_t id_size = 14;    ///< 83 bits, a few more than the random part of a NUID
    static constexpr std::size_t max_token = 14;  ///< most have about 5; servers and freshet read short ones faster

    /// One request in flight. A plain value without resources.
    class Ticket {
    public:
        /// Returns the subject for the answer; a NUL follows it.
        std::string_view reply_to() const noexcept { return {text_.data(), size_}; }

    private:
        friend class RequestMux;
        std::array<char, max_prefix + 1 + id_size + 1 + max_token + 1> text_;
        std::uint8_t size_;
        std::uint64_t number_;
    };

    /// Makes a mux. `inbox_prefix` has no trailing dot and at most max_prefix characters; a longer one is cut. `clock`
    /// must outlive the mux.
    RequestMux(Clock& clock, std::string_view inbox_prefix);
    RequestMux(const RequestMux&) = delete;
    RequestMux& operator=(const RequestMux&) = delete;
    /// Ends all open requests with Errc::closed.
    ~RequestMux();

    /// Returns the subject to which the owner must subscribe.
    std::string_view inbox_wildcard() const noexcept { return inbox_wildcard_; }

    /// Opens a request for one answer. Fails only after close(), with its error. When it fails or throws, the sink is
    /// not called.
    Expected<Ticket> open(ReplySink& sink, std::chrono::nanoseconds timeout);
    /// Opens a request for several answers. At its deadline the request ends without an error, even if there was no
    /// answer.
    Expected<Ticket> open_many(ReplySink& sink, const ManyLimits& limits);

    /// Takes a reply from the inbox. Must be called from one thread. A reply to a request that has ended is counted and
    /// dropped.
    void on_reply(Message message) noexcept;

    /// Ends the request with an error, unless it has ended. If the sink of a request for many answers is being called,
    /// the end follows that call, in its thread.
    void cancel(const Ticket& ticket, const Error& error) noexcept;
    /// Ends a request for many answers without an error, unless it has ended. If its sink is being called, the end
    /// follows that call, in its thread.
    void finish(const Ticket& ticket) noexcept;
    /// Ends all open requests. The sinks get `error` with their subject in front.
    void cancel_all(const Error& error) noexcept;
    /// Ends the open requests on `subject`, because the server has refused them. The sinks get `error`.
    void cancel_on(std::string_view subject, const Error& error) noexcept;
    /// Refuses new requests and ends all open ones. The sinks get `error` with their subject in front.
    void close(const Error& error) noexcept;

    /// Returns the number of open requests.
    std::size_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }

private:
    struct Many;
    struct Slot;

    /// Ends the open requests for whose subject `why` returns an error.
    template <class Why>
    void cancel_where(Why why) noexcept;

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
    std::deque<Slot> slots_;  // a deque, so that slots keep their addresses
    Slot* free_ = nullptr;
    std::atomic<std::size_t> in_flight_ = 0;  // written under mutex_
    std::optional<Error> closed_ = {};

    TimerId timer_ = {};                     // timer of the last sweep that was scheduled
    bool armed_ = false;                     // true while that sweep has not begun
    bool sweeping_ = false;                  // a sweep runs
    TimePoint sweep_at_ = TimePoint::max();  // no deadline is earlier
    TimePoint sweep_not_before_ = {};
};

}  // namespace freshet::detail
