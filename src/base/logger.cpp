// SPDX-License-Identifier: Apache-2.0
#include <freshet/logger.hpp>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <iterator>
#include <mutex>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/callback_scope.hpp"
#include "base/utf8.hpp"

namespace freshet {
namespace {

spdlog::level::level_enum native_level(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::trace: return spdlog::level::trace;
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::info: return spdlog::level::info;
        case LogLevel::warn: return spdlog::level::warn;
        case LogLevel::error: return spdlog::level::err;
        case LogLevel::critical: break;
    }
    return spdlog::level::critical;
}

void append(fmt::memory_buffer& line, std::string_view text) { line.append(text.data(), text.data() + text.size()); }

void append_escaped(fmt::memory_buffer& line, std::string_view text, std::string_view backslashed = {}) {
    while (!text.empty()) {
        const auto size = detail::character_size(text);
        const auto character = text.substr(0, size == 0 ? 1 : size);
        if (size == 0 || (character != "\t" && detail::control_size(text) > 0)) {
            for (const char c : character)
                fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            if (backslashed.find(text[0]) != std::string_view::npos) line.push_back('\\');
            append(line, character);
        }
        text.remove_prefix(character.size());
    }
}

enum class LineBreaks : std::uint8_t { escape, keep };

/// Appends the text. Line breaks are kept in a line about no message, whose bytes might be in the text; the text after
/// one is indented, so that it cannot pass for a log line.
void append_text(fmt::memory_buffer& line, std::string_view text, LineBreaks breaks) {
    while (breaks == LineBreaks::keep && text.find('\n') != std::string_view::npos) {
        const auto end = text.find('\n');
        append_escaped(line, text.substr(0, end));
        append(line, "\n    ");
        text.remove_prefix(end + 1);
    }
    append_escaped(line, text);
}

void append_field(fmt::memory_buffer& line, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    const bool quote = value.find_first_of(" \t=\"\\") != std::string_view::npos;
    append(line, name);
    if (quote) line.push_back('"');
    append_escaped(line, value, "\"\\");
    if (quote) line.push_back('"');
}

void append_field(fmt::memory_buffer& line, std::string_view name, std::uint64_t value) {
    if (value != 0) fmt::format_to(std::back_inserter(line), "{}{}", name, value);
}

/// Returns the formatted text, or, if formatting fails, a text that says so.
fmt::memory_buffer formatted(fmt::string_view format, fmt::format_args arguments) {
    fmt::memory_buffer text;
    try {
        fmt::vformat_to(std::back_inserter(text), format, arguments);
        return text;
    } catch (const std::exception& error) {
        text.clear();
        fmt::format_to(std::back_inserter(text), "cannot format the log line \"{}\": {}", format, error.what());
    } catch (...) {
        text.clear();
        fmt::format_to(std::back_inserter(text), "cannot format the log line \"{}\"", format);
    }
    return text;
}

constexpr const char* own_name = "freshet";

std::shared_ptr<spdlog::logger> own_logger() {
    static std::mutex mutex;  // a name can be registered only once
    const std::lock_guard lock{mutex};
    if (auto known = spdlog::get(own_name)) return known;
    auto made = std::make_shared<spdlog::logger>(own_name, std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    spdlog::initialize_logger(made);  // with the level and pattern that the program has set for all loggers
    return made;
}

std::shared_ptr<spdlog::logger> or_programs(std::shared_ptr<spdlog::logger> given) {
    if (given) return given;
    auto programs = spdlog::default_logger();
    // A program that takes away spdlog's default logger says that it wants no logging.
    if (!programs) return std::make_shared<spdlog::logger>(own_name);
    // spdlog's own default logger has no name, and writes to stdout, where it would mix with the program's output.
    return programs->name().empty() ? own_logger() : programs;
}

}  // namespace

void detail::this_log_format_has_more_fields_than_there_are_arguments() {}

Logger::Logger(std::shared_ptr<spdlog::logger> sink) : owned_{or_programs(std::move(sink))}, logger_{owned_.get()} {}

bool Logger::enabled(LogLevel level) const noexcept { return logger_->should_log(native_level(level)); }

void Logger::write(LogLevel level, fmt::string_view format, fmt::format_args arguments) noexcept {
    try {
        const auto text = formatted(format, arguments);
        fmt::memory_buffer line;
        const auto fields = fields_of_ != nullptr ? fields_of_(of_) : fields_;
        append_text(line, {text.data(), text.size()}, fields.subject.empty() ? LineBreaks::keep : LineBreaks::escape);
        append_field(line, " handler=", fields.handler);
        append_field(line, " subject=", fields.subject);
        append_field(line, " queue=", fields.queue);
        append_field(line, " stream=", fields.stream);
        append_field(line, " consumer=", fields.consumer);
        append_field(line, " sequence=", fields.sequence);
        append_field(line, " delivery=", fields.delivery);
        append_field(line, " correlation_id=", fields.correlation_id);
        const detail::CallbackScope scope;  // the program's sinks may stop or destroy a broker
        logger_->log(native_level(level), spdlog::string_view_t{line.data(), line.size()});
    } catch (...) {  // no memory, or the user's own error handler of spdlog threw
        std::fputs("freshet: a log line was lost: there is no memory for it, or the logger threw\n", stderr);
    }
}

}  // namespace freshet
