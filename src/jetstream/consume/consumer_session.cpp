// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/consumer_session.hpp"

#include <utility>

#include <fmt/format.h>

#include <freshet/text.hpp>

#include "base/exception_text.hpp"

namespace freshet::detail {
namespace {

std::optional<std::uint64_t> last_delivered(const Message& heartbeat) {
    return FromText<std::uint64_t>::parse(heartbeat.header("Nats-Last-Consumer").value_or(""));
}

}  // namespace

/// The sink of one inbox of the session. Ignores messages of earlier inboxes, which came from a consumer that is gone.
class ConsumerSession::Inbox final : public MessageSink {
public:
    Inbox(std::shared_ptr<ConsumerSession> session, std::uint64_t number) noexcept
        : session_{std::move(session)}, number_{number} {}

    void on_message(Message message) noexcept override { session_->on_message(number_, std::move(message)); }
    void on_end() noexcept override { session_->on_end(number_); }
    void on_lost(const Error& why) noexcept override { session_->on_lost(number_, why); }
    void on_back() noexcept override { session_->on_back(number_); }

private:
    const std::shared_ptr<ConsumerSession> session_;
    const std::uint64_t number_;
};

ConsumerSession::ConsumerSession(std::shared_ptr<const JsApi> api, std::string who,
                                 std::unique_ptr<DeliveryPolicy> policy)
    : api_{std::move(api)}, link_{api_->link()}, who_{std::move(who)}, policy_{std::move(policy)} {}

ConsumerSession::~ConsumerSession() {
    if (!recovery_.joinable()) return;
    if (recovery_.get_id() == std::this_thread::get_id()) recovery_.detach();
    else recovery_.join();
}

Expected<void> ConsumerSession::start(const std::shared_ptr<SessionOwner>& owner) {
    {
        const std::lock_guard lock{mutex_};
        owner_ = owner;
    }
    auto target = open(*owner);
    if (!target) {
        const std::lock_guard lock{mutex_};
        owner_ = nullptr;  // the owner refers to this session
        return std::unexpected{target.error()};
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

Expected<DeliveryTarget> ConsumerSession::open(SessionOwner& owner) {
    try {
        auto target = declare(owner);
        if (!target) return target;
        if (const auto subscribed = subscribe(*target); !subscribed) return std::unexpected{subscribed.error()};
        return target;
    } catch (const Error& error) { return std::unexpected{error}; }
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
    const auto signal = next_signal();
    lock.unlock();
    if (signal) send(*signal);
}

std::optional<DeliverySignal> ConsumerSession::next_signal() {
    auto signal = policy_->next(link_.clock().now());
    arm();
    return signal;
}

void ConsumerSession::send(const DeliverySignal& signal) noexcept {
    // If the signal cannot be sent, missing heartbeats or the reconnect will show it.
    std::ignore = link_.transport().publish({.subject = signal.subject,
                                             .reply_to = signal.reply_to,
                                             .payload = as_bytes(signal.body),
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
        link_.logger().warn("{}: nothing came, not even a heartbeat; checking whether the consumer is still there",
                            who_);
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
    if (refused_) forget_refusal(lock);
    if (inbox != inbox_) return;
    // The consumer numbers its deliveries. If the numbers begin anew, somebody else has made the consumer anew.
    const bool anew = metadata->consumer_sequence <= last_delivery_ && !target_.identity.empty();
    last_delivery_ = metadata->consumer_sequence;
    if (anew && owner != nullptr) {
        owner->on_found(Acknowledger::Anew::yes);
        target_.identity.clear();  // the recovery sets it again
        recover(lock);
    }
    std::function<void()> call;
    if (policy_->received(message, *metadata, link_.clock().now())) call = policy_->take_call();
    pump(std::move(lock));
    if (call) run(call);
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
    const auto verdict = policy_->status(message, link_.clock().now());
    if (const auto call = policy_->take_call()) {
        lock.unlock();
        run(call);
        lock.lock();
        if (inbox != inbox_) return;
    }
    switch (verdict) {
        case DeliveryVerdict::go_on: break;
        case DeliveryVerdict::stale: return pump(std::move(lock));
        case DeliveryVerdict::warn: complain(message, LogLevel::warn); break;
        case DeliveryVerdict::lost: complain(message, LogLevel::warn); return recover(lock);
        case DeliveryVerdict::refused: {
            complain(message, LogLevel::error);
            recover(lock);
            const auto reason = message.header("Description").value_or("");
            const Error why{Errc::remote, fmt::format("{}: the server says {} {}", who_, code, reason)};
            refuse(std::move(lock), why);
            if (owner != nullptr) owner->on_refused(why);
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
    link_.report(FailureLog::Kind::status, who_,
                 {Errc::remote, fmt::format("the server says {} {}", status.status(), text)}, level);
}

void ConsumerSession::run(const std::function<void()>& call) noexcept {
    try {
        call();
    } catch (...) { link_.report(FailureLog::Kind::callback_threw, who_ + ": on_pin threw", exception_error()); }
}

void ConsumerSession::handled(const Settled& settled) noexcept {
    Lock lock{mutex_};
    policy_->handled(settled, link_.clock().now());
    pump(std::move(lock));
}

void ConsumerSession::on_connection(ConnectionChange change) noexcept {
    Lock lock{mutex_};
    reconnected_ = change == ConnectionChange::back;
    // A restarted server may have lost the consumer without saying so.
    if (reconnected_) return recover(lock);
    ++losses_;
    if (owner_ != nullptr) owner_->on_doubt();
    if (change != ConnectionChange::lost) return;
    if (refused_) forget_refusal(lock);
    policy_->disconnected();
}

void ConsumerSession::on_refused(std::string_view subject, const Error& why) noexcept {
    Lock lock{mutex_};
    if (target_.consumer.empty() || subject != api_->subject("CONSUMER.MSG.NEXT." + target_.consumer)) return;
    refuse(std::move(lock), why);
}

void ConsumerSession::refuse(Lock lock, const Error& why) noexcept {
    if (stopping_) return;
    refused_ = true;
    const auto owner = owner_;
    lock.unlock();
    if (owner != nullptr) owner->on_lost(why);
}

void ConsumerSession::forget_refusal(Lock& lock) noexcept {
    refused_ = false;
    const auto owner = owner_;
    lock.unlock();
    if (owner != nullptr) owner->on_back();
    lock.lock();
}

void ConsumerSession::declare_again() noexcept {
    Lock lock{mutex_};
    recover(lock);
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
