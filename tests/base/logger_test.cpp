// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <freshet/logger.hpp>

using freshet::Logger;
using freshet::LogLevel;

namespace {

/// Counts how often a value is copied and formatted.
struct Counted {
    Counted() = default;
    Counted(const Counted&) { ++copied; }
    static inline int copied = 0;
    static inline int formatted = 0;
};

struct Unprintable {};
struct Odd {};

class MemorySink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    std::vector<std::string> lines;

private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        const auto level = spdlog::level::to_string_view(message.level);
        lines.push_back(std::string{level.data(), level.size()} + ": " +
                        std::string{message.payload.data(), message.payload.size()});
    }
    void flush_() override {}
};

/// A logger whose lines can be read.
struct Recorded {
    Recorded() { native->set_level(spdlog::level::trace); }

    std::string last() const { return sink->lines.empty() ? "" : sink->lines.back(); }

    std::shared_ptr<MemorySink> sink = std::make_shared<MemorySink>();
    std::shared_ptr<spdlog::logger> native = std::make_shared<spdlog::logger>("test", sink);
    Logger logger{native};
};

using Lines = std::vector<std::string>;

}  // namespace

template <>
struct fmt::formatter<Counted> : fmt::formatter<std::string_view> {
    auto format(const Counted&, fmt::format_context& context) const {
        ++Counted::formatted;
        return fmt::format_to(context.out(), "counted");
    }
};
template <>
struct fmt::formatter<Unprintable> : fmt::formatter<std::string_view> {
    fmt::format_context::iterator format(const Unprintable&, fmt::format_context&) const {
        throw std::runtime_error{"no text"};
    }
};
template <>
struct fmt::formatter<Odd> : fmt::formatter<std::string_view> {
    fmt::format_context::iterator format(const Odd&, fmt::format_context&) const { throw 1; }
};

TEST_CASE("each level goes to spdlog's of the same name") {
    Recorded recorded;
    recorded.logger.trace("a {}", 1);
    recorded.logger.debug("b");
    recorded.logger.info("c");
    recorded.logger.warn("d");
    recorded.logger.error("e");
    recorded.logger.critical("f");
    recorded.logger.log(LogLevel::info, "g {}", "h");
    CHECK(recorded.sink->lines ==
          Lines{"trace: a 1", "debug: b", "info: c", "warning: d", "error: e", "critical: f", "info: g h"});
}

TEST_CASE("the fields of a message follow the text, the empty ones not") {
    Recorded recorded;
    recorded.logger.with({.subject = "orders.eu.created", .queue = "billing", .correlation_id = "ab12"})
        .info("billing {} in {}", "a1", "eu");
    CHECK(recorded.last() == "info: billing a1 in eu subject=orders.eu.created queue=billing correlation_id=ab12");
    recorded.logger
        .with({.subject = "orders.eu", .stream = "ORDERS", .consumer = "billing", .sequence = 17, .delivery = 2})
        .info("text");
    CHECK(recorded.last() == "info: text subject=orders.eu stream=ORDERS consumer=billing sequence=17 delivery=2");
    recorded.logger.with({.subject = "orders"}).info("text");
    CHECK(recorded.last() == "info: text subject=orders");
    recorded.logger.info("text");
    CHECK(recorded.last() == "info: text");
}

TEST_CASE("field values that could be misread are quoted") {
    Recorded recorded;
    auto written = [&](std::string_view id) {
        recorded.logger.with({.correlation_id = id}).info("x");
        return recorded.last().substr(std::string_view{"info: x correlation_id="}.size());
    };
    CHECK(written("a b") == R"("a b")");
    CHECK(written("a=b") == R"("a=b")");
    CHECK(written("a\tb") == "\"a\tb\"");
    CHECK(written(R"(a" queue="b)") == R"("a\" queue=\"b")");
    CHECK(written(R"(a\)") == R"("a\\")");
    CHECK(written("a\nb") == R"(a\x0ab)");
    CHECK(written("a\n b") == R"("a\x0a b")");
    CHECK(written("käse") == "käse");
}

TEST_CASE("what came over the wire cannot begin a line or steer a terminal") {
    Recorded recorded;
    const auto logger = [&] { return recorded.logger.with({.subject = "s\r\nt"}); };
    logger().info("got {}", "a\n[info] forged");
    CHECK(recorded.last() == R"(info: got a\x0a[info] forged subject=s\x0d\x0at)");
    logger().info("got {}", std::string_view{"\x1b[2J\0\x7f", 6});
    CHECK(recorded.last() == R"(info: got \x1b[2J\x00\x7f subject=s\x0d\x0at)");
    logger().info("got {}", "\u009b2J \u00a0ä\tb");
    CHECK(recorded.last() == "info: got \\xc2\\x9b2J \u00a0ä\tb subject=s\\x0d\\x0at");
    logger().info("got {}", "cut \xc2");
    CHECK(recorded.last() == "info: got cut \\xc2 subject=s\\x0d\\x0at");
}

