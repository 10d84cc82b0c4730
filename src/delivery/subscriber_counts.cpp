// SPDX-License-Identifier: Apache-2.0
#include "delivery/subscriber_counts.hpp"

#include <algorithm>

namespace freshet::detail {

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

SubscriberCounts::Handling SubscriberCounts::begin_batch(std::span<const Message> batch) noexcept {
    Handling handling{.row = cells_.row()};
    cells_.add(handling.row, received, batch.size());
    if (durations_ == nullptr) return handling;
    batches_->take_number(batch.size(), 1);
    for (const auto& message : batch) sizes_->take_number(message.payload().size(), 1);
    handling.begin = clock_.now();
    handling.weight = 1;
    return handling;
}

void SubscriberCounts::failure(const Handled& handled) noexcept {
    auto* const row = cells_.row();
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
    // The Error that stands for an exception of another type says bad_setup.
    const auto as_setup = cells_.sum(first_error + static_cast<std::size_t>(Condition::bad_setup));
    const auto exceptions = std::min(cells_.sum(foreign), as_setup);
    stats.errors = error_counts([&](std::size_t kind) {
        const auto count = cells_.sum(first_error + kind);
        return kind == static_cast<std::size_t>(Condition::bad_setup) ? as_setup - exceptions : count;
    });
    if (exceptions > 0) stats.errors.emplace_back("exception", exceptions);
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
