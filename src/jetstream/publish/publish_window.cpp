// SPDX-License-Identifier: Apache-2.0
#include "jetstream/publish/publish_window.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "jetstream/publish/publish.hpp"
#include "jetstream/publish/repeats.hpp"
#include "link/handler_scope.hpp"

namespace freshet::detail {
namespace {

// The share of a full window that must be free before it accepts more: waking a publisher for each acknowledgement
// would cost more than the message.
constexpr std::size_t resume_share = 8;

// The memory that a place keeps for its next message: enough for most messages, without that of a large one.
constexpr std::size_t kept_bytes = 2'048;

}  // namespace

/// One message from publish until it leaves the window; between messages a place for the next one.
class PublishWindow::Sending final : public ReplySink {
public:
    explicit Sending(PublishWindow& window) noexcept : window_{window} {}

    void take(Outgoing message, Done done) {
        text_.assign(message.subject);
        text_.append(as_text(message.body));
        const std::string_view text = text_;
        message_ = std::move(message);
        message_.subject = text.substr(0, message_.subject.size());
        message_.body = as_bytes(text.substr(message_.subject.size()));
        done_ = std::move(done);
        if (auto* const counts = window_.counts_.get()) weight_ = counts->begin(window_.clock_, begun_);
        doubtful_ = asked_ = false;
        unmet_.reset();
    }
    /// Frees the place: releases what the message held, except for a little memory.
    void forget() noexcept {
        done_ = nullptr;
        if (!message_.request.headers.empty()) message_.request.headers = {};
        if (text_.capacity() > kept_bytes) std::string{}.swap(text_);
    }
    const Outgoing& message() const noexcept { return message_; }
    PublishWindow& window() const noexcept { return window_; }

