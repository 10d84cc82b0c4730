// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/stream_inbox.hpp"

#include <utility>

#include <freshet/text.hpp>

#include "base/wait.hpp"

namespace freshet::detail {
namespace {

/// Returns how many messages a request had left that ended because it has brought as many bytes, or messages, as it
/// may; nothing for other statuses.
std::optional<std::size_t> left_of_full_request(const Message& status) {
    const auto text = status.header("Description").value_or("");
    if (!text.starts_with("Batch Completed") && !text.starts_with("Message Size Exceeds MaxBytes")) return std::nullopt;
    return FromText<std::size_t>::parse(status.header("Nats-Pending-Messages").value_or("")).value_or(0);
}

}  // namespace

StreamInbox::StreamInbox(Clock& clock, std::string subject, Arrived arrived)
    : clock_{clock}, subject_{std::move(subject)}, arrived_{std::move(arrived)} {}

void StreamInbox::on_message(Message message) noexcept {
    const auto metadata = message.metadata();
    std::unique_lock lock{mutex_};
    if (!follows(message, metadata)) return;
    if (metadata->stream_sequence > stream_sequence_) take(std::move(message), *metadata, lock);
    else messages_.push_back({.metadata = {.pending = metadata->pending}, .repeated = true});  // no views of message
    changed_.notify_all();
}

bool StreamInbox::follows(const Message& message, const std::optional<Metadata>& metadata) noexcept {
    if (stopped_) return false;
    if (metadata && metadata->consumer != consumer_) return false;  // from an earlier consumer
    const bool next_in_order = metadata && metadata->consumer_sequence == consumer_sequence_ + 1;
    if (next_in_order) {
        consumer_sequence_ = metadata->consumer_sequence;
        return true;
    }
    const bool status = !metadata && message.subject() == subject_ + consumer_;
    if (const auto left = status ? left_of_full_request(message) : std::nullopt) {
        messages_.push_back({.left = left});
        changed_.notify_all();
        return false;
    }
    // After a gap, or another status, no more messages come.
    stopped_ = metadata || status;
    if (stopped_) changed_.notify_all();
    return false;
}

void StreamInbox::take(Message message, const Metadata& metadata, std::unique_lock<std::mutex>& lock) {
    stream_sequence_ = metadata.stream_sequence;
    if (arrived_) {
        arriving_ = true;
        lock.unlock();
        arrived_(message);
        lock.lock();
        arriving_ = false;
    }
    messages_.push_back({.message = std::move(message), .metadata = metadata});
}

void StreamInbox::on_end() noexcept {
    const std::lock_guard lock{mutex_};
    ended_ = true;
    changed_.notify_all();
}

void StreamInbox::follow(std::string consumer) {
    const std::lock_guard lock{mutex_};
    consumer_ = std::move(consumer);
    consumer_sequence_ = 0;
    stopped_ = false;
}

std::optional<StreamMessage> StreamInbox::next(std::chrono::nanoseconds timeout) {
    std::unique_lock lock{mutex_};
    wait_until(clock_, lock, changed_, clock_.now() + timeout,
               [this] { return !messages_.empty() || (!arriving_ && (stopped_ || ended_)); });
    if (messages_.empty()) {
        stopped_ = true;
        wait(clock_, lock, changed_, [this] { return !arriving_; });
    }
    if (messages_.empty()) return std::nullopt;
    auto message = std::move(messages_.front());
    messages_.pop_front();
    return message;
}

std::uint64_t StreamInbox::stream_sequence() const {
    const std::lock_guard lock{mutex_};
    return stream_sequence_;
}

}  // namespace freshet::detail
