// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/detail/core.hpp>
#include <freshet/transport.hpp>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "link/link.hpp"
#include "link/request_mux.hpp"

namespace freshet::detail {

/// Returns the error of a request that ended without a service's answer, after a stream's was left out: a timeout gets
/// the advice what to do.
inline Error with_left_out(const Error& error) {
    if (error.code() != Errc::timeout) return error;
    return {Errc::timeout,
            std::string{error.message()} +
                "; a stream stored the request, but no service answered: start the service, or, to publish into the "
                "stream, use JetStream::publish"};
}

/// Gives the messages of the inbox's subscription to the mux.
class InboxSink final : public MessageSink {
public:
    explicit InboxSink(RequestMux& mux) noexcept : mux_{mux} {}
    void on_message(Message message) noexcept override {
        const NoWaitScope scope;
        const auto* const outer = std::exchange(feeding_, &mux_);
        mux_.on_reply(std::move(message));
        feeding_ = outer;
    }
    void on_end() noexcept override {}

    /// Returns true if this thread is giving out an answer of that mux.
    static bool feeds(const RequestMux& mux) noexcept { return feeding_ == &mux; }

private:
    static inline thread_local const RequestMux* feeding_ = nullptr;

    RequestMux& mux_;
};

/// Gives the answer to a request to a function. Deletes itself at its end.
class AsyncReply final : public ReplySink {
public:
    AsyncReply(std::string_view subject, ReplyHandler handler, Link& link, Wanted wanted = nullptr,
               RequestTimer timer = {})
        : subject_{subject}, handler_{std::move(handler)}, link_{link}, wanted_{wanted}, timer_{timer} {}

    std::string_view subject() const noexcept override { return subject_; }
    bool accepts(const Message& message) noexcept override {
        const bool accepted = wanted_ == nullptr || wanted_(message);
        left_out_ = left_out_ || !accepted;
        return accepted;
    }
    void on_reply(Expected<Message> reply) noexcept override {
        timer_.end(reply);
        const NoWaitScope scope;
        try {
            if (!reply && left_out_) reply = std::unexpected{with_left_out(reply.error())};
            handler_(std::move(reply));
        } catch (...) {
            link_.report(FailureLog::Kind::callback_threw,
                         "the function that got the answer from " + quoted(subject_) + " threw", exception_error());
        }
    }
    void on_end() noexcept override { delete this; }

private:
    std::string subject_;
    ReplyHandler handler_;
    Link& link_;
    Wanted wanted_;
    RequestTimer timer_;
    bool left_out_ = false;  // true if an answer was left out
};

/// Queues the answers to one request between the mux and the thread that reads them.
class ManyReplies final : public ReplyQueue {
public:
    ManyReplies(RequestMux& mux, std::shared_ptr<Clock> clock, std::string_view subject, ReplySink::Wanted wanted,
                RequestTimer timer)
        : mux_{mux}, clock_{std::move(clock)}, state_{std::make_unique<State>(subject, wanted, timer)} {}
    ~ManyReplies() override {
        if (!ticket_) return;
        mux_.finish(*ticket_);
        std::unique_lock lock{state_->mutex};
        wait(*clock_, lock, state_->changed, [this] { return state_->ended; });
    }

    ReplySink& sink() noexcept { return *state_; }
    void opened(const RequestMux::Ticket& ticket) noexcept { ticket_ = ticket; }
    /// Ends the queue, because there is no ticket and no answer will come.
    void refused() noexcept { state_->on_end(); }

    std::string_view subject() const noexcept override { return state_->subject(); }
    std::optional<Expected<Message>> next() override {
        std::unique_lock lock{state_->mutex};
        if (!may_wait() && !state_->ended && state_->replies.empty()) {
            if (std::exchange(refused_, true)) return std::nullopt;
            return std::unexpected{wait_refused("reading the answers to " + quoted(state_->subject()))};
        }
        wait(*clock_, lock, state_->changed, [this] { return state_->ended || !state_->replies.empty(); });
        if (state_->replies.empty()) return std::nullopt;
        return state_->take();
    }

private:
    struct State final : ReplySink {
        State(std::string_view asked, Wanted which, RequestTimer counting)
            : asked_subject{asked}, wanted{which}, timer{counting} {}
        std::string_view subject() const noexcept override { return asked_subject; }
        bool accepts(const Message& message) noexcept override { return wanted == nullptr || wanted(message); }
        void on_reply(Expected<Message> reply) noexcept override {
            timer.end(reply);  // the first one says how the request ended
            const std::lock_guard lock{mutex};
            if (dropped) return;
            const auto size = size_of(reply);
            dropped = replies.size() >= most_replies || size > most_bytes - bytes;
            bytes += dropped ? 0 : size;
            replies.push_back(dropped ? too_many() : std::move(reply));
            changed.notify_all();
        }
        void on_end() noexcept override {
            if (timer.runs()) {
                const Error nobody{Errc::timeout, "no answer"};
                timer.end(&nobody);
            }
            const std::lock_guard lock{mutex};
            ended = true;
            changed.notify_all();
        }
        /// Removes and returns the first reply. Call it with the lock held.
        Expected<Message> take() {
            auto reply = std::move(replies.front());
            replies.pop_front();
            bytes -= size_of(reply);
            return reply;
        }
        static std::size_t size_of(const Expected<Message>& reply) { return reply ? reply->payload().size() : 0; }
        Expected<Message> too_many() const {
            return failure(Errc::limit_reached,
                           "the answers to " + quoted(asked_subject) +
                               " come faster than they are read: more than 65536 of them, or than 64 MiB, wait, and "
                               "further ones are dropped; read faster, or set RequestManyOptions::max_replies");
        }

        std::string asked_subject;
        Wanted wanted;
        RequestTimer timer;
        std::mutex mutex = {};
        std::condition_variable changed = {};
        std::deque<Expected<Message>> replies = {};
        std::size_t bytes = 0;
        bool dropped = false;  // too many waited: the last one in the queue says so
        bool ended = false;
    };
    // As much as may wait for a subscriber.
    static constexpr std::size_t most_replies = 65'536;
    static constexpr std::size_t most_bytes = std::size_t{64} << 20;

    RequestMux& mux_;
    std::shared_ptr<Clock> clock_;  // shared, because the broker may go while a thread waits for an answer
    std::unique_ptr<State> state_;
    std::optional<RequestMux::Ticket> ticket_ = {};
    bool refused_ = false;  // true if next() was refused on a thread that must not wait
};

}  // namespace freshet::detail
