// SPDX-License-Identifier: Apache-2.0
#include "link/failure_log.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <freshet/clock.hpp>

#include "base/error_state.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

constexpr std::chrono::seconds window{1};
constexpr std::uint64_t most_lines = 10;  // in a window
// The number of failures that are told apart; all others count as the last of these. Handlers may fail with any number
// of codes.
constexpr std::size_t most_failures = 16;

}  // namespace

class FailureLog::State : public std::enable_shared_from_this<State> {
public:
    State(Link& link, std::string subject) : link_{link}, clock_{link.shared_clock()}, subject_{std::move(subject)} {}

    void write(Logger& logger, Kind kind, std::string_view what, const Error& why, LogLevel level,
               std::string_view then) {
        std::vector<Summary> summaries;
        const bool written = count(kind, what, why, level, summaries);
        for (const auto& summary : summaries) write(summary);
        if (written) logger.log(level, "{}: {}{}", what, log_text(why), then);
    }

    void finish() {
        std::vector<Summary> summaries;
        {
            std::unique_lock lock{mutex_};
            finished_ = true;
            for (auto& failure : failures_) {
                clock_->cancel(failure.timer);
                sum_up(failure, summaries);
            }
            // Waits for a timer that writes, unless this is called by a sink that it writes to.
            if (writer_ != std::this_thread::get_id())
                written_.wait(lock, [this] { return writer_ == std::thread::id{}; });
        }
        for (const auto& summary : summaries) write(summary);
    }

private:
    struct Failure {
        Kind kind;
        std::error_code code;
        int remote_code;
        LogLevel level;
        TimePoint since;
        std::uint64_t lines = 0;
        std::uint64_t more = 0;  // not written
        std::string last = {};   // of those not written
        TimerId timer = {};
    };
    struct Summary {
        LogLevel level;
        std::uint64_t more;
        std::string last;
    };

    /// Counts a failure. Returns true if its line is to be written; adds the summaries that are due.
    bool count(Kind kind, std::string_view what, const Error& why, LogLevel level, std::vector<Summary>& summaries) {
        const auto now = clock_->now();
        const std::lock_guard lock{mutex_};
        auto& failure = find(kind, why, level, now);
        if (now - failure.since >= window) {
            sum_up(failure, summaries);
            failure.since = now;
            failure.lines = 0;
        }
        if (failure.lines < most_lines || finished_) {
            ++failure.lines;
            return true;
        }
        failure.last = std::string{what} + ": " + log_text(why);
        if (++failure.more == 1) {
            failure.timer = clock_->schedule(failure.since + window, [weak = weak_from_this()] {
                if (const auto self = weak.lock()) self->on_time();
            });
        }
        return false;
    }

    Failure& find(Kind kind, const Error& why, LogLevel level, TimePoint now) {
        const auto found = std::ranges::find_if(failures_, [&](const Failure& known) {
            return known.kind == kind && known.code == why.code() && known.remote_code == why.remote_code();
        });
        if (found != failures_.end()) return *found;
        if (failures_.size() == most_failures) return failures_.back();
        return failures_.emplace_back(Failure{
            .kind = kind, .code = why.code(), .remote_code = why.remote_code(), .level = level, .since = now});
    }

    void on_time() {
        std::vector<Summary> summaries;
        {
            const std::lock_guard lock{mutex_};
            if (finished_) return;  // the link may be gone, too
            for (auto& failure : failures_)
                if (clock_->now() - failure.since >= window) sum_up(failure, summaries);
            if (summaries.empty()) return;
            writer_ = std::this_thread::get_id();
        }
        for (const auto& summary : summaries) write(summary);
        const std::lock_guard lock{mutex_};
        writer_ = {};
        written_.notify_all();
    }

    static void sum_up(Failure& failure, std::vector<Summary>& summaries) {
        if (failure.more > 0)
            summaries.push_back({failure.level, std::exchange(failure.more, 0), std::move(failure.last)});
    }

    void write(const Summary& summary) {
        link_.logger()
            .with({.subject = subject_})
            .log(summary.level, "{} more failures of the same kind within a second, the last one: {}", summary.more,
                 summary.last);
    }

    Link& link_;
    const std::shared_ptr<Clock> clock_;
    const std::string subject_;
    std::mutex mutex_ = {};
    std::condition_variable written_ = {};
    std::thread::id writer_ = {};  // the clock's thread, while it writes summaries
    std::vector<Failure> failures_ = {};
    bool finished_ = false;
};

FailureLog::FailureLog(Link& link, std::string subject) : state_{std::make_shared<State>(link, std::move(subject))} {}

FailureLog::~FailureLog() = default;

void FailureLog::write(Logger& logger, Kind kind, std::string_view what, const Error& why, LogLevel level,
                       std::string_view then) noexcept {
    try {
        state_->write(logger, kind, what, why, level, then);
    } catch (const std::exception& error) {  // no memory, or no thread for the timer of the sum
        logger.error("cannot sum up failures: {}; {}: {}", error.what(), what, why.what());
    }
}

void FailureLog::finish() noexcept { state_->finish(); }

}  // namespace freshet::detail
