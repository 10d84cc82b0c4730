// SPDX-License-Identifier: Apache-2.0
// The code of docs/logging.md.
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <spdlog/spdlog.h>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/middleware/access_log.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"
#include "orders.hpp"
#include "plain_log.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
namespace js = freshet::js;
using freshet::testing::eventually;
using freshet::testing::NatsServer;
using snippets::shown;

namespace {

struct Fixture : snippets::PlainLog {
    NatsServer server = NatsServer{};
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
info: billing a1 in eu handler=orders.{region}.created subject=orders.eu.created queue=billing correlation_id=c-1
// [line]
)") + "\n") != std::string::npos);
    CHECK(text.find(shown(R"(
// [rejected]
error: message rejected: id: missing; answered 400 handler=orders.{region}.created subject=orders.eu.created queue=billing
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
info: order    7 in eu of none: ack handler=orders.{region}.{id} subject=orders.eu.7
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

TEST_CASE_METHOD(Fixture, "the access log") {
    freshet::Broker broker{{.servers = {server.url()}, .logger = plain}};
    // [access]
    broker.use(freshet::AccessLog{});
    // [access]
    broker.subscriber<"orders.{id}">().handle([](const Order&) { throw std::runtime_error{"no"}; });
    broker.start();
    broker.publish("orders.7", Order{"a1", 10});
    REQUIRE(eventually([&] { return broker.stats().received == 1; }));
    CHECK(broker.stop());
    const auto line = shown(R"(
// [access-line]
info: delivery: nack in 0.031 ms, code 500 handler=orders.{id} subject=orders.7
// [access-line]
)");
    const auto time = line.find("0.031");
    CHECK(written.str().find(line.substr(0, time)) != std::string::npos);
    CHECK(written.str().find(line.substr(time + 5)) != std::string::npos);
}

TEST_CASE_METHOD(snippets::PlainLog, "attempts at a message of a stream") {
    const NatsServer server{{.jetstream = true}};
    freshet::Broker broker{{.servers = {server.url()}, .logger = plain}};
    broker
        .subscriber<"orders.{id}">(js::Pull{.stream = js::Stream{.name = "ORDERS", .subjects = {"orders.*"}},
                                            .durable = "billing",
                                            .retry = {.max_attempts = 2, .backoff = {20ms}, .dead_letter = "dead"}})
        .handle([](const Order&) { throw std::runtime_error{"no disk"}; });
    broker.start();
    broker.jetstream().declare({.name = "DEAD", .subjects = {"dead"}});
    broker.jetstream().publish("orders.7", Order{"a1", 10});
    CHECK(eventually([&] {
        return broker.jetstream().consumer("ORDERS", "billing").info().ack_floor_stream_sequence == 1;
    }));
    CHECK(broker.stop());
    INFO(written.str());
    CHECK(logged(R"(
// [attempts]
error: handler failed: std::runtime_error: no disk; attempt 1 of 2, again in 20 ms handler=orders.{id} subject=orders.7 stream=ORDERS consumer=billing sequence=1 delivery=1
error: handler failed: std::runtime_error: no disk; attempt 2 of 2, given up handler=orders.{id} subject=orders.7 stream=ORDERS consumer=billing sequence=1 delivery=2
error: consumer "billing" of stream "ORDERS": message 1 on "orders.7" is given up after 2 deliveries, and its dead letter is message 1 of stream "DEAD": no disk
// [attempts]
)"));
}
