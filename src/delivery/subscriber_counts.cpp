// SPDX-License-Identifier: Apache-2.0
#include "delivery/subscriber_counts.hpp"

namespace freshet::detail {

Ended ended_as(const Handled& handled, const Source& source) noexcept {
    const auto plan = handled.plan != nullptr ? handled.plan->kind : Plan::Kind::none;
    if (plan == Plan::Kind::give_up && !source.dead_letter().empty()) return Ended::dead_letter;
    if (handled.rejected) return Ended::rejected;
    switch (plan) {
        case Plan::Kind::done: return Ended::ack;
        case Plan::Kind::left:
        case Plan::Kind::again: return Ended::nack;
        case Plan::Kind::give_up: return Ended::term;
        case Plan::Kind::none: break;
    }
    switch (handled.outcome.kind()) {
        case Outcome::Kind::ack: return Ended::ack;
        case Outcome::Kind::nack: return Ended::nack;
        default: return Ended::term;
    }
}

void SubscriberCounts::measure(const Measuring& measuring, std::string_view subject, std::string_view group) {
    using What = ValueSeries::What;
    durations_ = make_histogram(&measuring, {.what = What::handling, .subject = subject, .group = group});
    sizes_ = make_histogram(&measuring, {.what = What::size, .subject = subject, .group = group});
    batches_ = make_histogram(&measuring, {.what = What::batch, .subject = subject, .group = group});
    waiting_ = make_histogram(&measuring, {.what = What::waiting, .subject = subject, .group = group});
}

void SubscriberCounts::measure(Handling& handling, const Message& message) noexcept {
    handling.begin = clock_.now();
    handling.weight = durations_->weight(handling.row, handling.begin);
    sizes_->take_number(message.payload().size(), handling.weight);
}

void SubscriberCounts::receive_batch(std::span<const Item> batch) noexcept {
    cells_.add(received, batch.size());
    if (durations_ == nullptr) return;
    batches_->take_number(batch.size(), 1);
    for (const auto& item : batch) sizes_->take_number(item.message().payload().size(), 1);
}

SubscriberCounts::Handling SubscriberCounts::begin_batch() const noexcept {
    if (durations_ == nullptr) return {};
    return {.begin = clock_.now(), .weight = 1};
}

void SubscriberCounts::failure(const Handled& handled, bool has_declined) noexcept {
    auto* const row = cells_.row();
    if (has_declined && !handled.rejected) return cells_.add(row, declined);
    cells_.add(row, handled.rejected ? rejected : failed);
    if (handled.failure == nullptr) {
        if (handled.outcome.kind() == Outcome::Kind::nack) cells_.add(row, said_nack);
        if (handled.outcome.kind() == Outcome::Kind::term) cells_.add(row, said_term);
        return;
    }
    const auto& error = *handled.failure;
    cells_.add(row, first_error + kind_of(error));
    if (!handled.rejected) return;
    if (error == Errc::unmatched) cells_.add(row, unmatched);
    else if (error == Errc::bad_path || error == Errc::missing_header) cells_.add(row, bad_parameter);
    else cells_.add(row, bad_body);
}

SubscriberStats SubscriberCounts::stats() const {
    const auto ended = [this](Ended how) { return cells_.sum(static_cast<std::size_t>(how)); };
    // What has ended is read first, so that it is never more than what was received.
    SubscriberStats stats{.failed = cells_.sum(failed),
                          .rejected = cells_.sum(rejected),
                          .dropped = cells_.sum(dropped),
                          .skipped = cells_.sum(skipped),
                          .declined = cells_.sum(declined),
                          .acked = ended(Ended::ack),
                          .nacked = ended(Ended::nack),
                          .terminated = ended(Ended::term),
                          .refused = ended(Ended::rejected),
                          .dead_lettered = ended(Ended::dead_letter),
                          .said_nack = cells_.sum(said_nack),
                          .said_term = cells_.sum(said_term),
                          .undecodable = cells_.sum(bad_body),
                          .bad_parameters = cells_.sum(bad_parameter),
                          .unmatched = cells_.sum(unmatched)};
    stats.error_kinds = error_counts([this](std::size_t kind) { return cells_.sum(first_error + kind); });
    stats.received = cells_.sum(received);
    if (durations_ != nullptr) {
        stats.duration = durations_->stats();
        stats.size = sizes_->stats();
        stats.batch = batches_->stats();
        stats.waiting = waiting_->stats();
    }
    return stats;
}

}  // namespace freshet::detail
