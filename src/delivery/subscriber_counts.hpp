// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <freshet/batch.hpp>
#include <freshet/clock.hpp>
#include <freshet/detail/source.hpp>
#include <freshet/message.hpp>
#include <freshet/subscriber.hpp>

#include "base/cells.hpp"
#include "base/error_kind.hpp"
#include "base/histogram.hpp"

namespace freshet::detail {

/// How a delivery ended.
enum class Ended : std::uint8_t {
    ack,          ///< the message is done
    nack,         ///< it comes again, if it can
    term,         ///< it was given up
    dead_letter,  ///< it was given up, and is published as a dead letter
    rejected,     ///< no handler could take it, and there is no dead letter
    later,        ///< it has not ended yet
};

/// Returns how a delivery ended that `source` has settled.
Ended ended_as(const Handled& handled, const Source& source) noexcept;

/// Counts the messages of one subscriber. Thread-safe, without locks.
class SubscriberCounts {
public:
    explicit SubscriberCounts(const Clock& clock) noexcept : clock_{clock} {}

    /// Measures sizes and durations from now on. Call it before the first message.
    void measure(const Measuring& measuring, std::string_view subject, std::string_view group);
    /// Takes the times that messages wait for a thread; null if nothing is measured.
    Histogram* waiting() const noexcept { return waiting_.get(); }

    /// The handling of one message, or of one batch, as the counts see it. For one thread.
    struct Handling {
        Cells::Row* row = nullptr;
        TimePoint begin = {};
        std::uint32_t weight = 0;  // 0: it is not measured
    };

    /// Counts a message that is taken up to be handled.
    Handling begin(const Message& message) noexcept {
        Handling handling{.row = cells_.row()};
        cells_.add(handling.row, received);
        if (durations_ != nullptr && durations_->wants(handling.row)) [[unlikely]]
            measure(handling, message);
        return handling;
    }
    /// Counts the messages of a batch, which are handled together.
    void receive_batch(std::span<const Item> batch) noexcept;
    /// Begins the handling of a batch, which is counted already.
    Handling begin_batch() const noexcept;
    /// Counts a message that no handler sees.
    void receive() noexcept { cells_.add(received); }
    /// Notes that the handler has returned.
    void end(const Handling& handling) noexcept {
        if (handling.weight != 0) [[unlikely]]
            durations_->take(clock_.now() - handling.begin, handling.weight);
    }

    /// Counts what became of the message, in the thread that handled it.
    void settled(const Handling& handling, Ended ended) noexcept {
        cells_.add(handling.row, static_cast<std::size_t>(ended));
    }
    /// Counts what became of a message, in any thread.
    void settled(Ended ended) noexcept { cells_.add(static_cast<std::size_t>(ended)); }
    /// Counts a message that failed or was refused; `declined`: that its handler has declined.
    void failure(const Handled& handled, bool declined) noexcept;
    void drop() noexcept { cells_.add(dropped); }
    void skip() noexcept { cells_.add(skipped); }
    std::uint64_t received_so_far() const noexcept { return cells_.sum(received); }
    std::uint64_t dropped_so_far() const noexcept { return cells_.sum(dropped); }

    SubscriberStats stats() const;

private:
    // The first are what Ended says.
    enum Cell : std::size_t {
        received = 5,
        failed,
        rejected,
        declined,
        dropped,
        skipped,
        said_nack,
        said_term,
        bad_body,
        bad_parameter,
        unmatched,
        first_error,
    };

    void measure(Handling& handling, const Message& message) noexcept;

    const Clock& clock_;
    Cells cells_{first_error + error_kinds.size()};
    std::unique_ptr<Histogram> durations_ = {};
    std::unique_ptr<Histogram> sizes_ = {};
    std::unique_ptr<Histogram> batches_ = {};
    std::unique_ptr<Histogram> waiting_ = {};
};

}  // namespace freshet::detail
