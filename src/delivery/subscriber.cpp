// SPDX-License-Identifier: Apache-2.0
#include <freshet/subscriber.hpp>

#include "broker/broker_core.hpp"
#include "delivery/consumer.hpp"
#include "delivery/message_queue.hpp"

namespace freshet {

std::string_view Subscriber::subject() const noexcept { return consumer_->spec().subject; }
SubscriberStats Subscriber::stats() const { return consumer_->stats(); }
void Subscriber::stop() { consumer_->stop(); }

MessageStream::~MessageStream() {
    if (consumer_ == nullptr) return;
    queue_->close();  // a full queue lets its deliverer go
    stop();
}

std::optional<Message> MessageStream::next(std::chrono::milliseconds timeout) { return queue_->pop(timeout); }
std::optional<Message> MessageStream::next() { return queue_->pop(); }

SubscriberStats MessageStream::stats() const {
    auto stats = consumer_->stats();
    stats.pending += queue_->size();
    return stats;
}

void MessageStream::stop() { consumer_->stop(); }

}  // namespace freshet
