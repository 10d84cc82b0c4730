// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <freshet/clock.hpp>
#include <freshet/error.hpp>
#include <freshet/stats.hpp>

#include "base/cells.hpp"
#include "base/histogram.hpp"

namespace freshet::detail {

/// Counts the requests on one declared subject. Thread-safe, without locks.
class RequestCounts {
public:
    RequestCounts(std::string_view subject, const Measuring* measuring);

    /// Measures durations from now on. Call it once at most, before the broker starts.
    void measure(const Measuring& measuring);

    const std::string& subject() const noexcept { return subject_; }
    RequestStats stats() const;

private:
    friend class RequestTimer;

    static constexpr std::size_t endings = 4;
    using Durations = std::array<std::unique_ptr<Histogram>, endings>;  // by how the request ended

    const std::string subject_;
    Cells cells_{endings};
    std::unique_ptr<Durations> owned_;
    std::atomic<Durations*> durations_ = nullptr;
};

/// One request under way, as its counts see it. A plain value; the counts outlive the request.
class RequestTimer {
public:
    /// Counts nothing.
    RequestTimer() = default;
    /// Begins now.
    RequestTimer(RequestCounts& counts, const Clock& clock) noexcept;

    /// Returns true until the end.
    bool runs() const noexcept { return counts_ != nullptr; }
    /// Counts the end, the first time; null: an answer came.
    void end(const Error* error) noexcept;
    template <class T>
    void end(const Expected<T>& answer) noexcept {
        end(answer ? nullptr : &answer.error());
    }

private:
    RequestCounts* counts_ = nullptr;
    const Clock* clock_ = nullptr;
    TimePoint begin_ = {};
    std::uint32_t weight_ = 0;  // 0: it is not measured
};

}  // namespace freshet::detail
