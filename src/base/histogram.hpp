// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/stats.hpp>

#include "base/cells.hpp"
#include "base/measuring.hpp"

namespace freshet::detail {

/// Counts values by size. Thread-safe, without locks.
class Histogram {
public:
    /// Takes durations, sizes or numbers, as `series` says, with the bounds of `measuring`.
    Histogram(const Measuring& measuring, const ValueSeries& series);

    /// Returns true if the event that happens now is to be measured: all if somebody hears of each value, or if there
    /// is no sampler; else those that the sampler chooses. If it is, weight() must follow.
    bool wants(Sampler* sampler) const noexcept { return sampler == nullptr || sampler->due() || recorder_ != nullptr; }
    bool wants(Cells::Row* row) const noexcept { return wants(row == nullptr ? nullptr : &row->sampler()); }
    /// Returns how many events the measured one stands for, which began at `now`.
    std::uint32_t weight(Sampler* sampler, TimePoint now) const noexcept {
        return sampler == nullptr || recorder_ != nullptr ? 1 : sampler->take(now);
    }
    std::uint32_t weight(Cells::Row* row, TimePoint now) const noexcept {
        return weight(row == nullptr ? nullptr : &row->sampler(), now);
    }

    /// Takes a value that stands for `weight` values.
    void take(std::chrono::nanoseconds value, std::uint32_t weight) noexcept;
    void take_number(std::size_t number, std::uint32_t weight) noexcept { take_units(number, weight); }

    HistogramStats stats() const;

private:
    void take_units(std::uint64_t value, std::uint32_t weight) noexcept;

    const double unit_;  // of the values that are counted: a nanosecond, or 1
    std::vector<double> bounds_;
    std::vector<std::uint64_t> limits_;  // bounds_ in that unit
    std::unique_ptr<ValueRecorder> recorder_;
    Cells cells_;  // one for each bucket, then the sum
};

/// Returns a histogram if something is measured, else null.
std::unique_ptr<Histogram> make_histogram(const Measuring* measuring, const ValueSeries& series);

}  // namespace freshet::detail
