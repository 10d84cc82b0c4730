// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <freshet/error.hpp>
#include <freshet/logger.hpp>

namespace freshet::detail {

class Link;

/// Writes the failures of one subscriber to the log: at most ten lines a second for each kind and code, then how many
/// more there were. Keeps a flood of failing messages from becoming a flood of lines. Thread-safe.
class FailureLog {
public:
    enum class Kind : std::uint8_t { failed, rejected, not_answered, on_error_threw };

    FailureLog(Link& link, std::string subject);
    FailureLog(const FailureLog&) = delete;
    FailureLog& operator=(const FailureLog&) = delete;
    ~FailureLog();

    /// Writes "what: why" with the logger, or counts it.
    void write(Logger& logger, Kind kind, std::string_view what, const Error& why) noexcept;
    /// Writes the summaries of the failures that were only counted. Call it while the link lives: timers write nothing
    /// afterwards.
    void finish() noexcept;

private:
    class State;
    std::shared_ptr<State> state_;  // shared with its timers
};

}  // namespace freshet::detail
