// SPDX-License-Identifier: Apache-2.0
#include <freshet/app.hpp>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <spdlog/spdlog.h>

#include "base/quoted.hpp"
#include "base/without_secrets.hpp"
#include "broker/app_core.hpp"

namespace freshet {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

void print_help(std::FILE* to, const char* program) {
    fmt::print(to,
               "Usage: {} [--log-level LEVEL]\n\n"
               "Serves until SIGINT or SIGTERM. The server is taken from $NATS_URL, else nats://localhost:4222.\n\n"
               "  --log-level LEVEL   trace, debug, info, warn, err, critical or off (default: info)\n"
               "  --help              this text\n",
               program);
}

/// Returns a word of the command line without what may be a secret: another program's `--password=...`, for example.
std::string shown_word(std::string_view word) {
    if (word.starts_with('-')) word = word.substr(0, word.find('='));
    return detail::quoted(detail::without_secrets(word));
}

/// Carries out the command line. Returns the exit code if the program is to end with it.
std::optional<int> apply(int argc, char** argv, spdlog::logger& logger) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--help" || word == "-h") {
            print_help(stdout, argv[0]);
            return 0;
        }
        if (word != "--log-level" || i + 1 == argc) {
            fmt::print(stderr, "{}: unknown or incomplete option {}\n", argv[0], shown_word(word));
            print_help(stderr, argv[0]);
            return exit_usage;
        }
        const std::string_view name = argv[++i];
        const auto level = spdlog::level::from_str(std::string{name});
        if (level == spdlog::level::off && name != "off") {
            fmt::print(stderr, "{}: {} is not a log level; use trace, debug, info, warn, err, critical or off\n",
                       argv[0], shown_word(name));
            return exit_usage;
        }
        logger.set_level(level);
    }
    return std::nullopt;
}

}  // namespace

App::App(std::vector<Broker*> brokers) : core_{std::make_unique<detail::AppCore>(std::move(brokers))} {}
App::~App() = default;

void App::add(When when, std::unique_ptr<detail::Hook> hook) { core_->add(when, std::move(hook)); }
void App::exit(int code) noexcept { core_->exit(code); }

int App::run(int argc, char** argv) noexcept {
    try {
        if (const auto code = apply(argc, argv, core_->logger().native())) return *code;
    } catch (const std::exception& error) {
        core_->logger().critical("{}", error.what());
        return exit_failed;
    }
    return run();
}

int App::run() noexcept {
    try {
        return core_->run();
    } catch (const std::exception& error) { core_->logger().critical("{}", error.what()); } catch (...) {
        core_->logger().critical("stopped by an exception that is not a std::exception");
    }
    return exit_failed;
}

}  // namespace freshet
