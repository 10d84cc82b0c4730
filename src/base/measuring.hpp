// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <freshet/detail/chrono.hpp>
#include <freshet/stats.hpp>

namespace freshet::detail {

/// What a broker measures beside what it always counts.
struct Measuring {
    std::vector<double> duration_bounds = {};  ///< seconds, ascending
    std::vector<double> size_bounds = {};      ///< bytes, ascending
    std::vector<double> batch_bounds = {};     ///< messages, ascending
    std::chrono::milliseconds poll_interval{0};
    /// Makes what hears of each value, besides the histogram; returns null for none. Empty: nobody hears.
    std::function<std::unique_ptr<ValueRecorder>(const ValueSeries& series)> recorder = {};
};

}  // namespace freshet::detail
