// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/consumer_session.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/wait.hpp"

namespace freshet::detail {
namespace {

constexpr std::chrono::milliseconds first_retry{100};
constexpr std::chrono::milliseconds longest_retry{5'000};
// A stop waits for a flush this long at most.
constexpr std::chrono::milliseconds flush_step{100};
// When a consumer that was well for this long is lost, freshet looks for it at once.
constexpr std::chrono::seconds forgotten{60};

std::optional<std::uint64_t> last_delivered(const Message& heartbeat) {
    const auto text = heartbeat.header("Nats-Last-Consumer").value_or("");
    std::uint64_t sequence = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, fault] = std::from_chars(text.data(), end, sequence);
    return fault == std::errc{} && rest == end ? std::optional{sequence} : std::nullopt;
}

}  // namespace

/// The sink of one inbox of the session. Ignores messages of earlier inboxes, which came from a consumer that is gone.
class ConsumerSession::Inbox final : public MessageSink {
public:
    Inbox(std::shared_ptr<ConsumerSession> session, std::uint64_t number) noexcept
        : session_{std::move(session)}, number_{number} {}

    void on_message(Message message) noexcept override { session_->on_message(number_, std::move(message)); }
    void on_end() noexcept override { session_->on_end(number_); }

private:
    const std::shared_ptr<ConsumerSession> session_;
    const std::uint64_t number_;
};

ConsumerSession::ConsumerSession(std::shared_ptr<const JsApi> api, std::string who,
                                 std::unique_ptr<DeliveryPolicy> policy, std::shared_ptr<SessionOwner> owner)
    : api_{std::move(api)},
      link_{api_->link()},
      who_{std::move(who)},
      owner_{std::move(owner)},
      policy_{std::move(policy)} {}

ConsumerSession::~ConsumerSession() {
    if (!recovery_.joinable()) return;
    if (recovery_.get_id() == std::this_thread::get_id()) recovery_.detach();
    else recovery_.join();
}

Expected<void> ConsumerSession::start() {
    auto target = declare(*owner_);
    const auto subscribed = target ? subscribe(*target) : Expected<void>{};
    if (!target || !subscribed) {
        const std::lock_guard lock{mutex_};
        owner_ = nullptr;  // the owner refers to this session
        return std::unexpected{target ? subscribed.error() : target.error()};
    }
    link_.watch(weak_from_this());
    // The server must know the inbox before it gets a request: it drops a request whose inbox has no listener.
    std::ignore = link_.transport().flush(link_.options().connect_timeout);
    Lock lock{mutex_};
    target_ = *std::move(target);
    policy_->begin(target_, link_.clock().now());
    if (lost_early_) recover(lock);
    pump(std::move(lock));
    return {};
}

/// Has the owner declare the consumer. A stop ends the requests for it: nobody waits for them any more.
Expected<DeliveryTarget> ConsumerSession::declare(SessionOwner& owner) {
    const RequestGroup::Scope scope{requests_};
    return owner.declare();
}

Expected<void> ConsumerSession::subscribe(const DeliveryTarget& target) {
    Lock lock{mutex_};
    const auto number = ++inbox_;
    auto inbox = policy_->open_inbox(target);
    lock.unlock();
    auto subscription = link_.transport().subscribe({.subject = std::move(inbox.subject),
                                                     .queue = std::move(inbox.queue),
                                                     .max_pending_messages = 0,
                                                     .max_pending_bytes = 0},
                                                    std::make_shared<Inbox>(shared_from_this(), number));
    if (!subscription) return std::unexpected{std::move(subscription).error()};
    lock.lock();
    subscription_ = *std::move(subscription);
    inbox_ended_ = false;
    if (stopping_) subscription_->drain(std::chrono::milliseconds{0});
    return {};
}

void ConsumerSession::pump(Lock lock) noexcept {
    if (target_.consumer.empty() || recovering_) return;
    const auto signal = policy_->next(link_.clock().now());
    arm();
    lock.unlock();
    if (!signal) return;
    // If the signal cannot be sent, missing heartbeats or the reconnect will show it.
    std::ignore = link_.transport().publish({.subject = signal->subject,
                                             .reply_to = signal->reply_to,
                                             .payload = as_bytes(signal->body),
                                             .flush = Flush::now});
}

void ConsumerSession::arm() {
    const auto deadline = policy_->deadline();
    if (!deadline || stopping_ || (armed_ && timer_.when <= *deadline)) return;
    if (armed_) link_.clock().cancel(timer_);
    armed_ = true;
    timer_ = link_.clock().schedule(*deadline, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->on_timer();
    });
}

void ConsumerSession::on_timer() noexcept {
    Lock lock{mutex_};
    armed_ = false;
    if (stopping_) return;
    if (policy_->overdue(link_.clock().now())) {
        link_.logger().warn("no sign of life of {}: looking after it", who_);
        return recover(lock);
    }
    pump(std::move(lock));
}

void ConsumerSession::on_message(std::uint64_t inbox, Message message) noexcept {
    // A stored message has a reply subject to acknowledge it on, whatever its own subject and headers are. A status has
    // none.
    const auto metadata = message.metadata();
    if (!metadata) return on_status(inbox, message);
    Lock lock{mutex_};
    if (inbox != inbox_) return;
    const auto owner = owner_;
    if (left_over(*metadata)) return;
    recoveries_ = 0;
    // The consumer numbers its deliveries. If the numbers begin anew, somebody else has made the consumer anew.
    const bool anew = metadata->consumer_sequence <= last_delivery_ && !target_.identity.empty();
    last_delivery_ = metadata->consumer_sequence;
    if (anew && owner != nullptr) {
        owner->on_found(Acknowledger::Anew::yes);
        target_.identity.clear();  // the recovery sets it again
        recover(lock);
    }
    policy_->received(message, *metadata, link_.clock().now());
    pump(std::move(lock));
    if (owner != nullptr) owner->on_message(std::move(message), *metadata);
}

