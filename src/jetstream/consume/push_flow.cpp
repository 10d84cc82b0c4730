// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/push_flow.hpp"

#include <algorithm>
#include <utility>

namespace freshet::detail {
namespace {

// While more messages than this wait for their handlers, the server is told to wait.
constexpr std::size_t most_in_hand = 256;
constexpr std::size_t most_bytes_in_hand = std::size_t{8} << 20;
// The prefix of the subjects on which servers ask whether messages are handled. freshet answers on no other subject:
// anybody could make it publish there.
constexpr std::string_view flow_prefix = "$JS.FC.";

}  // namespace

DeliveryInbox PushFlow::open_inbox(const DeliveryTarget& target) {
    return {.subject = target.deliver_subject, .queue = target.deliver_group};
}

void PushFlow::begin(const DeliveryTarget& target, TimePoint now) {
    heartbeat_ = target.heartbeat;
    flow_reply_.clear();
    connected_ = true;
    alive_ = now;
}

std::optional<DeliverySignal> PushFlow::next(TimePoint) {
    if (flow_reply_.empty() || full()) return std::nullopt;
    return DeliverySignal{.subject = std::exchange(flow_reply_, {})};
}

bool PushFlow::full() const noexcept { return in_hand_ > most_in_hand || bytes_in_hand_ > most_bytes_in_hand; }

bool PushFlow::received(const Message& message, const Metadata&, TimePoint now) {
    alive_ = now;
    ++in_hand_;
    bytes_in_hand_ += message.payload().size();
    return false;
}

void PushFlow::handled(const Settled& settled, TimePoint) {
    in_hand_ -= std::min(settled.count, in_hand_);
    bytes_in_hand_ -= std::min(settled.bytes, bytes_in_hand_);
}

DeliveryVerdict PushFlow::status(const Message& message, TimePoint now) {
    alive_ = now;
    const auto text = message.header("Description").value_or("");
    switch (message.status()) {
        case 100: break;
        case 404:
        case 408: return DeliveryVerdict::go_on;
        case 409: return text.starts_with("Consumer Deleted") ? DeliveryVerdict::lost : DeliveryVerdict::go_on;
        case 503: return DeliveryVerdict::lost;
        case 400:
        case 412: return DeliveryVerdict::refused;
        default: return DeliveryVerdict::warn;
    }
    // A heartbeat repeats the server's question, in case it was lost.
    const auto stalled = message.header("Nats-Consumer-Stalled");
    if (const auto reply = stalled ? *stalled : message.reply_to(); reply.starts_with(flow_prefix)) flow_reply_ = reply;
    return DeliveryVerdict::go_on;
}

bool PushFlow::overdue(TimePoint now) const noexcept { return listens() && now >= alive_ + 2 * heartbeat_; }

std::optional<TimePoint> PushFlow::deadline() const noexcept {
    if (!listens()) return std::nullopt;
    return alive_ + 2 * heartbeat_;
}

}  // namespace freshet::detail
