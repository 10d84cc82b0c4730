// SPDX-License-Identifier: Apache-2.0
#include "link/publish_counts.hpp"

#include "base/error_kind.hpp"

namespace freshet::detail {

namespace {
constexpr std::size_t first_error = 2;
}

PublishCounts::PublishCounts(std::string_view subject, const Measuring* measuring)
    : subject_{subject}, cells_{first_error + error_kinds.size()} {
    if (measuring != nullptr) measure(*measuring);
}

void PublishCounts::measure(const Measuring& measuring) {
    owned_ = make_histogram(&measuring, {.what = ValueSeries::What::publishing, .subject = subject_});
    durations_.store(owned_.get(), std::memory_order_release);
}

void PublishCounts::fail(const Error& error) noexcept {
    auto* const row = cells_.row();
    cells_.add(row, failed);
    cells_.add(row, first_error + kind_of(error));
}

std::uint32_t PublishCounts::begin(const Clock& clock, TimePoint& at) noexcept {
    const auto* const durations = durations_.load(std::memory_order_acquire);
    auto* const row = cells_.row();
    if (durations == nullptr || !durations->wants(row)) return 0;
    at = clock.now();
    return durations->weight(row, at);
}

void PublishCounts::end(const Clock& clock, TimePoint begun, std::uint32_t weight, const Error* error) noexcept {
    if (error != nullptr) fail(*error);
    else add(1);
    if (weight != 0) durations_.load(std::memory_order_acquire)->take(clock.now() - begun, weight);
}

PublisherStats PublishCounts::stats() const {
    PublisherStats stats{.subject = subject_, .published = cells_.sum(published), .failed = cells_.sum(failed)};
    stats.error_kinds = error_counts([this](std::size_t kind) { return cells_.sum(first_error + kind); });
    if (const auto* const durations = durations_.load(std::memory_order_acquire)) stats.duration = durations->stats();
    return stats;
}

}  // namespace freshet::detail
