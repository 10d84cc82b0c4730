// SPDX-License-Identifier: Apache-2.0
#include "delivery/message_queue.hpp"

#include <algorithm>
#include <utility>

#include <freshet/detail/handler.hpp>

#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "delivery/subscriber_core.hpp"

namespace freshet::detail {
namespace {

/// The handler of a MessageStream: queues the message for the thread that asks for it.
class QueueHandler final : public HandlerBase {
public:
    /// `core`: the messages come from core NATS, where nobody wants to know what became of them.
    QueueHandler(std::shared_ptr<MessageQueue> queue, bool core) noexcept : queue_{std::move(queue)}, core_{core} {}

    void bind(Binder& binder) override {
        queue_->use(binder.clock());
        if (core_) return;
        binder.problem(
            "messages() is for subscribers of core NATS: what it reads is never acknowledged, and is dropped when too "
            "much waits; use handle(), or read with jetstream().consumer(...).messages(), jetstream().ordered(...) or "
            "the bucket's watch(...)");
    }
    Outcome invoke(Context& context) override {
        if (!queue_->push(ContextAccess::take_message(context))) ContextAccess::subscriber(context).count_dropped();
        return Outcome::ack;
    }
    void end() noexcept override { queue_->close(); }

private:
    std::shared_ptr<MessageQueue> queue_;
    const bool core_;
};

}  // namespace

bool MessageQueue::push(Message message) {
    const std::lock_guard lock{mutex_};
    const auto size = message.payload().size();
    if (closed_ || messages_.size() >= max_messages_ || bytes_ + size > max_bytes_) return false;
    bytes_ += size;
    messages_.push_back(std::move(message));
    changed_.notify_one();
    return true;
}

void MessageQueue::use(std::shared_ptr<Clock> clock) noexcept {
    if (clock == nullptr) return;
    const std::lock_guard lock{mutex_};
    clock_ = std::move(clock);
}

std::shared_ptr<Clock> MessageQueue::clock() const {
    const std::lock_guard lock{mutex_};
    return clock_;
}

std::optional<Message> MessageQueue::pop(std::chrono::milliseconds timeout) {
    const auto clock = this->clock();
    return pop_until(clock->now() + std::min(timeout, longest_timeout), clock);
}

std::optional<Message> MessageQueue::pop() { return pop_until(TimePoint::max(), clock()); }

std::optional<Message> MessageQueue::pop_until(TimePoint deadline, const std::shared_ptr<Clock>& clock) {
    std::unique_lock lock{mutex_};
    if (!closed_ && messages_.empty() && !may_wait() && deadline > clock->now())
        raise(wait_refused("reading the next message on " + quoted(subject_)));
    wait_until(*clock, lock, changed_, deadline, [this] { return closed_ || !messages_.empty(); });
    if (messages_.empty()) return std::nullopt;
    std::optional<Message> message{std::move(messages_.front())};
    messages_.pop_front();
    bytes_ -= message->payload().size();
    return message;
}

void MessageQueue::close() noexcept {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    changed_.notify_all();
}

std::size_t MessageQueue::size() const {
    const std::lock_guard lock{mutex_};
    return messages_.size();
}

std::pair<std::shared_ptr<SubscriberCore>, std::shared_ptr<MessageQueue>> open_stream(Registry& registry,
                                                                                      SubscriberSpec spec) {
    auto queue =
        std::make_shared<MessageQueue>(spec.subject, spec.options.max_pending_messages, spec.options.max_pending_bytes);
    spec.handler = std::make_unique<QueueHandler>(queue, spec.source == nullptr);
    // A stream needs no threads of its own: you read it on yours.
    spec.options.workers = 0;
    spec.options.dedicated = false;
    spec.bare = true;  // no middleware: you handle the message after you have read it
    auto subscriber = registry.add(std::move(spec));
    return {std::move(subscriber), std::move(queue)};
}

}  // namespace freshet::detail
