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

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, critical };

/// What a log line says of the message it is about. Views: they must outlive the Logger that has them.
struct LogFields {
    std::string_view subject = {};
    std::string_view queue = {};
    std::string_view correlation_id = {};
    std::string_view stream = {};    ///< of JetStream, as the next three
    std::string_view consumer = {};  ///< its name on the server
    std::uint64_t sequence = 0;      ///< of the message in the stream; 0: not said
    std::uint64_t attempt = 0;       ///< how often it was delivered; 0: not said
};

/// Writes lines through a spdlog logger: the text, then the fields that are not empty, as
/// `text subject=orders.eu queue=billing correlation_id="a b"`. Control characters are written as \xNN, so that what came over the
/// wire cannot forge a line. Nothing is formatted while the level is off; what cannot be formatted is logged as such.
/// Functions do not throw; thread-safe like the spdlog logger.
class Logger {
public:
    /// Null: the program's default logger of spdlog if it has set one (with a name), else the logger "freshet", which writes to
    /// stderr and is made if spdlog does not know it.
    explicit Logger(std::shared_ptr<spdlog::logger> sink);

    /// The same sink with other fields. Cheap; must not outlive this Logger.
    Logger with(const LogFields& fields) const noexcept { return Logger{nullptr, logger_, fields}; }
    /// The same, but `fields(of)` is asked for each line that is written, in the thread that writes it.
    using FieldsOf = LogFields (*)(const void* of);
    Logger with(FieldsOf fields, const void* of) const noexcept {
        Logger logger{nullptr, logger_, {}};
        logger.fields_of_ = fields;
        logger.of_ = of;
        return logger;
    }

    bool enabled(LogLevel level) const noexcept;

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

    /// The spdlog logger it writes to: to change its level, sinks or pattern (include <spdlog/spdlog.h>).
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
