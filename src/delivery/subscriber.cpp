// SPDX-License-Identifier: Apache-2.0
#include <freshet/subscriber.hpp>

#include "delivery/message_queue.hpp"
#include "delivery/subscriber_core.hpp"

namespace freshet {

std::string_view Subscriber::subject() const noexcept { return subscriber_->spec().subject; }
SubscriberStats Subscriber::stats() const { return subscriber_->stats(); }
void Subscriber::stop() { subscriber_->stop(); }

MessageStream::~MessageStream() {
    if (subscriber_ == nullptr) return;
    queue_->close();  // nobody reads any more: messages that still come are dropped
    stop();
}

std::optional<Message> MessageStream::next(std::chrono::milliseconds timeout) { return queue_->pop(timeout); }
std::optional<Message> MessageStream::next() { return queue_->pop(); }

SubscriberStats MessageStream::stats() const {
    auto stats = subscriber_->stats();
    stats.pending += queue_->size();
    return stats;
}

void MessageStream::stop() { subscriber_->stop(); }

}  // namespace freshet
