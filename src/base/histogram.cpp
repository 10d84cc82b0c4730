// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace freshet::detail {
namespace {

constexpr double nanosecond = 1e-9;

bool counts_numbers(ValueSeries::What what) noexcept {
    return what == ValueSeries::What::size || what == ValueSeries::What::batch;
}

const std::vector<double>& bounds_for(const Measuring& measuring, ValueSeries::What what) noexcept {
    if (what == ValueSeries::What::size) return measuring.size_bounds;
    return what == ValueSeries::What::batch ? measuring.batch_bounds : measuring.duration_bounds;
}

std::vector<std::uint64_t> in_units(const std::vector<double>& bounds, double unit) {
    std::vector<std::uint64_t> limits;
    for (const auto bound : bounds) limits.push_back(static_cast<std::uint64_t>(std::llround(bound / unit)));
    return limits;
}

}  // namespace

Histogram::Histogram(const Measuring& measuring, const ValueSeries& series)
    : unit_{counts_numbers(series.what) ? 1.0 : nanosecond},
      bounds_{bounds_for(measuring, series.what)},
      limits_{in_units(bounds_, unit_)},
      recorder_{measuring.recorder ? measuring.recorder(series) : nullptr},
      cells_{limits_.size() + 2} {}

void Histogram::take(std::chrono::nanoseconds value, std::uint32_t weight) noexcept {
    take_units(static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0)), weight);
}

void Histogram::take_units(std::uint64_t value, std::uint32_t weight) noexcept {
    const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(limits_, value) - limits_.begin());
    auto* const row = cells_.row();
    cells_.add(row, bucket, weight);
    cells_.add(row, limits_.size() + 1, value * weight);
    if (recorder_ != nullptr) recorder_->record(static_cast<double>(value) * unit_);
}

HistogramStats Histogram::stats() const {
    HistogramStats stats{.bounds = bounds_};
    for (std::size_t bucket = 0; bucket <= limits_.size(); ++bucket) stats.counts.push_back(cells_.sum(bucket));
    stats.sum = static_cast<double>(cells_.sum(limits_.size() + 1)) * unit_;
    return stats;
}

std::unique_ptr<Histogram> make_histogram(const Measuring* measuring, const ValueSeries& series) {
    return measuring == nullptr ? nullptr : std::make_unique<Histogram>(*measuring, series);
}

}  // namespace freshet::detail
