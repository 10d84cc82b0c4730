// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/pull_session.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/random_id.hpp"
#include "base/wait.hpp"

namespace freshet::detail {
namespace {

constexpr std::chrono::milliseconds first_retry{100};
constexpr std::chrono::milliseconds longest_retry{5'000};
// While more messages of a push consumer wait for their handlers the server is told to wait.
constexpr std::size_t most_in_hand = 256;

/// The number that is all of `text`.
std::optional<std::uint64_t> number(std::optional<std::string_view> text) {
    std::uint64_t value = 0;
    if (!text || text->empty()) return std::nullopt;
    const auto* const end = text->data() + text->size();
    const auto result = std::from_chars(text->data(), end, value);
    if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
    return value;
}

}  // namespace

PullSession::PullSession(std::shared_ptr<const JsApi> api, PullSettings settings, std::shared_ptr<PullOwner> owner)
    : api_{std::move(api)},
      link_{api_->link()},
      settings_{std::move(settings)},
      inbox_{link_.options().inbox_prefix + '.' + random_id() + '.'},
      owner_{std::move(owner)},
      pipeline_{settings_.limits, link_.clock().now()} {}

PullSession::~PullSession() {
    if (!recovery_.joinable()) return;
    if (recovery_.get_id() == std::this_thread::get_id()) recovery_.detach();
    else recovery_.join();
}

Expected<void> PullSession::start() {
    auto target = owner_->declare();
    const auto subscribed = target ? subscribe(*target) : Expected<void>{};
    if (!target || !subscribed) {
        const std::lock_guard lock{mutex_};
        owner_ = nullptr;  // which refers to this
        return std::unexpected{target ? subscribed.error() : target.error()};
    }
    link_.watch(weak_from_this());
    // The server must know the inbox before it gets a request: it forgets those that nobody listens for.
    std::ignore = link_.transport().flush(link_.options().connect_timeout);
    Lock lock{mutex_};
    target_ = *std::move(target);
    if (target_.heartbeat.count() > 0) pipeline_.set_heartbeat(target_.heartbeat);
    pump(std::move(lock));
    return {};
}

Expected<void> PullSession::subscribe(const PullTarget& target) {
    if (settings_.push) inbox_ = target.deliver_subject;
    auto subscription = link_.transport().subscribe({.subject = settings_.push ? inbox_ : inbox_ + '*',
                                                     .queue = target.deliver_group,
                                                     .max_pending_messages = 0,
                                                     .max_pending_bytes = 0},
                                                    shared_from_this());
    if (!subscription) return std::unexpected{std::move(subscription).error()};
    const std::lock_guard lock{mutex_};
    subscription_ = *std::move(subscription);
    if (stopping_) subscription_->drain(std::chrono::milliseconds{0});
    return {};
}

void PullSession::pump(Lock lock) noexcept {
    if (target_.consumer.empty() || recovering_) return;
    const auto request = pipeline_.next(link_.clock().now());
    arm();
    if (!request) return;
    request_ = request->number;
    if (settings_.push) return;
    const auto consumer = target_.consumer;
    const auto pin = pin_;
    lock.unlock();
    send(*request, consumer, pin);
}

void PullSession::send(const PullRequest& request, const std::string& consumer, const std::string& pin) noexcept {
    auto body = fmt::format(R"({{"batch":{},"expires":{},"idle_heartbeat":{})", request.batch, request.expires.count(),
                            request.heartbeat.count());
    if (request.max_bytes > 0) body += fmt::format(R"(,"max_bytes":{})", request.max_bytes);
    if (!settings_.group.empty()) body += fmt::format(R"(,"group":"{}")", settings_.group);
    if (!pin.empty()) body += fmt::format(R"(,"id":"{}")", pin);
    if (settings_.min_pending > 0) body += fmt::format(R"(,"min_pending":{})", settings_.min_pending);
    if (settings_.min_ack_pending > 0) body += fmt::format(R"(,"min_ack_pending":{})", settings_.min_ack_pending);
    if (settings_.priority > 0) body += fmt::format(R"(,"priority":{})", settings_.priority);
    body += '}';
    const auto reply = inbox_ + std::to_string(request.number);
    // A request that cannot be sent is noticed as one without heartbeats, or by the reconnect.
    std::ignore = link_.transport().publish({.subject = api_->subject("CONSUMER.MSG.NEXT." + consumer),
                                             .reply_to = reply,
                                             .payload = as_bytes(body),
                                             .flush = Flush::now});
}

void PullSession::arm() {
    const auto deadline = pipeline_.deadline();
    if (!deadline || stopping_ || (armed_ && timer_.when <= *deadline)) return;
    if (armed_) link_.clock().cancel(timer_);
    armed_ = true;
    timer_ = link_.clock().schedule(*deadline, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->on_timer();
    });
}

void PullSession::on_timer() noexcept {
    Lock lock{mutex_};
    armed_ = false;
    if (stopping_) return;
    if (pipeline_.overdue(link_.clock().now())) {
        link_.logger().warn("no sign of life of {}: looking after it", settings_.who);
        return recover(lock);
    }
    pump(std::move(lock));
}

void PullSession::on_message(Message message) noexcept {
    if (message.subject().starts_with(inbox_)) return on_status(message);
    const auto metadata = message.metadata();
    if (!metadata) return;
    Lock lock{mutex_};
    const auto owner = owner_;
    pipeline_.received(message.payload().size(), metadata->pending > 0, link_.clock().now());
    if (!settings_.group.empty()) {
        if (const auto pin = message.header("Nats-Pin-Id")) pin_ = *pin;
    }
    pump(std::move(lock));
    if (owner != nullptr) owner->on_message(std::move(message), *metadata);
}

void PullSession::on_status(const Message& message) noexcept {
    const auto text = message.header("Description").value_or("");
    const auto pending = number(message.header("Nats-Pending-Messages"));
    const auto named = number(message.subject().substr(inbox_.size())).value_or(0);
    Lock lock{mutex_};
    const PullStatus status{.request = settings_.push ? request_ : named,
                            .code = message.status(),
                            .text = text,
                            .pending_messages = pending};
    const auto owner = owner_;
    if (settings_.push) answer_flow_control(message);
    switch (pipeline_.status(status, link_.clock().now())) {
        case PullVerdict::go_on: break;
        case PullVerdict::warn: complain(status, false); break;
        case PullVerdict::unpinned: pin_.clear(); break;
        case PullVerdict::lost: complain(status, false); return recover(lock);
        case PullVerdict::refused: complain(status, true); return recover(lock);
    }
    pump(std::move(lock));
    const auto last = status.code == 100 ? number(message.header("Nats-Last-Consumer")) : std::nullopt;
    if (last && owner != nullptr) owner->on_heartbeat(*last);
}

/// The server asks whether what it sent so far is handled, and sends no more until it is (flow control of push consumers).
void PullSession::answer_flow_control(const Message& message) {
    if (const auto stalled = message.header("Nats-Consumer-Stalled")) flow_reply_ = *stalled;
    else if (!message.reply_to().empty()) flow_reply_ = message.reply_to();
    if (flow_reply_.empty() || pipeline_.in_hand() > most_in_hand) return;
    std::ignore = link_.transport().publish({.subject = std::exchange(flow_reply_, {}), .flush = Flush::now});
}

void PullSession::complain(const PullStatus& status, bool error) {
    if (complained_ == status.text || stopping_ || recovering_) return;  // the recovery may have deleted it itself
    complained_ = status.text;
    link_.logger().log(error ? LogLevel::error : LogLevel::warn, "pulling from {}: the server says {} {}",
                       settings_.who, status.code, status.text);
}

void PullSession::handled(const Settled& settled) noexcept {
    Lock lock{mutex_};
    pipeline_.handled(settled, link_.clock().now());
    if (!flow_reply_.empty() && pipeline_.in_hand() <= most_in_hand)
        std::ignore = link_.transport().publish({.subject = std::exchange(flow_reply_, {}), .flush = Flush::now});
    pump(std::move(lock));
}

void PullSession::on_connection(bool up) noexcept {
    Lock lock{mutex_};
    if (!up) pipeline_.disconnected();
    // A server that was restarted may have lost the consumer, and does not say so.
    else recover(lock);
}

void PullSession::declare_again() noexcept {
    Lock lock{mutex_};
    recover(lock);
}

void PullSession::recover(Lock& lock) {
    if (recovering_ || stopping_ || target_.consumer.empty()) return;
    recovering_ = true;
    auto ended = std::exchange(recovery_, {});
    lock.unlock();
    if (ended.joinable()) ended.join();
    lock.lock();
    const auto clock = link_.shared_clock();  // the broker may go before the thread has returned
    clock->add_work(1);
    recovery_ = std::thread{[self = shared_from_this(), clock] {
        {
            const WorkScope scope;
            self->run_recovery();
        }
        clock->add_work(-1);
    }};
}

void PullSession::run_recovery() noexcept {
    auto wait = first_retry;
    std::string last_words;
    Lock lock{mutex_};
    while (!stopping_) {
        const auto owner = owner_;
        lock.unlock();
        std::ignore = link_.transport().flush(link_.options().connect_timeout);
        auto target = owner->declare();
        if (target && target->deliver_subject != target_.deliver_subject) {
            target = failure(Errc::consumer_exists, "it sends to another subject than before: somebody made it anew");
        }
        if (!target && last_words != target.error().message()) {
            last_words = target.error().message();
            link_.logger().error("{} cannot go on, and tries again: {}", settings_.who, last_words);
        }
        lock.lock();
        if (target) {
            target_ = *std::move(target);
            if (target_.heartbeat.count() > 0) pipeline_.set_heartbeat(target_.heartbeat);
            pipeline_.reset(link_.clock().now());
            break;
        }
        wait_until(link_.clock(), lock, changed_, link_.clock().now() + wait, [this] { return stopping_; });
        wait = std::min(wait * 2, longest_retry);
    }
    recovering_ = false;
    if (inbox_ended_) return finish(std::move(lock));
    if (!last_words.empty() && !stopping_) link_.logger().info("{} goes on", settings_.who);
    pump(std::move(lock));
}

void PullSession::quiesce() noexcept {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    pipeline_.stop();
    changed_.notify_all();
}

void PullSession::stop(std::chrono::milliseconds timeout) noexcept {
    quiesce();
    const std::lock_guard lock{mutex_};
    if (subscription_ != nullptr) subscription_->drain(timeout);
}

bool PullSession::stopping() const noexcept {
    const std::lock_guard lock{mutex_};
    return stopping_;
}

std::size_t PullSession::pending() const noexcept {
    const std::lock_guard lock{mutex_};
    return subscription_ == nullptr ? 0 : subscription_->pending();
}

void PullSession::on_end() noexcept {
    Lock lock{mutex_};
    inbox_ended_ = true;
    stopping_ = true;
    changed_.notify_all();
    if (!recovering_) finish(std::move(lock));  // else the recovery does, when it has ended
}

void PullSession::finish(Lock lock) noexcept {
    if (armed_) link_.clock().cancel(timer_);
    armed_ = false;
    const auto owner = std::exchange(owner_, nullptr);
    lock.unlock();
    if (owner != nullptr) owner->on_end();
}

}  // namespace freshet::detail
