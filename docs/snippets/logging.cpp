// SPDX-License-Identifier: Apache-2.0
// The code of docs/logging.md.
#include <memory>
#include <mutex>
#include <ostream>
#include <sstream>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <freshet/freshet.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"
#include "support.hpp"

using freshet::testing::eventually;
using freshet::testing::NatsServer;
using snippets::shown;

struct Order {
    std::string id = {};
    double amount = 0;
};
FRESHET_JSON(Order, id, amount);

namespace {

struct Fixture {
    NatsServer server = NatsServer{};
    std::ostringstream written = std::ostringstream{};
    std::shared_ptr<spdlog::sinks::sink> sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(written);
    std::shared_ptr<spdlog::logger> plain = [this] {
        auto logger = std::make_shared<spdlog::logger>("plain", sink);
        logger->set_pattern("%l: %v");
        return logger;
    }();
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the handler's logger") {
    freshet::Broker broker{{.servers = {server.url()}, .logger = plain}};
    // [handler]
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .handle([](const Order& order, freshet::Path<"region"> region, freshet::Logger& log) {
            log.info("billing {} in {}", order.id, *region);
            return freshet::Response<>{};
        });
    // [handler]
    broker.start();
    broker.request<void>("orders.eu.created", Order{"a1", 10}, {.headers = {{"correlation_id", "c-1"}}});
    (void)broker.try_request<void>("orders.eu.created", "{}");
    CHECK(broker.stop());
    const auto text = written.str();
    INFO(text);
    CHECK(text.find(shown(R"(
// [line]
info: billing a1 in eu subject=orders.eu.created queue=billing correlation_id=c-1
// [line]
)") + "\n") != std::string::npos);
    CHECK(text.find(shown(R"(
// [rejected]
error: message rejected: id: missing subject=orders.eu.created queue=billing
// [rejected]
)") + "\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a logger of your own") {
    // [own]
    auto logger = std::make_shared<spdlog::logger>("billing", sink);
    logger->set_level(spdlog::level::debug);
    freshet::Broker broker{{.servers = {server.url()}, .logger = logger}};

    broker.logger().debug("{} orders to go", 3);  // outside of handlers
    // [own]
    CHECK(written.str().find("debug: 3 orders to go") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "what freshet gives to a handler is formatted by itself") {
    freshet::Broker broker{{.servers = {server.url()}, .logger = plain}};
    // [formats]
    broker.subscriber<"orders.{region}.{id}">().handle([](freshet::Path<"region"> region, freshet::Path<"id", int> id,
                                                          freshet::Header<"tenant", std::optional<int>> tenant,
                                                          freshet::Logger& log) {
        log.info("order {:>4} in {} of {}: {}", id, region, tenant, freshet::Outcome::ack);
    });
    // [formats]
    broker.start();
    broker.publish("orders.eu.7", "");
    broker.ping();
    CHECK(broker.stop());
    CHECK(written.str().find(shown(R"(
// [formatted]
info: order    7 in eu of none: ack subject=orders.eu.7
// [formatted]
)") + "\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "nothing is formatted while the level is off") {
    freshet::Logger log{plain};
    int described = 0;
    const auto expensive = [&] { return ++described; };
    // [enabled]
    if (log.enabled(freshet::LogLevel::debug)) log.debug("it is {}", expensive());
    // [enabled]
    CHECK(described == 0);
    CHECK(written.str().empty());
}

TEST_CASE_METHOD(Fixture, "what came over the wire cannot forge a line") {
    freshet::Broker broker{{.servers = {server.url()}, .logger = plain}};
    broker.subscriber<"notes">().handle([](std::string_view text, freshet::Logger& log) {
        log.info("noted: {}", text);
        return freshet::Response<>{};
    });
    broker.start();
    broker.request<void>("notes", "hi\nerror: the disk is full");
    CHECK(broker.stop());
    CHECK(written.str().find(shown(R"(
// [escaped]
info: noted: hi\x0aerror: the disk is full subject=notes
// [escaped]
)")) != std::string::npos);
}
