// SPDX-License-Identifier: Apache-2.0
#include "testing/quiet_log.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string_view>

#include <spdlog/details/log_msg_buffer.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

namespace freshet::detail {
namespace {

using Level = spdlog::level::level_enum;

// The most lines that are kept, the last ones.
constexpr std::size_t most_kept = 1'000;

Level least_level(std::optional<LogLevel> least) {
    if (least) return static_cast<Level>(*least);  // in the same order
    const char* const given = std::getenv("FRESHET_TEST_LOG");
    return given == nullptr ? spdlog::level::warn : spdlog::level::from_str(given);
}

}  // namespace

class QuietLog::Sink final : public spdlog::sinks::sink {
public:
    Sink(std::vector<spdlog::sink_ptr> inner, Level least) : inner_{std::move(inner)}, least_{least} {}

    void log(const spdlog::details::log_msg& message) override {
        if (message.level >= least_) return pass_on(message);
        const std::lock_guard lock{mutex_};
        kept_.emplace_back(message);
        if (kept_.size() > most_kept) kept_.pop_front();
    }
    void flush() override {
        for (const auto& one : inner_) one->flush();
    }
    void set_pattern(const std::string& pattern) override {
        for (const auto& one : inner_) one->set_pattern(pattern);
    }
    void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
        for (const auto& one : inner_) one->set_formatter(formatter->clone());
    }

    void show() {
        std::deque<spdlog::details::log_msg_buffer> kept;
        {
            const std::lock_guard lock{mutex_};
            kept.swap(kept_);
        }
        for (const auto& message : kept) pass_on(message);
        flush();
    }

private:
    void pass_on(const spdlog::details::log_msg& message) {
        for (const auto& one : inner_)
            if (one->should_log(message.level)) one->log(message);
    }

    const std::vector<spdlog::sink_ptr> inner_;
    const Level least_;
    std::mutex mutex_ = {};
    std::deque<spdlog::details::log_msg_buffer> kept_ = {};
};

QuietLog::QuietLog(std::optional<LogLevel> least) {
    const Logger usual{nullptr};
    const auto& native = usual.native();
    const auto level = least_level(least);
    sink_ = std::make_shared<Sink>(native.sinks(), level);
    logger_ = std::make_shared<spdlog::logger>(native.name(), sink_);
    logger_->set_level(std::min(level, native.level()));
}

QuietLog::~QuietLog() = default;

void QuietLog::show() noexcept {
    try {
        sink_->show();
    } catch (...) { return; }  // no memory
}

std::shared_ptr<spdlog::logger> warnings_of(const spdlog::logger& logger) {
    auto made = std::make_shared<spdlog::logger>(logger.name(), logger.sinks().begin(), logger.sinks().end());
    made->set_level(std::max(spdlog::level::warn, logger.level()));
    return made;
}

}  // namespace freshet::detail
