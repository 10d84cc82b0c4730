// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
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
namespace detail {

/// Not constexpr: the compiler names it when a format refers to arguments that are not there.
void this_log_format_has_more_fields_than_there_are_arguments();

/// Returns how many `{}` a format has; fields with numbers and names do not count.
consteval std::size_t fields_in(std::string_view format) {
    std::size_t fields = 0;
    for (std::size_t i = 0; i + 1 < format.size(); ++i) {
        if (format[i] != '{') continue;
        if (format[i + 1] == '{') ++i;
        else if (format[i + 1] == '}' || format[i + 1] == ':') ++fields;
    }
    return fields;
}

}  // namespace detail

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

/// The format of a log line, which the compiler checks against the arguments, or fmt::runtime(text).
template <class... A>
class LogFormat {
    static constexpr bool all_formattable = (fmt::is_formattable<std::remove_cvref_t<A>>::value && ...);
    static_assert(all_formattable,
                  "freshet: an argument of this log line cannot be formatted: give its members or its text, or "
                  "specialise fmt::formatter for its type. See docs/logging.md#formats");

public:
    template <class Text>
        requires std::is_convertible_v<const Text&, std::string_view>
    consteval LogFormat(const Text& text) : text_{text} {
        if (detail::fields_in(text) > sizeof...(A)) detail::this_log_format_has_more_fields_than_there_are_arguments();
        if constexpr (all_formattable) std::ignore = fmt::format_string<A...>{text};
    }
    template <class Runtime>
        requires(!std::is_convertible_v<const Runtime&, std::string_view> &&
                 std::is_constructible_v<fmt::format_string<A...>, const Runtime&>)
    LogFormat(const Runtime& format) : text_{fmt::format_string<A...>{format}} {}

    fmt::string_view get() const noexcept { return text_; }

private:
    fmt::string_view text_;
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
    void log(LogLevel level, LogFormat<std::type_identity_t<A>...> format, A&&... arguments) noexcept {
        if (enabled(level)) write(level, format.get(), fmt::make_format_args(arguments...));
    }
    template <class... A>
    void trace(LogFormat<std::type_identity_t<A>...> format, A&&... arguments) noexcept {
        log(LogLevel::trace, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void debug(LogFormat<std::type_identity_t<A>...> format, A&&... arguments) noexcept {
        log(LogLevel::debug, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void info(LogFormat<std::type_identity_t<A>...> format, A&&... arguments) noexcept {
        log(LogLevel::info, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void warn(LogFormat<std::type_identity_t<A>...> format, A&&... arguments) noexcept {
        log(LogLevel::warn, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void error(LogFormat<std::type_identity_t<A>...> format, A&&... arguments) noexcept {
        log(LogLevel::error, format, std::forward<A>(arguments)...);
    }
    template <class... A>
    void critical(LogFormat<std::type_identity_t<A>...> format, A&&... arguments) noexcept {
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