TEST_CASE("without a message line breaks stay, and what follows is indented") {
    Recorded recorded;
    recorded.logger.error("cannot start:\n- one\x1b\n- two");
    CHECK(recorded.last() == "error: cannot start:\n    - one\\x1b\n    - two");
}

TEST_CASE("nothing is copied or formatted while the level is off") {
    Recorded recorded;
    recorded.native->set_level(spdlog::level::warn);
    Counted::copied = Counted::formatted = 0;
    const Counted value;
    CHECK_FALSE(recorded.logger.enabled(LogLevel::info));
    recorded.logger.info("{}", value);
    recorded.logger.with({.subject = "x"}).debug("{}", value);
    CHECK(Counted::formatted == 0);
    CHECK(recorded.sink->lines.empty());

    CHECK(recorded.logger.enabled(LogLevel::warn));
    recorded.logger.warn("{}", value);
    CHECK(Counted::formatted == 1);
    CHECK(Counted::copied == 0);
    CHECK(recorded.last() == "warning: counted");
}

TEST_CASE("what cannot be formatted is logged as such, with its fields, and nothing is thrown") {
    Recorded recorded;
    recorded.logger.with({.subject = "orders"}).info("before {}", Unprintable{});
    CHECK(recorded.last() == "info: cannot format the log line \"before {}\": no text subject=orders");
    recorded.logger.info("{}", Odd{});
    CHECK(recorded.last() == "info: cannot format the log line \"{}\"");
    recorded.logger.info(fmt::runtime("{} {}"), 1);
    CHECK(recorded.last().starts_with("info: cannot format the log line \"{} {}\": "));
}

TEST_CASE("a sink that throws, and an error handler that throws, do not reach the handler") {
    class Throwing final : public spdlog::sinks::base_sink<std::mutex> {
        void sink_it_(const spdlog::details::log_msg&) override { throw std::runtime_error{"disk full"}; }
        void flush_() override {}
    };
    auto native = std::make_shared<spdlog::logger>("throwing", std::make_shared<Throwing>());
    std::string reported;
    native->set_error_handler([&](const std::string& error) {
        reported = error;
        throw std::runtime_error{"worse"};
    });
    Logger logger{native};
    logger.info("x");
    CHECK(reported.find("disk full") != std::string::npos);
}

TEST_CASE("the user's own logger, spdlog's default, or none") {
    Recorded recorded;
    CHECK(&recorded.logger.native() == recorded.native.get());
    CHECK(&recorded.logger.with({}).native() == recorded.native.get());

    const auto before = spdlog::default_logger();
    spdlog::set_default_logger(recorded.native);
    Logger by_default{nullptr};
    spdlog::set_default_logger(nullptr);
    Logger none{nullptr};
    spdlog::set_default_logger(before);
    CHECK(Logger{nullptr}.native().name() == "freshet");  // and not spdlog's first, which writes to stdout
    CHECK(&Logger{nullptr}.native() == spdlog::get("freshet").get());
    by_default.info("to the default");
    none.info("to nobody");
    CHECK(recorded.sink->lines == Lines{"info: to the default"});
}

TEST_CASE("threads write whole lines") {
    Recorded recorded;
    constexpr int threads = 4;
    constexpr int each = 250;
    {
        std::vector<std::jthread> writers;
        writers.reserve(threads);
        for (int t = 0; t < threads; ++t) {
            writers.emplace_back([&, t] {
                const auto subject = "orders." + std::to_string(t);
                auto logger = recorded.logger.with({.subject = subject});
                for (int i = 0; i < each; ++i) logger.info("{}", std::string(100, static_cast<char>('a' + t)));
            });
        }
    }
    REQUIRE(recorded.sink->lines.size() == threads * each);
    bool whole = true;
    for (const auto& line : recorded.sink->lines) {
        const char letter = line.at(6);
        whole =
            whole && line == "info: " + std::string(100, letter) + " subject=orders." + std::to_string(letter - 'a');
    }
    CHECK(whole);
}

TEST_CASE("fields that are asked for are asked for when a line is written") {
    const Recorded recorded;
    struct Asked {
        std::string subject = "orders.eu";
        mutable int times = 0;
    } asked;
    auto logger = recorded.logger.with(
        [](const void* of) {
            const auto& from = *static_cast<const Asked*>(of);
            ++from.times;
            return freshet::LogFields{.subject = from.subject};
        },
        &asked);
    recorded.native->set_level(spdlog::level::warn);
    logger.info("silent");
    CHECK(asked.times == 0);
    logger.warn("late");
    CHECK(asked.times == 1);
    CHECK(recorded.last() == "warning: late subject=orders.eu");
    CHECK(logger.with({.subject = "other"}).enabled(LogLevel::warn));
}
