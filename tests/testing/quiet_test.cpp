// SPDX-License-Identifier: Apache-2.0
// What a test of a service writes to its log.
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <spdlog/spdlog.h>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>
#include <freshet/testing/catch2.hpp>
#include <freshet/testing/server.hpp>

#include "../support/log_lines.hpp"
#include "../support/process.hpp"
#include "../support/types.hpp"

using namespace freshet;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Makes a logger with a name the program's default, as long as it lives: brokers without a logger write to it.
class Programs {
public:
    Programs() { spdlog::set_default_logger(lines.logger()); }
    Programs(const Programs&) = delete;
    Programs& operator=(const Programs&) = delete;
    ~Programs() { spdlog::set_default_logger(before_); }

    std::size_t count(std::string_view text) const {
        std::size_t count = 0;
        for (const auto& line : lines.all()) count += line.find(text) != std::string::npos ? 1 : 0;
        return count;
    }

    testing::LogLines lines = {};

private:
    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

void declare(Broker& broker) {
    broker.subscriber<"add">().handle([](const Add& add, Logger& log) -> Sum {
        log.info("adding");
        if (add.a < 0) throw std::runtime_error{"negative"};
        return {add.a + add.b};
    });
}

}  // namespace

TEST_CASE("a test that passes writes what is wrong, and nothing else") {
    const Programs log;
    {
        Broker broker;
        declare(broker);
        testing::TestBroker test{broker};
        CHECK(test.request<Sum>("add", Add{1, 2}).value == 3);
        CHECK(log.lines.all().empty());
        CHECK(test.publish("add", Add{-1, 2}) == Outcome::nack());
    }
    CHECK(log.lines.all().size() == 1);
    CHECK(log.count("error: handler failed: std::runtime_error: negative") == 1);
}

TEST_CASE("with a real server it is as quiet") {
    const Programs log;
    {
        Broker broker;
        declare(broker);
        testing::TestBroker test{broker, testing::with_server};
        CHECK(test.request<Sum>("add", Add{1, 2}).value == 3);
    }
    CHECK(log.lines.all().empty());
}

TEST_CASE("a test that ends with an exception writes everything that led there, once") {
    const Programs log;
    try {
        Broker broker;
        declare(broker);
        const testing::TestBroker test{broker};
        std::ignore = test.client().request<Sum>("add", Add{1, 2});
        throw std::runtime_error{"the test failed"};
    } catch (const std::runtime_error&) {}
    CHECK(log.count("info: adding") == 1);
    CHECK(log.count("connected") == 1);
    CHECK(log.count("closed") == 1);
}

TEST_CASE("a failed CHECK", "[.]") {  // run by the next test
    Broker broker;
    declare(broker);
    testing::TestBroker test{broker};
    CHECK(test.request<Sum>("add", Add{1, 2}).value == 4);
}

TEST_CASE("a test that goes on after a failed check writes everything that led there") {
    testing::Process process{{"/proc/self/exe", "a failed CHECK"}};
    CHECK(process.wait() != 0);
    CHECK_THAT(process.output(), ContainsSubstring("[info] adding subject=add"));
}

TEST_CASE("a failure that a test framework notes counts for what lives then") {
    const Programs log;
    {
        Broker broker;
        declare(broker);
        testing::TestBroker test{broker};
        CHECK(test.request<Sum>("add", Add{1, 2}).value == 3);
        testing::note_failure();
    }
    CHECK(log.count("info: adding") == 1);
    {
        Broker broker;
        declare(broker);
        testing::TestBroker test{broker};
        CHECK(test.request<Sum>("add", Add{1, 2}).value == 3);
    }
    CHECK(log.count("info: adding") == 1);
}

TEST_CASE("a test may ask for the lines") {
    const Programs log;
    const bool by_environment = GENERATE(false, true);
    if (by_environment) ::setenv("FRESHET_TEST_LOG", "info", 1);
    {
        Broker broker;
        declare(broker);
        testing::TestOptions options;
        if (!by_environment) options.log_level = LogLevel::info;
        testing::TestBroker test{broker, options};
        CHECK(test.request<Sum>("add", Add{1, 2}).value == 3);
    }
    ::unsetenv("FRESHET_TEST_LOG");
    CHECK(log.count("info: adding") == 1);
    CHECK(log.count("connected") == 1);
    CHECK(log.count("closed") == 1);
}

TEST_CASE("a broker with a logger of its own writes to that, and the test's own broker adds nothing") {
    testing::LogLines own;
    {
        Broker broker{{.logger = own.logger()}};
        declare(broker);
        testing::TestBroker test{broker};
        CHECK(test.request<Sum>("add", Add{1, 2}).value == 3);
    }
    std::size_t connected = 0;
    for (const auto& line : own.all()) connected += line.find("connected") != std::string::npos ? 1 : 0;
    CHECK(connected == 1);
    CHECK_FALSE(own.find("info: adding").empty());
}

TEST_CASE("an App with several brokers is as quiet, and each broker has its own rules") {
    const Programs log;
    {
        Broker one{{.name = "one"}};
        Broker two{{.name = "two"}};
        one.on_error<std::runtime_error>(409);
        one.subscriber<"one.add">().handle([](const Add&) -> Sum { throw std::runtime_error{"no"}; });
        two.subscriber<"two.add">().handle([](const Add&) -> Sum { throw std::runtime_error{"no"}; });
        App app{one, two};
        testing::TestApp test{app};
        CHECK(test[one].try_request<Sum>("one.add", Add{}).error().remote_code() == 409);
        CHECK(test[two].try_request<Sum>("two.add", Add{}).error().remote_code() == 500);
        CHECK(test.stop() == 0);
    }
    CHECK(log.lines.all().size() == 1);
    CHECK(log.count("answered 500") == 1);
}

TEST_CASE("an interrupted server was not tried for 0 ms") {
    testing::MemoryServer server;
    server.interrupt();
    Broker broker{{.start_timeout = std::chrono::milliseconds{0}},
                  [&](const BrokerOptions& options) { return server.connect(options); }};
    std::string why;
    try {
        broker.start();
    } catch (const Error& error) { why = error.what(); }
    CHECK(why.find("it was interrupted") != std::string::npos);
    CHECK(why.find("0 ms") == std::string::npos);
}
