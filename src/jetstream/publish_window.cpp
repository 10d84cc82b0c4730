// SPDX-License-Identifier: Apache-2.0
#include "publish_window.hpp"

#include <utility>

#include <fmt/format.h>

#include "../callback_scope.hpp"
#include "../exception_text.hpp"
#include "../quoted.hpp"
#include "../wait.hpp"
#include "publish.hpp"

namespace freshet::detail {
namespace {

// A full window takes no more until this share of it is free: to wake a publisher for each acknowledgement would cost more than
// the message.
constexpr std::size_t resume_share = 8;

}  // namespace

/// One message, from publish until it leaves the window, and until its sending has returned: the answer may be faster. Destroyed
/// before it left, as a timer of a clock that ends is, it leaves with Errc::closed.
class PublishWindow::Sending {
public:
    Sending(std::shared_ptr<PublishWindow> window, Outgoing outgoing, Done done)
        : message{std::move(outgoing)}, window_{std::move(window)}, done_{std::move(done)} {}
    Sending(const Sending&) = delete;
    Sending& operator=(const Sending&) = delete;
    ~Sending() {
        if (window_ == nullptr) return;
        leave(failure(Errc::closed, "publish to " + detail::quoted(message.subject) +
                                        ": the broker ended before it was acknowledged"));
    }

    void leave(Expected<js::PublishAck> ack) noexcept {
        const auto window = std::exchange(window_, nullptr);
        window->leave(std::move(done_), std::move(ack));
    }
    /// It was acknowledged, and nobody asks how.
    void leave() noexcept { std::exchange(window_, nullptr)->count_out(std::nullopt); }
    bool has_done() const noexcept { return done_ != nullptr; }
    PublishWindow& window() const noexcept { return *window_; }

    Outgoing message;

private:
    std::shared_ptr<PublishWindow> window_;
    Done done_;
};

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
    {
        std::unique_lock lock{mutex_};
        // A callback that is no handler runs on the thread that brings acknowledgements: it would wait for itself.
        const bool may_wait = !CallbackScope::inside() || HandlerScope::current() != nullptr;
        if (may_wait) wait(clock_, lock, changed_, [this] { return !(full_ = full_ || pending_ >= max_pending_); });
        ++pending_;
    }
    send(std::make_shared<Sending>(shared_from_this(), std::move(message), std::move(done)));
}

void PublishWindow::send(std::shared_ptr<Sending> sending) {
    send_(sending->message, [sending](const Expected<Message>& reply) mutable {
        auto& window = sending->window();
        window.answered(std::move(sending), reply);
    });
}

void PublishWindow::answered(std::shared_ptr<Sending> sending, const Expected<Message>& reply) {
    if (!sending->has_done() && reply && parse_plain_ack(reply->text())) return sending->leave();
    auto& message = sending->message;
    auto ack = publish_result(message.subject, reply);
    if (ack || message.retries <= 0 || !may_retry(ack.error(), message.has_id)) return sending->leave(std::move(ack));
    --message.retries;
    const auto when = clock_.now() + message.retry_wait;
    clock_.schedule(when, [sending = std::move(sending)]() mutable {
        auto& window = sending->window();
        window.send(std::move(sending));
    });
}

void PublishWindow::leave(Done done, Expected<js::PublishAck> ack) noexcept {
    if (done == nullptr) return count_out(ack ? std::optional<Error>{} : std::optional<Error>{ack.error()});
    call(done, std::move(ack));
    count_out(std::nullopt);  // after that, so that flush waits for the function, too
}

void PublishWindow::count_out(const std::optional<Error>& failed) noexcept {
    const std::lock_guard lock{mutex_};
    --pending_;
    if (failed && failures_++ == 0) first_failure_ = failed;
    const bool resumes = full_ && pending_ <= resume_at_;
    if (resumes) full_ = false;
    if (resumes || pending_ == 0) changed_.notify_all();
}

void PublishWindow::call(Done& done, Expected<js::PublishAck> ack) noexcept {
    const CallbackScope scope;
    try {
        done(std::move(ack));
    } catch (...) { report_("the function that got an acknowledgement threw: " + exception_text()); }
}

std::optional<Error> PublishWindow::take_failure() {
    const std::lock_guard lock{mutex_};
    const auto count = std::exchange(failures_, 0);
    auto first = std::exchange(first_failure_, std::nullopt);
    if (count <= 1) return first;
    return Error{first->code(), fmt::format("{} messages were not stored; the first: {}", count, first->what())};
}

Expected<void> PublishWindow::flush(std::chrono::milliseconds timeout) {
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
