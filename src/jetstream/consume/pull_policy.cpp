// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/pull_policy.hpp"

#include <utility>

#include <freshet/text.hpp>

#include "base/random_id.hpp"
#include "jetstream/consume/consumer_protocol.hpp"

namespace freshet::detail {
namespace {

/// Returns the number that `text` consists of; nothing if it is no number.
std::optional<std::uint64_t> number(std::optional<std::string_view> text) {
    return FromText<std::uint64_t>::parse(text.value_or(""));
}

}  // namespace

PullPolicy::PullPolicy(PullSettings settings, std::string next_subject, std::string inboxes, TimePoint now)
    : settings_{std::move(settings)},
      next_subject_{std::move(next_subject)},
      inboxes_{std::move(inboxes)},
      pipeline_{settings_.limits, now} {}

std::unique_ptr<PullPolicy> PullPolicy::make(const JsApi& api, PullSettings settings) {
    const auto& link = api.link();
    return std::make_unique<PullPolicy>(std::move(settings), api.subject("CONSUMER.MSG.NEXT."),
                                        link.options().inbox_prefix + '.', link.clock().now());
}

DeliveryInbox PullPolicy::open_inbox(const DeliveryTarget&) {
    inbox_ = inboxes_ + random_id() + '.';
    return {.subject = inbox_ + '*'};
}

void PullPolicy::begin(const DeliveryTarget& target, TimePoint now) {
    consumer_ = target.consumer;
    pipeline_.reset(target.limits, now);
}

std::optional<DeliverySignal> PullPolicy::next(TimePoint now) {
    const auto request = pipeline_.next(now);
    if (!request) return std::nullopt;
    return DeliverySignal{.subject = next_subject_ + consumer_,
                          .reply_to = inbox_ + std::to_string(request->number),
                          .body = body_of(*request)};
}

std::string PullPolicy::body_of(const PullRequest& request) const {
    return NextRequest{.batch = request.batch,
                       .expires = request.expires,
                       .heartbeat = request.heartbeat,
                       .max_bytes = request.max_bytes,
                       .pin = pin_}
        .as(settings_.priority)
        .body();
}

bool PullPolicy::received(const Message& message, const Metadata& metadata, TimePoint now) {
    pipeline_.received(message.payload().size(), metadata.pending > 0, now);
    if (settings_.priority.group.empty()) return false;
    if (const auto pin = message.header("Nats-Pin-Id")) set_pin(*pin);
    return pin_event_.has_value();
}

void PullPolicy::set_pin(std::string_view pin) {
    if (pin.empty() != pin_.empty()) pin_event_ = pin.empty() ? js::PinEvent::lost : js::PinEvent::gained;
    pin_ = pin;
}

std::function<void()> PullPolicy::take_call() {
    const auto event = std::exchange(pin_event_, std::nullopt);
    if (!event || !settings_.priority.on_pin) return {};
    return [tell = settings_.priority.on_pin, event = *event] { tell(event); };
}

DeliveryVerdict PullPolicy::status(const Message& message, TimePoint now) {
    if (!message.subject().starts_with(inbox_)) return DeliveryVerdict::stale;
    const auto request = number(message.subject().substr(inbox_.size()));
    const auto code = message.status();
    // This client is not the pinned one any more. Its request ends like others.
    if (code == 423) set_pin({});
    return pipeline_.status({.request = request.value_or(0),
                             .code = code,
                             .text = message.header("Description").value_or(""),
                             .pending_messages = number(message.header("Nats-Pending-Messages")),
                             .pending_bytes = number(message.header("Nats-Pending-Bytes"))},
                            now);
}

}  // namespace freshet::detail
