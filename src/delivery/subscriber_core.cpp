// SPDX-License-Identifier: Apache-2.0
// The life of a subscriber: start, stop, end. See docs/architecture.md.
#include "delivery/subscriber_core.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/exception_text.hpp"
#include "base/header_text.hpp"
#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "delivery/batch_dispatcher.hpp"
#include "delivery/core_source.hpp"
#include "delivery/inline_dispatcher.hpp"
#include "delivery/worker_dispatcher.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

/// Returns whether the server has said that a subscription cannot be, so that waiting does not help by itself. A server
/// that is away, does not answer, or lacks something at the moment has not.
bool is_final(const Error& why) noexcept {
    const auto condition = why.condition();
    return condition == Condition::bad_setup || condition == Condition::not_found ||
           condition == Condition::already_exists;
}

}  // namespace

SubscriberCore::SubscriberCore(Link& link, Host& host, SubscriberSpec spec)
    : link_{&link},
      host_{&host},
      spec_{std::move(spec)},
      source_{spec_.source != nullptr ? std::move(spec_.source) : std::make_unique<CoreSource>(spec_.options)},
      answers_{!spec_.options.no_reply && source_->answerable()},
      clock_{link.shared_clock()},
      stop_timeout_{link.options().stop_timeout},
      counts_{*clock_},
      conclusion_{link, *source_, counts_, spec_.subject} {}

SubscriberCore::~SubscriberCore() { dispatcher_.reset(); }

Expected<void> SubscriberCore::start() {
    {
        const std::lock_guard lock{mutex_};
        if (!life_.start()) return {};
    }
    auto started = start_source();
    std::unique_lock lock{mutex_};
    const bool stop_came = life_.started();
    lock.unlock();
    if (!started) on_end();
    if (stop_came) return {};
    return started;
}

Expected<void> SubscriberCore::start_source() {
    try {
        make_dispatcher();
    } catch (const std::exception& error) {
        return std::unexpected{
            Error{std::make_error_code(std::errc::resource_unavailable_try_again),
                  "subscriber " + quoted(spec_.subject) + ": cannot make the threads of its workers: " + error.what()}};
    }
    try {
        if (auto found = look_up_targets(); !found) return found;
        return source_->start(*link_, *subject_, shared_from_this());
    } catch (...) { return std::unexpected{exception_error()}; }
}

Expected<void> SubscriberCore::declare() {
    try {
        return source_->declare(*link_);
    } catch (...) { return std::unexpected{exception_error()}; }
}

Expected<void> SubscriberCore::look_up_targets() {
    confirmer_ = source_->confirmer(*link_);
    if (confirmer_ == nullptr) return {};
    conclusion_.await_confirmations();
    if (!source_->dead_letter().empty()) look_up_dead_letter();
    return results_.look_up(*confirmer_, link_->logger(), spec_.subject);
}

void SubscriberCore::look_up_dead_letter() {
    const auto to = source_->dead_letter();
    if (host_->answers(to)) return;
    const auto stored = confirmer_->stored_of(to);
    const auto what = fmt::format("subscriber {}: retry.dead_letter {}", quoted(spec_.subject), quoted(to));
    if (!stored) {
        link_->logger().info("{}: cannot look up which stream keeps the dead letters: {}", what,
                             stored.error().message());
    } else if (stored->empty()) {
        link_->logger().warn(
            "{}: nobody is known to keep the dead letters: no stream stores this subject. A message "
            "that has failed too often stays in its stream, and comes again, until somebody confirms "
            "its dead letter: set retry.dead_letter_stream to a js::Stream with this subject, or have a "
            "subscriber of another program answer there",
            what);
    }
}

void SubscriberCore::make_dispatcher() {
    const auto& options = spec_.options;
    const bool batches = spec_.handler->takes_batches();
    inline_ = !batches && (!host_->threads() || (options.workers <= 1 && !options.dedicated));
    std::unique_ptr<Dispatcher> made;
    if (batches) {
        made = std::make_unique<BatchDispatcher>(
            *this, BatchSettings{.batch = options.batch,
                                 .threads = host_->threads() ? std::max<std::size_t>(options.workers, 1) : 0,
                                 .max_messages = options.max_pending_messages,
                                 .max_bytes = options.max_pending_bytes,
                                 .clock = clock_,
                                 .waiting = counts_.waiting()});
    } else if (inline_) {
        made = std::make_unique<InlineDispatcher>(*this);
    } else {
        made = std::make_unique<WorkerDispatcher>(*this, options, order_token_, *clock_, counts_.waiting());
    }
    if (auto* const watch = host_->stall_watch(); inline_ && watch != nullptr)
        sharing_.watch(
            *watch, spec_.subject, [this] { return counts_.received_so_far(); }, [this] { return source_->pending(); });
    const std::lock_guard lock{mutex_};
    dispatcher_ = std::move(made);
}

Dispatcher* SubscriberCore::dispatcher() const noexcept {
    const std::lock_guard lock{mutex_};
    return dispatcher_.get();
}

