// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/clock.hpp>
#include <freshet/error.hpp>
#include <freshet/stats.hpp>

#include "base/cells.hpp"
#include "base/histogram.hpp"

namespace freshet::detail {

/// Counts what is published on one declared subject. Thread-safe, without locks.
class PublishCounts {
public:
    PublishCounts(std::string_view subject, const Measuring* measuring);

    /// Measures durations from now on. Call it once at most, before the broker starts.
    void measure(const Measuring& measuring);

    /// Calls `send()`, which returns an Expected, counts how it ended, and returns the same.
    template <class Send>
    auto count(const Clock& clock, Send&& send) -> decltype(send()) {
        auto* const row = cells_.row();
        auto* const durations = durations_.load(std::memory_order_acquire);
        if (durations == nullptr || !durations->wants(row)) [[likely]]
            return note(row, send());
        const auto begin = clock.now();
        const auto weight = durations->weight(row, begin);
        auto sent = send();
        durations->take(clock.now() - begin, weight);
        return note(row, std::move(sent));
    }
    /// Counts `number` messages that were published together.
    void add(std::uint64_t number) noexcept { cells_.add(published, number); }
    /// Counts a message that was not published.
    void fail(const Error& error) noexcept;

    /// Begins to measure a publication that ends in another thread. Returns how many it stands for; 0: it is not
    /// measured.
    std::uint32_t begin(const Clock& clock, TimePoint& at) noexcept;
    /// Counts its end; null: it was published.
    void end(const Clock& clock, TimePoint begun, std::uint32_t weight, const Error* error) noexcept;

    const std::string& subject() const noexcept { return subject_; }
    PublisherStats stats() const;

private:
    template <class Sent>
    Sent note(Cells::Row* row, Sent sent) noexcept {
        if (sent) [[likely]]
            cells_.add(row, published);
        else fail(sent.error());
        return sent;
    }

    enum Cell : std::size_t { published, failed };  // then one for each kind of error

    const std::string subject_;
    Cells cells_;
    std::unique_ptr<Histogram> owned_;
    std::atomic<Histogram*> durations_ = nullptr;
};

}  // namespace freshet::detail
