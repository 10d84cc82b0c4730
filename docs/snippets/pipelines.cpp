// SPDX-License-Identifier: Apache-2.0
// The code of docs/pipelines.md.
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;
using freshet::testing::NatsServer;
namespace js = freshet::js;

// [types]
struct Reading {
    std::string sensor = {};
    double celsius = 0;
};
FRESHET_JSON(Reading, sensor, celsius);

struct Alarm {
    std::string sensor = {};
    std::string text = {};
};
FRESHET_JSON(Alarm, sensor, text);
// [types]

namespace {

struct Table {
    std::vector<Reading> rows = {};
    void insert(std::span<const Reading> batch) {
        for (const auto& one : batch) {
            if (one.celsius > 1'000) throw std::runtime_error{"no such temperature"};
            rows.push_back(one);
        }
    }
};

}  // namespace

// [streams]
const js::Stream raw{.name = "RAW", .subjects = {"raw.>"}, .max_age = 24h};
const js::Stream readings{.name = "READINGS", .subjects = {"readings.>"}, .max_age = 7 * 24h};
const js::Stream alarms{.name = "ALARMS", .subjects = {"alarms.>"}, .allow_atomic = true};
const js::Stream dead{.name = "DEAD", .subjects = {"dead.>"}, .max_age = 30 * 24h};

js::Retry retry(std::string step) {
    return {.max_attempts = 5, .backoff = {1s, 5s, 30s}, .dead_letter = "dead." + step, .dead_letter_stream = dead};
}
// [streams]

// [parse]
void parse(freshet::Broker& broker) {
    broker
        .subscriber<"raw.{sensor}">(js::Pull{.stream = raw, .durable = "parse", .workers = 4, .retry = retry("parse")})
        .publish_to<"readings.{sensor}">({.confirm = true, .headers = {{"step", "parse"}}})
        .handle([](std::string_view line, freshet::Path<"sensor"> sensor) -> std::optional<Reading> {
            if (line.empty()) return std::nullopt;  // nothing to publish: the message is done
            const auto celsius = freshet::FromText<double>::parse(line);
            if (!celsius) throw freshet::Reject{"not a number"};  // no attempt would help: a dead letter at once
            return Reading{std::string{*sensor}, *celsius};
        });
}
// [parse]

// [watch]
void watch(freshet::Broker& broker) {
    broker
        .subscriber<"readings.{sensor}">(js::Pull{
            .stream = readings, .durable = "watch", .workers = 4, .ordered_by = "sensor", .retry = retry("watch")})
        .handle([](const Reading& reading, freshet::Context& context) {
            if (reading.celsius > 80) context.publish("alarms.hot", Alarm{reading.sensor, "too hot"});
            if (reading.celsius > 99) context.publish("alarms.boiling", Alarm{reading.sensor, "boiling"});
        });
}
// [watch]

// [store]
void store(freshet::Broker& broker) {
    broker
        .subscriber<"readings.>">(js::Pull{.stream = readings,
                                           .durable = "store",
                                           .retry = retry("store"),
                                           .batch = {.size = 500, .within = 200ms, .isolate = true}})
        .handle([](std::span<const Reading> batch, freshet::Inject<Table> table) { table->insert(batch); });
}
// [store]

// [summarize]
void summarize(freshet::Broker& broker) {
    broker
        .subscriber<"readings.>">(js::Pull{.stream = readings,
                                           .durable = "summarize",
                                           .retry = retry("summarize"),
                                           .batch = {.size = 100, .within = 200ms}})
        .handle([](std::span<const Reading> batch, freshet::Context& context) {
            for (std::size_t i = 0; i < batch.size(); ++i)
                if (batch[i].celsius < -20)
                    context.publish(context.items()[i], "alarms.cold", Alarm{batch[i].sensor, "too cold"});
        });
}
// [summarize]

TEST_CASE("the pipeline on a server") {
    NatsServer server{{.jetstream = true}};
    freshet::Broker broker{{.servers = {server.url()}}};
    const auto table = std::make_shared<Table>();
    broker.provide(table);
    for (const auto wire : {parse, watch, store, summarize}) wire(broker);
    broker.subscriber<"alarms.>">(js::Pull{.stream = alarms, .durable = "log", .retry = retry("log")}).handle([] {});
    broker.start();
    // [feed]
    auto jetstream = broker.jetstream();
    jetstream.publish("raw.kiln", "85.5", {.id = "kiln-2026-12-01T10:00"});  // stored once, however often it is sent
    jetstream.publish("raw.kiln", "85.5", {.id = "kiln-2026-12-01T10:00"});
    // [feed]
    jetstream.publish("raw.cellar", "-30");
    jetstream.publish("raw.cellar", "cold");
    jetstream.publish("raw.cellar", "9999");
    const auto count = [&](const char* stream) { return jetstream.stream(stream).info().state.messages; };
    CHECK(eventually([&] { return count("READINGS") == 3 && count("ALARMS") == 4 && count("DEAD") == 1; }));
    CHECK(js::DeadLetters(broker, "DEAD").list().at(0).reason() == "not a number");
    CHECK(eventually([&] { return jetstream.consumer("READINGS", "summarize").info().ack_pending == 0; }));
}

// [test]
TEST_CASE("a hot reading is stored and raises one alarm, although it is handled twice") {
    freshet::Broker broker;
    const auto table = std::make_shared<Table>();
    broker.provide(table);
    for (const auto wire : {parse, watch, store}) wire(broker);
    broker.subscriber<"alarms.>">(js::Pull{.stream = alarms, .durable = "log", .retry = retry("log")}).handle([] {});
    freshet::testing::TestBroker test{broker};  // no server, no waiting

    test.duplicate_next("readings.>");  // a message that comes twice, as after a lost acknowledgement
    broker.jetstream().publish("raw.kiln", "85.5");
    test.advance(1s);  // the batch is complete

    CHECK(broker.jetstream().stream("ALARMS").info().state.messages == 1);
    CHECK_FALSE(table->rows.empty());
}
// [test]
