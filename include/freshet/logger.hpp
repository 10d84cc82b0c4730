// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#if __has_include(<fmt/base.h>)
#include <fmt/base.h>  // from fmt 11 on core.h is the whole of format.h
#else
#include <fmt/core.h>
#endif

namespace spdlog {
class logger;
}

namespace freshet {

/// Severity of a log line, from the least to the most severe.
enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, critical };

/// The fields of a log line that tell which message it is about. Views: the texts must outlive the Logger that has
/// them.
struct LogFields {
    std::string_view subject = {};
    std::string_view queue = {};
    std::string_view correlation_id = {};
    std::string_view stream = {};    ///< the JetStream stream of the message; empty on core NATS
    std::string_view consumer = {};  ///< the name of the JetStream consumer on the server
    std::uint64_t sequence = 0;      ///< sequence of the message in the stream; 0: not written
    std::uint64_t delivery = 0;      ///< how often the message was delivered, this time included; 0: not written
    std::string_view handler = {};   ///< the subject as its subscriber declared it, where that is another text
};

/// Writes lines through a spdlog logger: the text, then the fields that are not empty, as
/// `text subject=orders.eu queue=billing correlation_id="a b"`. Control characters are written as \xNN, so that bytes
/// from the wire cannot forge a line; only a line without a subject keeps its line breaks, with the next line indented.
/// Nothing is formatted while the level is off; a line that cannot be formatted is logged as an error of formatting.
/// The functions do not throw. Thread-safe like the spdlog logger.
class Logger {
public:
    /// Writes to `sink`. Null stands for the program's default logger of spdlog if the program has set one with a name,
    /// else for the logger "freshet", which writes to stderr and is made if spdlog does not know it.
    explicit Logger(std::shared_ptr<spdlog::logger> sink);

    /// Returns a Logger that writes to this sink with other fields. Cheap; the result must not outlive this Logger.
    Logger with(const LogFields& fields) const noexcept { return Logger{nullptr, logger_, fields}; }
    /// Returns the fields of one line, for `of`.
    using FieldsOf = LogFields (*)(const void* of);
    /// Returns a Logger that writes to this sink and calls `fields(of)` for each line that it writes, on the thread
    /// that writes it. The result must not outlive this Logger or `of`.
    Logger with(FieldsOf fields, const void* of) const noexcept {
        Logger logger{nullptr, logger_, {}};
        logger.fields_of_ = fields;
        logger.of_ = of;
        return logger;
    }

    /// Returns true if lines of this level are written.
    bool enabled(LogLevel level) const noexcept;

    /// Writes a line of the given level: `logger.log(LogLevel::info, "took {} ms", time)`. May block as the sinks do.
    template <class... A>
    void log(LogLevel level, fmt::format_string<A...> format, A&&... arguments) noexcept {
        if (enabled(level)) write(level, format, fmt::make_format_args(arguments...));
    }
    template <class... A>
    void trace(fmt::format_string<A...> format, A&&... arguments) noexcept {
        log(LogLevel::trace, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void debug(fmt::format_string<A...> format, A&&... arguments) noexcept {
        log(LogLevel::debug, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void info(fmt::format_string<A...> format, A&&... arguments) noexcept {
        log(LogLevel::info, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void warn(fmt::format_string<A...> format, A&&... arguments) noexcept {
        log(LogLevel::warn, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void error(fmt::format_string<A...> format, A&&... arguments) noexcept {
        log(LogLevel::error, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void critical(fmt::format_string<A...> format, A&&... arguments) noexcept {
        log(LogLevel::critical, format, std::forward<A>(arguments)...);
    }

    /// Returns the spdlog logger behind this one, to change its level, sinks or pattern (include <spdlog/spdlog.h>).
    spdlog::logger& native() const noexcept { return *logger_; }

private:
    Logger(std::shared_ptr<spdlog::logger> owned, spdlog::logger* logger, const LogFields& fields) noexcept
        : owned_{std::move(owned)}, logger_{logger}, fields_{fields} {}

    void write(LogLevel level, fmt::string_view format, fmt::format_args arguments) noexcept;

    std::shared_ptr<spdlog::logger> owned_;
    spdlog::logger* logger_;
    LogFields fields_ = {};
    FieldsOf fields_of_ = nullptr;  // instead of fields_
    const void* of_ = nullptr;
};

}  // namespace freshet
