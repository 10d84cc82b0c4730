// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <sstream>
#include <string_view>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "support.hpp"

namespace snippets {

/// A logger whose lines a page can show: level and text, without time and colours.
struct PlainLog {
    std::ostringstream written = std::ostringstream{};
    std::shared_ptr<spdlog::sinks::sink> sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(written);
    std::shared_ptr<spdlog::logger> plain = [this] {
        auto logger = std::make_shared<spdlog::logger>("plain", sink);
        logger->set_pattern("%l: %v");
        return logger;
    }();

    bool logged(std::string_view line) const { return written.str().find(shown(line) + "\n") != std::string::npos; }
};

}  // namespace snippets
