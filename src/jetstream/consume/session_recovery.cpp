// SPDX-License-Identifier: Apache-2.0
// The part of a session that finds its consumer again after a loss, in a thread of its own.
#include <algorithm>
#include <system_error>
#include <utility>

#include "base/wait.hpp"
#include "jetstream/consume/consumer_session.hpp"

namespace freshet::detail {
namespace {

constexpr std::chrono::milliseconds first_retry{100};
constexpr std::chrono::milliseconds longest_retry{5'000};
// A stream or consumer that was not found so often in a row, within more than a second, is lost.
constexpr int looks_until_lost = 5;
// A stop waits for a flush this long at most.
constexpr std::chrono::milliseconds flush_step{100};
// When a consumer that was well for this long is lost, freshet looks for it at once.
constexpr std::chrono::seconds forgotten{60};

}  // namespace

void ConsumerSession::recover(Lock& lock) {
    if (target_.consumer.empty()) lost_early_ = true;  // start() recovers
    if (recovering_ || stopping_ || target_.consumer.empty()) return;
    recovering_ = true;
    if (owner_ != nullptr) owner_->on_doubt();
    auto ended = std::exchange(recovery_, {});
    lock.unlock();
    if (ended.joinable()) ended.join();
    lock.lock();
    const auto clock = link_.shared_clock();  // the broker may go before the thread has returned
    clock->add_work(1);
    try {
        // The broker waits for this thread, also if the session belongs to no subscriber.
        recovery_ =
            std::thread{[work = Background::Work{link_.background()}, self = shared_from_this(), clock]() mutable {
                {
                    const WorkScope scope;
                    std::exchange(self, nullptr)->run_recovery();
                }
                clock->add_work(-1);
            }};
    } catch (const std::system_error& error) {
        clock->add_work(-1);
        recovering_ = false;
        link_.report(FailureLog::Kind::status, who_ + ": cannot make the thread that looks after it, and tries again",
                     {error.code(), error.what()});
        link_.clock().schedule(clock->now() + longest_retry, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->declare_again();
        });
        if (!inbox_ended_) return;
        finish(std::move(lock));
        lock = Lock{mutex_};
    }
}

// Only this thread is not waited for by the transport or the clock. So it counts as recovering, and the owner has no
// on_end, until it uses the link no more: after on_end the broker may be gone.
void ConsumerSession::run_recovery() noexcept {
    Lock lock{mutex_};
    do {
        reconnected_ = false;
        find_consumer(lock);
        while (const auto signal = stopping_ ? std::nullopt : next_signal()) {
            lock.unlock();
            send(*signal);
            lock.lock();
        }
    } while (reconnected_ && !stopping_);
    recovering_ = false;
    if (inbox_ended_) finish(std::move(lock));
}

void ConsumerSession::find_consumer(Lock& lock) noexcept {
    auto wait = first_retry;
    std::string last_words;
    const auto begin = link_.clock().now() + recovery_pause();
    wait_until(link_.clock(), lock, changed_, begin, [this] { return stopping_; });
    for (int looks = 1; !stopping_; ++looks) {
        const auto owner = owner_;
        flush(lock);
        const auto losses = losses_;
        lock.unlock();
        auto target = declare(*owner);
        lock.lock();
        if (target && losses != losses_) continue;  // the answer is about a server that is lost
        Expected<void> found{};
        if (target) found = take_over(lock, *std::move(target));
        else found = std::unexpected{target.error()};
        if (found || stopping_) break;
        if (last_words != found.error().message()) {
            last_words = found.error().message();
            link_.logger().error("{}: cannot go on, and tries again: {}", who_, last_words);
        }
        if (looks >= looks_until_lost) {
            lock.unlock();
            owner->on_lost(found.error());
            lock.lock();
        }
        wait_until(link_.clock(), lock, changed_, link_.clock().now() + wait, [this] { return stopping_; });
        wait = std::min(wait * 2, longest_retry);
    }
    if (last_words.empty() || stopping_) return;
    link_.logger().info("{}: goes on", who_);
    if (refused_ || subscription_->refusal()) return;
    const auto owner = owner_;
    lock.unlock();
    if (owner != nullptr) owner->on_back();
    lock.lock();
}

void ConsumerSession::on_lost(std::uint64_t inbox, const Error& why) noexcept {
    Lock lock{mutex_};
    const auto owner = inbox == inbox_ && !stopping_ ? owner_ : nullptr;
    lock.unlock();
    if (owner != nullptr) owner->on_lost(why);
}

void ConsumerSession::on_back(std::uint64_t inbox) noexcept {
    Lock lock{mutex_};
    const auto owner = inbox == inbox_ ? owner_ : nullptr;
    lock.unlock();
    if (owner != nullptr) owner->on_back();
}

void ConsumerSession::flush(Lock& lock) noexcept {
    auto& clock = link_.clock();
    const auto deadline = clock.now() + link_.options().connect_timeout;
    while (!stopping_ && clock.now() < deadline) {
        lock.unlock();
        const auto flushed = link_.transport().flush(flush_step);
        lock.lock();
        if (flushed || flushed.error().code() != Errc::timeout) return;
    }
}

std::chrono::milliseconds ConsumerSession::recovery_pause() {
    const auto now = link_.clock().now();
    if (now - recovered_ > forgotten) recoveries_ = 0;
    recovered_ = now;
    const auto before = recoveries_++;
    if (before == 0) return {};
    return std::min(first_retry * (1 << std::min<std::size_t>(before, 10)), longest_retry);
}

Expected<void> ConsumerSession::take_over(Lock& lock, DeliveryTarget target) {
    const auto owner = owner_;
    const bool anew = !target_.identity.empty() && target.identity != target_.identity;
    const bool moved =
        target.deliver_subject != target_.deliver_subject || target.deliver_group != target_.deliver_group;
    if (moved) {
        ++inbox_;
        auto old = std::exchange(subscription_, nullptr);
        lock.unlock();
        old = nullptr;  // before the new one: in a queue group the old one would take messages
        auto subscribed = subscribe(target);
        if (subscribed) std::ignore = link_.transport().flush(link_.options().connect_timeout);
        lock.lock();
        if (!subscribed) {
            inbox_ended_ = true;  // no inbox is open until the next attempt
            return subscribed;
        }
        last_delivery_ = 0;
    } else if (anew) {
        // The messages that wait here, and one that may be on its way to on_message.
        left_over_ = last_delivery_ == 0 ? 0 : subscription_->pending() + 1;
    }
    target_ = std::move(target);
    policy_->begin(target_, link_.clock().now());
    if (owner != nullptr) owner->on_found(anew ? Acknowledger::Anew::yes : Acknowledger::Anew::no);
    return {};
}

}  // namespace freshet::detail
