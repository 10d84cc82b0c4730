// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include <freshet/logger.hpp>

namespace spdlog {
class logger;
}

namespace freshet::detail {

/// The log of a broker under test: writes what a test that passes should show, and keeps the rest for one that fails.
/// Thread-safe.
class QuietLog {
public:
    /// Writes through the logger that a broker without one uses. `least`: of the lines that are written at once; empty:
    /// $FRESHET_TEST_LOG, else LogLevel::warn.
    explicit QuietLog(std::optional<LogLevel> least);
    ~QuietLog();
    QuietLog(const QuietLog&) = delete;
    QuietLog& operator=(const QuietLog&) = delete;

    /// Returns the logger to give to the broker. It may outlive this object.
    const std::shared_ptr<spdlog::logger>& logger() const noexcept { return logger_; }
    /// Writes the lines that were kept, because the test has failed.
    void show() noexcept;

private:
    class Sink;
    std::shared_ptr<Sink> sink_;
    std::shared_ptr<spdlog::logger> logger_;
};

/// Returns a logger that writes what `logger` does, from level warn on.
std::shared_ptr<spdlog::logger> warnings_of(const spdlog::logger& logger);

}  // namespace freshet::detail
