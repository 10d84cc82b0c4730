// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <freshet/js/message_batch.hpp>

#include "link/link.hpp"

// The functions of MessageBatch, for the source file that defines the Sender: it instantiates them.
namespace freshet::detail {

template <class Sender>
MessageBatch<Sender>::MessageBatch(Link& link, std::unique_ptr<Sender> sender) noexcept
    : link_{&link}, sender_{std::move(sender)} {}
template <class Sender>
MessageBatch<Sender>::MessageBatch(MessageBatch&&) noexcept = default;
template <class Sender>
MessageBatch<Sender>& MessageBatch<Sender>::operator=(MessageBatch&&) noexcept = default;
template <class Sender>
MessageBatch<Sender>::~MessageBatch() = default;

template <class Sender>
Expected<void> MessageBatch<Sender>::add_encoded(std::string_view subject, const Encoded& encoded,
                                                 const js::PublishOptions& options) {
    return sender_->add(subject, encoded, options);
}
template <class Sender>
Expected<js::PublishAck> MessageBatch<Sender>::try_commit() {
    const auto counts = link_->traffic().stream();  // shared, since the broker may be gone when the answer has come
    auto ack = sender_->commit();
    if (ack) counts->add(ack->batched);
    else counts->fail(ack.error());
    return ack;
}
template <class Sender>
std::size_t MessageBatch<Sender>::size() const noexcept {
    return sender_->size();
}

}  // namespace freshet::detail
