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

/// Writes failures of one subject, or of one part of freshet, to the log: at most ten lines a second for each kind and
/// code, then how many more there were. Keeps a flood of failing messages from becoming a flood of lines. Thread-safe.
class FailureLog {
public:
    enum class Kind : std::uint8_t {
        failed,
        rejected,
        declined,
        not_answered,
        on_error_threw,
        dependency_threw,
        callback_threw,
        given_up,     // a JetStream message
        dead_letter,  // was not kept, or is too large
        not_settled,
        left_out,  // a message that cannot be read
        status,    // of a server about a consumer
        connection,
    };

    /// `subject` is a field of the lines that sum up; empty: they have none.
    FailureLog(Link& link, std::string subject);
    FailureLog(const FailureLog&) = delete;
    FailureLog& operator=(const FailureLog&) = delete;
    ~FailureLog();

    /// Writes "what: why" with the logger, and `then` behind it, or counts it.
    void write(Logger& logger, Kind kind, std::string_view what, const Error& why, LogLevel level = LogLevel::error,
               std::string_view then = {}) noexcept;
    /// Writes the summaries of the failures that were only counted. Call it while the link lives: timers write nothing
    /// afterwards.
    void finish() noexcept;

private:
    class State;
    std::shared_ptr<State> state_;  // shared with its timers
};

}  // namespace freshet::detail