/// Returns whether a message that waited here was delivered by the consumer that is gone: its numbers go on, while
/// those of the new consumer begin anew.
bool ConsumerSession::left_over(const Metadata& metadata) {
    if (left_over_ == 0) return false;
    const bool old = metadata.consumer_sequence > last_delivery_;
    left_over_ = old ? left_over_ - 1 : 0;
    last_delivery_ = old && left_over_ > 0 ? metadata.consumer_sequence : 0;
    return old;
}

void ConsumerSession::on_status(std::uint64_t inbox, const Message& message) noexcept {
    const auto code = message.status();
    if (code == 0) return;  // somebody published to the inbox
    Lock lock{mutex_};
    if (inbox != inbox_) return;
    const auto owner = owner_;
    switch (policy_->status(message, link_.clock().now())) {
        case DeliveryVerdict::go_on: break;
        case DeliveryVerdict::stale: return pump(std::move(lock));
        case DeliveryVerdict::warn: complain(message, LogLevel::warn); break;
        case DeliveryVerdict::lost: complain(message, LogLevel::warn); return recover(lock);
        case DeliveryVerdict::refused: {
            complain(message, LogLevel::error);
            recover(lock);
            lock.unlock();
            const auto said = message.header("Description").value_or("");
            if (owner != nullptr)
                owner->on_refused({Errc::remote, fmt::format("{}: the server says {} {}", who_, code, said)});
            return;
        }
    }
    pump(std::move(lock));
    const auto last = code == 100 ? last_delivered(message) : std::nullopt;
    if (last && owner != nullptr) owner->on_heartbeat(*last);
}

void ConsumerSession::complain(const Message& status, LogLevel level) {
    const auto text = status.header("Description").value_or("");
    if (complained_ == text || stopping_ || recovering_) return;  // the recovery may have deleted the consumer itself
    complained_ = text;
    link_.report(FailureLog::Kind::status, "pulling from " + who_,
                 {Errc::remote, fmt::format("the server says {} {}", status.status(), text)}, level);
}

void ConsumerSession::handled(const Settled& settled) noexcept {
    Lock lock{mutex_};
    policy_->handled(settled, link_.clock().now());
    pump(std::move(lock));
}

void ConsumerSession::on_connection(bool up) noexcept {
    Lock lock{mutex_};
    if (up) return recover(lock);  // a restarted server may have lost the consumer without saying so
    policy_->disconnected();
    if (owner_ != nullptr) owner_->on_doubt();
}

void ConsumerSession::declare_again() noexcept {
    Lock lock{mutex_};
    recover(lock);
}

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

void ConsumerSession::run_recovery() noexcept {
    auto wait = first_retry;
    std::string last_words;
    Lock lock{mutex_};
    const auto begin = link_.clock().now() + recovery_pause();
    wait_until(link_.clock(), lock, changed_, begin, [this] { return stopping_; });
    while (!stopping_) {
        const auto owner = owner_;
        flush(lock);
        lock.unlock();
        auto target = declare(*owner);
        lock.lock();
        Expected<void> found{};
        if (target) found = take_over(lock, *std::move(target));
        else found = std::unexpected{target.error()};
        if (found || stopping_) break;
        if (last_words != found.error().message()) {
            last_words = found.error().message();
            link_.logger().error("{} cannot go on, and tries again: {}", who_, last_words);
        }
        wait_until(link_.clock(), lock, changed_, link_.clock().now() + wait, [this] { return stopping_; });
        wait = std::min(wait * 2, longest_retry);
    }
    recovering_ = false;
    if (inbox_ended_) return finish(std::move(lock));
    if (!last_words.empty() && !stopping_) link_.logger().info("{} goes on", who_);
    pump(std::move(lock));
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

void ConsumerSession::quiesce() noexcept {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    requests_.cancel();
    policy_->stop();
    changed_.notify_all();
}

void ConsumerSession::stop(std::chrono::milliseconds timeout) noexcept {
    quiesce();
    const std::lock_guard lock{mutex_};
    if (subscription_ != nullptr) subscription_->drain(timeout);
}

bool ConsumerSession::stopping() const noexcept {
    const std::lock_guard lock{mutex_};
    return stopping_;
}

std::size_t ConsumerSession::pending() const noexcept {
    const std::lock_guard lock{mutex_};
    return subscription_ == nullptr ? 0 : subscription_->pending();
}

void ConsumerSession::on_end(std::uint64_t inbox) noexcept {
    Lock lock{mutex_};
    if (inbox != inbox_) return;
    inbox_ended_ = true;
    stopping_ = true;
    requests_.cancel();
    changed_.notify_all();
    if (!recovering_) finish(std::move(lock));  // otherwise the recovery calls finish when it has ended
}

void ConsumerSession::finish(Lock lock) noexcept {
    if (armed_) link_.clock().cancel(timer_);
    armed_ = false;
    const auto owner = std::exchange(owner_, nullptr);
    lock.unlock();
    if (owner != nullptr) owner->on_end();
}

}  // namespace freshet::detail
