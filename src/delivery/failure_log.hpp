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

/// Writes the failures of one subscriber to the log: of one kind with one code ten lines a second, then how many more
/// there were. So that a flood of messages which all fail is not a flood of lines. Thread-safe.
class FailureLog {
public:
    enum class Kind : std::uint8_t { failed, rejected, not_answered, on_error_threw };

    FailureLog(Link& link, std::string subject);
    FailureLog(const FailureLog&) = delete;
    FailureLog& operator=(const FailureLog&) = delete;
    ~FailureLog();

    /// Writes "what: why" with the logger, or counts it.
    void write(Logger& logger, Kind kind, std::string_view what, const Error& why) noexcept;
    /// Writes what was counted. While the link lives; nothing is written after it.
    void finish() noexcept;

private:
    class State;
    std::shared_ptr<State> state_;  // shared with its timers
};

}  // namespace freshet::detail
