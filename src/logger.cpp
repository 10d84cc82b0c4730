// SPDX-License-Identifier: Apache-2.0
#include <freshet/logger.hpp>

#include <exception>
#include <string>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

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

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void append_escaped(fmt::memory_buffer& line, std::string_view text) {
    for (const char c : text) {
        if (c == '\t' || !is_control(c)) line.push_back(c);
        else fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
    }
}

void append_field(fmt::memory_buffer& line, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    fmt::format_to(std::back_inserter(line), " {}=", name);
    const bool quote = value.find_first_of(" =\"") != std::string_view::npos;
    if (quote) line.push_back('"');
    append_escaped(line, value);
    if (quote) line.push_back('"');
}

/// The user's text: its line breaks stay where there is no message, whose parts might be in it.
void append_text(fmt::memory_buffer& line, std::string_view text, bool keep_lines) {
    if (keep_lines) line.append(text.data(), text.data() + text.size());
    else append_escaped(line, text);
}

}  // namespace

Logger::Logger(std::shared_ptr<spdlog::logger> sink)
    : owned_{sink ? std::move(sink) : spdlog::default_logger()}, logger_{owned_.get()} {}

bool Logger::enabled(LogLevel level) const noexcept { return logger_->should_log(native_level(level)); }

void Logger::write(LogLevel level, fmt::string_view format, fmt::format_args arguments) noexcept {
    try {
        fmt::memory_buffer text;
        fmt::vformat_to(std::back_inserter(text), format, arguments);
        fmt::memory_buffer line;
        append_text(line, {text.data(), text.size()}, fields_.subject.empty());
        append_field(line, "subject", fields_.subject);
        append_field(line, "queue", fields_.queue);
        append_field(line, "correlation_id", fields_.correlation_id);
        logger_->log(native_level(level), spdlog::string_view_t{line.data(), line.size()});
    } catch (const std::exception& error) {
        logger_->log(spdlog::level::err, spdlog::string_view_t{error.what()});
    } catch (...) {
        logger_->log(spdlog::level::err, spdlog::string_view_t{"a log line could not be formatted"});
    }
}

}  // namespace freshet
