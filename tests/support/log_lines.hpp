// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "wait.hpp"

namespace freshet::testing {

/// A logger whose lines can be read, each as "error: the text". Thread-safe; copies share their lines.
class LogLines {
public:
    /// For BrokerOptions::logger.
    const std::shared_ptr<spdlog::logger>& logger() const { return logger_; }

    std::vector<std::string> all() const { return sink_->all(); }

    /// The first line that contains `text`; empty if there is none.
    std::string find(std::string_view text) const {
        for (auto& line : all())
            if (line.find(text) != std::string::npos) return line;
        return {};
    }

    /// Waits until a line contains `text`, and returns it; empty if none came in time.
    std::string wait_for(std::string_view text) const {
        eventually([&] { return !find(text).empty(); });
        return find(text);
    }

private:
    class Sink final : public spdlog::sinks::base_sink<std::mutex> {
    public:
        std::vector<std::string> all() {
            const std::lock_guard lock{mutex_};
            return lines_;
        }

    private:
        void sink_it_(const spdlog::details::log_msg& message) override {
            const auto level = spdlog::level::to_string_view(message.level);
            lines_.push_back(std::string{level.data(), level.size()} + ": " +
                             std::string{message.payload.data(), message.payload.size()});
        }
        void flush_() override {}

        std::vector<std::string> lines_ = {};
    };

    std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
    std::shared_ptr<spdlog::logger> logger_ = std::make_shared<spdlog::logger>("test", sink_);
};

}  // namespace freshet::testing