    /// Call it before sending, and let_go() when sending has returned: the answer may come earlier.
    void begin() noexcept {
        after_ = After::leave;
        others_answered_ = false;
        users_.store(2, std::memory_order_relaxed);
    }
    void let_go() noexcept {
        // Mostly the answer is the last user, and then nothing needs to be counted.
        if (users_.load(std::memory_order_acquire) != 1 && users_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        switch (after_) {
            case After::pause: return window_.send_later(*this);
            case After::turn: return window_.resume(*this);
            case After::leave: return window_.leave(*this);
        }
    }
    /// Ends a message that waits to be sent again.
    void abandon() noexcept {
        end(failure(Errc::closed, "publish to " + detail::quoted(message_.subject) +
                                      ": the broker ended before it was acknowledged"));
        window_.leave(*this);
    }

    std::string_view subject() const noexcept override { return message_.subject; }
    bool accepts(const Message& message) noexcept override {
        const bool accepted = is_stream_answer(message);
        others_answered_ = others_answered_ || !accepted;
        return accepted;
    }
    void on_reply(Expected<Message> reply) noexcept override {
        try {
            if (done_ == nullptr && reply && parse_plain_ack(reply->text())) return count(nullptr);
            auto ack = publish_result(message_.subject, reply, others_answered_);
            if (!ack && unmet_ && says_not_stored(ack.error())) ack = std::unexpected{*std::exchange(unmet_, {})};
            after_ = ack ? After::leave : window_.judge(*this, ack.error());
            if (after_ == After::leave) end(std::move(ack));
        } catch (...) { end(std::unexpected{exception_error()}); }
    }
    void on_end() noexcept override { let_go(); }

    /// Whether it may be sent once more; counts it.
    bool count_repeat(TimePoint now, std::chrono::milliseconds wait) noexcept {
        Repeats repeats = this->repeats();
        if (!repeats.again(now, wait)) return false;
        message_.retries = repeats.retries;
        return true;
    }
    void renew_patience(TimePoint now) {
        if (message_.until != TimePoint{}) message_.request.timeout = repeats().patience_at(now);
    }

    void note(const Error& error) noexcept { doubtful_ = doubtful_ || unanswered(error); }
    bool asked() const noexcept { return asked_; }
    /// Has the message ask whether it is stored, if an expectation is not met, perhaps because of an earlier attempt of
    /// its own. Returns whether it is to be sent for that.
    bool asks_after(const Error& error) {
        if (!doubtful_ || asked_ || !message_.has_id || !is_unmet(error)) return false;
        asked_ = true;
        unmet_ = error;
        make_question(message_.request.headers);
        return true;
    }

    enum class Turn : std::uint8_t { sent, blocked, waiting };

    Sending* next_free = nullptr;
    Turn turn = Turn::sent;      // of an ordered message, under the window's lock
    std::uint64_t setbacks = 0;  // of the window when it was sent

private:
    Repeats repeats() const noexcept {
        Repeats repeats;
        repeats.patience = message_.patience;
        repeats.until = message_.until;
        repeats.retries = message_.retries;
        return repeats;
    }
    void count(const Error* error) const noexcept {
        if (auto* const counts = window_.counts_.get()) counts->end(window_.clock_, begun_, weight_, error);
    }
    void end(Expected<js::PublishAck> ack) noexcept {
        count(ack ? nullptr : &ack.error());
        window_.tell(done_, std::move(ack));
    }

    PublishWindow& window_;
    std::string text_ = {};  // has subject and body
    Outgoing message_ = {};  // has views of text_
    Done done_ = {};
    std::atomic<int> users_ = 0;  // the sender, and the sink of the answer
    TimePoint begun_ = {};
    std::uint32_t weight_ = 0;  // of the measurement that began then; 0: there is none
    After after_ = After::leave;
    bool others_answered_ = false;
    bool doubtful_ = false;            // an earlier attempt may have been stored
    bool asked_ = false;               // the message only asks whether it is stored
    std::optional<Error> unmet_ = {};  // why it asks
};

void PublishWindow::Abandon::operator()(Sending* sending) const noexcept { sending->abandon(); }

PublishWindow::PublishWindow(Clock& clock, std::size_t max_pending, Send send, Report report)
    : clock_{clock},
      max_pending_{max_pending},
      resume_at_{max_pending - 1 - (max_pending - 1) / resume_share},
      send_{std::move(send)},
      report_{std::move(report)} {}

PublishWindow::~PublishWindow() {
    if (const auto failed = take_failure()) report_(failed->what());
}

void PublishWindow::publish(Outgoing message, Done done) {
    Sending& sending = enter();
    try {
        sending.take(std::move(message), std::move(done));
    } catch (...) {
        leave(sending);
        throw;
    }
    if (!sending.message().ordered || line_up(sending)) send(sending);
}

bool PublishWindow::line_up(Sending& sending) {
    const std::lock_guard lock{mutex_};
    order_.push_back(&sending);
    sending.setbacks = setbacks_;
    const bool at_once = unsent_ == 0 && !sending_in_turn_;
    sending.turn = at_once ? Sending::Turn::sent : Sending::Turn::waiting;
    if (!at_once) ++unsent_;
    return at_once;
}

PublishWindow::After PublishWindow::judge(Sending& sending, const Error& error) {
    const auto& message = sending.message();
    const bool passes = may_retry(error, message.has_id);
    sending.note(error);
    if (!message.ordered)
        return passes && sending.count_repeat(clock_.now(), message.retry_wait) ? After::pause : After::leave;
    const std::lock_guard lock{mutex_};
    const bool unmet = is_unmet(error) && !sending.asked();
    // Those that were sent before it may have been refused for the moment.
    const bool behind = unmet && sending.setbacks != setbacks_;
    // One that was sent before it may have been lost with a leader: its own timeout has not told yet.
    const bool too_early = unmet && !behind && message.has_id && order_.front() != &sending;
    const bool again = passes || too_early;
    const auto wait = again ? message.retry_wait : std::chrono::milliseconds{0};
    const bool asks = !again && !behind && sending.asks_after(error);
    if ((!again && !behind && !asks) || !sending.count_repeat(clock_.now(), wait)) return After::leave;
    if (again) ++setbacks_;
    sending.turn = Sending::Turn::blocked;
    ++unsent_;
    return again ? After::pause : After::turn;
}

void PublishWindow::resume(Sending& sending) noexcept {
    sending.renew_patience(clock_.now());
    if (!sending.message().ordered) return send(sending);
    {
        const std::lock_guard lock{mutex_};
        sending.turn = Sending::Turn::waiting;
    }
    send_in_turn();
}

void PublishWindow::send_in_turn() noexcept {
    std::unique_lock lock{mutex_};
    if (std::exchange(sending_in_turn_, true)) return;  // another thread sends, or this one further up
    for (;;) {
        const auto next =
            std::ranges::find_if(order_, [](const auto* one) { return one->turn != Sending::Turn::sent; });
        if (next == order_.end() || (*next)->turn == Sending::Turn::blocked) break;
        Sending& sending = **next;
        sending.turn = Sending::Turn::sent;
        sending.setbacks = setbacks_;
        --unsent_;
        lock.unlock();
        send(sending);
        lock.lock();
    }
    sending_in_turn_ = false;
}

PublishWindow::Sending& PublishWindow::enter() {
    std::unique_lock lock{mutex_};
    // A callback that is not a handler runs on the thread that brings acknowledgements, so it would wait for itself. A
    // Done that is being called would also wait for itself, on any thread.
    const bool may_wait = telling_ == 0 && (!CallbackScope::inside() || HandlerScope::current() != nullptr);
    if (may_wait) wait(clock_, lock, changed_, [this] { return !(full_ = full_ || pending_ >= max_pending_); });
    if (free_ == nullptr) free_ = &sendings_.emplace_back(*this);
    if (pending_++ == 0) self_ = shared_from_this();
    return *std::exchange(free_, free_->next_free);
}

void PublishWindow::send(Sending& sending) noexcept {
    sending.begin();
    const auto sent = [&]() noexcept -> Expected<void> {
        try {
            return send_(sending.message(), sending);
        } catch (...) { return std::unexpected{exception_error()}; }
    }();
    if (!sent) {
        sending.on_reply(std::unexpected{sent.error()});
        sending.on_end();
    }
    sending.let_go();
}

void PublishWindow::send_later(Sending& sending) noexcept {
    Waiting waiting{&sending};
    try {
        const auto when = clock_.now() + sending.message().retry_wait;
        clock_.schedule(when, [waiting = std::move(waiting)]() mutable {
            auto& again = *waiting.release();
            again.window().resume(again);
        });
    } catch (...) { return; }  // no memory for a timer: the message was abandoned
}

void PublishWindow::tell(Done& done, Expected<js::PublishAck> ack) noexcept {
    if (done == nullptr) {
        if (ack) return;
        const std::lock_guard lock{mutex_};
        if (failures_++ == 0) first_failure_ = std::move(ack).error();
        return;
    }
    const NoWaitScope scope;
    ++telling_;
    try {
        done(std::move(ack));
    } catch (...) { report_("the function that got an acknowledgement threw: " + exception_text()); }
    --telling_;
}

/// Ends the use of a place. The window may be destroyed by this.
void PublishWindow::leave(Sending& sending) noexcept {
    const bool ordered = sending.message().ordered;
    sending.forget();
    std::shared_ptr<PublishWindow> last;  // must outlive the lock
    std::unique_lock lock{mutex_};
    if (ordered) {
        if (const auto place = std::ranges::find(order_, &sending); place != order_.end()) order_.erase(place);
        if (std::exchange(sending.turn, Sending::Turn::sent) != Sending::Turn::sent) --unsent_;
    }
    sending.next_free = std::exchange(free_, &sending);
    if (--pending_ == 0) last = std::move(self_);
    const bool resumes = full_ && pending_ <= resume_at_;
    if (resumes) full_ = false;
    if (resumes || pending_ == 0) changed_.notify_all();
    if (!ordered || unsent_ == 0) return;
    lock.unlock();
    send_in_turn();
}

std::optional<Error> PublishWindow::take_failure() {
    const std::lock_guard lock{mutex_};
    const auto count = std::exchange(failures_, 0);
    auto first = std::exchange(first_failure_, std::nullopt);
    if (count <= 1) return first;
    return Error{first->code(), fmt::format("{} messages were not stored; the first: {}", count, first->what())};
}

Expected<void> PublishWindow::flush(std::chrono::milliseconds timeout) {
    if (!may_wait()) return std::unexpected{wait_refused("flush")};
    std::size_t left = 0;
    {
        std::unique_lock lock{mutex_};
        wait_until(clock_, lock, changed_, clock_.now() + timeout, [this] { return pending_ == 0; });
        left = pending_;
    }
    if (left != 0) {
        return failure(Errc::timeout, fmt::format("flush: {} messages still wait for their acknowledgement after {} ms",
                                                  left, timeout.count()));
    }
    if (auto failed = take_failure()) return std::unexpected{*std::move(failed)};
    return {};
}

std::size_t PublishWindow::pending() const {
    const std::lock_guard lock{mutex_};
    return pending_;
}

}  // namespace freshet::detail