void SubscriberCore::quiesce() noexcept {
    close_intake(Intake::closing);
    std::unique_lock lock{mutex_};
    const auto found = life_.stop();
    lock.unlock();
    if (found == SubscriberLife::Stop::not_begun) return end();
    // The transport's drain may miss what a source that is being started subscribes to, so that source stops itself.
    if (found == SubscriberLife::Stop::starting) source_->stop(stop_timeout_);
    else source_->quiesce();
    turn_away_waiting();
}

void SubscriberCore::begin_stop(std::chrono::milliseconds timeout) {
    close_intake(Intake::closing);
    std::unique_lock lock{mutex_};
    const auto found = life_.stop();
    lock.unlock();
    if (found == SubscriberLife::Stop::not_begun) return end();
    if (found != SubscriberLife::Stop::over) source_->stop(timeout);
    turn_away_waiting();
}

bool SubscriberCore::finish_stop(TimePoint deadline) {
    abandon();
    {
        std::unique_lock lock{mutex_};
        const auto done = [this] { return life_.state() == SubscriberLife::State::finished; };
        if (wait_until(*clock_, lock, changed_, deadline, done)) return true;
    }
    source_->stop(std::chrono::milliseconds{0});
    discard();
    return false;
}

void SubscriberCore::stop() {
    begin_stop(stop_timeout_);
    if (!CallbackScope::inside()) finish_stop(clock_->now() + stop_timeout_);
}

void SubscriberCore::abandon() noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (life_.state() != SubscriberLife::State::declared) return;
        life_.stop();
    }
    end();
}

void SubscriberCore::join() {
    abandon();
    discard();
    std::unique_lock lock{mutex_};
    wait(*clock_, lock, changed_, [this] { return life_.state() == SubscriberLife::State::finished; });
}

bool SubscriberCore::finished() const {
    const std::lock_guard lock{mutex_};
    return life_.state() == SubscriberLife::State::finished;
}

void SubscriberCore::on_end() noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (!life_.source_ended()) return;
    }
    end();
}

void SubscriberCore::heed_losses() noexcept {
    std::optional<Error> why;
    {
        const std::lock_guard lock{mutex_};
        heeds_losses_ = true;
        why = lost_;
    }
    if (why) on_lost(*why);
}

void SubscriberCore::on_lost(const Error& why) noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (life_.is_over()) return;
        lost_ = why;
        if (!heeds_losses_ || spec_.options.on_lost == OnLost::go_on || !is_final(why)) return;
    }
    host_->on_lost(spec_.subject, why);
}

void SubscriberCore::on_back() noexcept {
    const std::lock_guard lock{mutex_};
    lost_.reset();
}

std::optional<Error> SubscriberCore::lost() const {
    const std::lock_guard lock{mutex_};
    return life_.is_over() ? std::nullopt : lost_;
}

void SubscriberCore::end() noexcept {
    close_intake(Intake::closing);
    if (spec_.handler != nullptr) spec_.handler->end();
    if (auto* const dispatcher = this->dispatcher()) dispatcher->close();
    else on_emptied();
}

void SubscriberCore::on_emptied() noexcept { end_postponed(); }

void SubscriberCore::end_postponed() noexcept {
    if (open_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    conclusion_.finish();
    const std::lock_guard lock{mutex_};
    life_.emptied();
    changed_.notify_all();
}

void SubscriberCore::close_intake(Intake to) noexcept {
    auto now = intake_.load(std::memory_order_relaxed);
    while (now < to && !intake_.compare_exchange_weak(now, to, std::memory_order_relaxed)) continue;
}

void SubscriberCore::discard() noexcept {
    close_intake(Intake::discarding);
    turn_away_waiting();
}

void SubscriberCore::turn_away_waiting() noexcept {
    auto* const dispatcher = this->dispatcher();
    if (dispatcher == nullptr) return;
    if (intake_ != Intake::discarding && !source_->wants_back()) return;
    for (auto& message : dispatcher->take_waiting()) turn_away(message);
}

bool SubscriberCore::turn_away(Message& message) noexcept {
    const bool given_back = source_->wants_back();
    if (!given_back && intake_.load(std::memory_order_relaxed) != Intake::discarding) return false;
    if (!given_back) counts_.drop();
    source_->settle(std::move(message), {.outcome = Outcome::nack(), .untouched = true});
    return true;
}

void SubscriberCore::count_dropped() noexcept {
    counts_.drop();
    on_dropped(0);
}

bool SubscriberCore::on_dropped(std::uint64_t) noexcept {
    if (!drop_reports_.pass(link_->clock().now())) return true;
    const ConnectionEvent event{
        .kind = ConnectionEvent::Kind::slow_consumer,
        .detail =
            "messages are dropped: more wait than max_pending_messages or max_pending_bytes allow; use more workers, "
            "or raise these limits",
        .subject = spec_.subject,
        .dropped = counts_.dropped_so_far() + source_->dropped()};
    link_->log(event);
    link_->tell(event);
    return true;
}

SubscriberStats SubscriberCore::stats() const {
    auto stats = counts_.stats();
    stats.pending = pending();
    stats.errors = conclusion_.errors();
    stats.dropped += source_->dropped();
    stats.consumer = source_->consumer_stats();
    return stats;
}

std::size_t SubscriberCore::pending() const {
    const std::lock_guard lock{mutex_};
    return source_->pending() + (dispatcher_ != nullptr ? dispatcher_->pending() : 0);
}

}  // namespace freshet::detail
