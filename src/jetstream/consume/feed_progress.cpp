// SPDX-License-Identifier: Apache-2.0
// The part of a feed that tells the server that handlers still work.
#include <chrono>

#include "jetstream/consume/consumer_protocol.hpp"
#include "jetstream/consume/feed.hpp"

namespace freshet::detail {

void Feed::in_progress(const Message& message) noexcept {
    Held told;
    {
        const std::lock_guard lock{mutex_};
        auto* held = held_.find(message);
        if (held == nullptr || held->settled || acknowledger_.in_doubt()) return;
        held->told = held->alive = link_.clock().now();
        held->given_up = false;
        told = *held;
    }
    acknowledge(told, progress_word, Flush::now);
}

/// Starts the timer for tell_in_progress; call it with the lock held. The timer fires twice within half of ack_wait, so
/// that the server hears of a message in time.
void Feed::arm(TimePoint now) {
    if (armed_ || !wants_acks()) return;
    armed_ = true;
    link_.clock().schedule(now + ack_wait_.load() / 4, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->tell_in_progress();
    });
}

void Feed::tell_in_progress() noexcept {
    const auto now = link_.clock().now();
    std::size_t given_up = 0;
    {
        // Holds the lock, because the subjects live only as long as the messages are held.
        const std::lock_guard lock{mutex_};
        armed_ = false;
        const auto incarnation = acknowledger_.current();
        if (!acknowledger_.in_doubt()) {
            given_up = held_.give_up(now - max_extension_.load());
            for (const auto subject : held_.untold(incarnation, now - ack_wait_.load() / 2, now))
                acknowledger_.send(incarnation, subject, progress_word, Flush::batched);
        }
        if (held_.size() > 0) arm(now);
    }
    if (given_up == 0) return;
    link_.logger().warn("{}: {} messages are in hand for {} s, so the server delivers them again: does a handler hang? "
                        "Context::in_progress says that it does not, and max_extension allows more time",
                        who_, given_up,
                        std::chrono::duration_cast<std::chrono::seconds>(max_extension_.load()).count());
}

}  // namespace freshet::detail
