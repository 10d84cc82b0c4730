// SPDX-License-Identifier: Apache-2.0
// Consumers that begin again, and consumers that another stream reads through: server 2.14.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/seen.hpp"
#include "../../testing/both.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::Both;
using freshet::testing::eventually;
using freshet::testing::JetStreamFixture;
using freshet::testing::Seen;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory};

}  // namespace

TEST_CASE_METHOD(Both, "a consumer that is reset to a sequence or a time gives what follows once more") {
    auto& test = start();
    const auto js = broker.jetstream();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    worker.declare({});
    for (int i = 1; i <= 5; ++i) {
        test.advance(10ms);
        js.publish("orders.eu", std::to_string(i));
    }
    for (const auto& delivery : worker.fetch({.messages = 5})) delivery.ack_sync();
    CHECK(worker.info().pending == 0);

    CHECK(worker.reset(3) == 3);
    CHECK(worker.info().pending == 3);
    const auto third = worker.next();
    REQUIRE(third);
    CHECK(third->message().text() == "3");
    CHECK(third->message().metadata()->deliveries == 1);
    CHECK(worker.reset() == 3);  // the first that is not acknowledged
    CHECK(worker.info().pending == 3);

    CHECK(worker.reset(js.stream("ORDERS").message(4).time()) == 4);
    CHECK(worker.info().pending == 2);
    CHECK(worker.reset(std::chrono::system_clock::time_point{}) == 1);
    CHECK(worker.reset(js.stream("ORDERS").message(5).time() + 1h) == 6);
    CHECK(worker.info().pending == 0);
    const auto impatient = broker.jetstream({.timeout = 500ms}).consumer("ORDERS", "none");
    CHECK(impatient.try_reset(1).error() == Errc::consumer_not_found);
}

TEST_CASE_METHOD(Both, "a subscriber handles again what its consumer was reset to") {
    Seen seen;
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = orders, .durable = "worker", .retry = {.max_attempts = 3, .dead_letter = "dead"}})
        .handle([&](std::string_view body) { seen.add(std::string{body}); });
    start();
    const auto js = broker.jetstream();
    for (int i = 1; i <= 3; ++i) js.publish("orders.eu", std::to_string(i));
    REQUIRE(pass_until([&] { return seen.count() == 3 && js.consumer("ORDERS", "worker").info().ack_pending == 0; }));
    js.consumer("ORDERS", "worker").reset(2);
    REQUIRE(pass_until([&] { return seen.count() >= 5; }));
    CHECK(seen.all() == std::vector<std::string>{"1", "2", "3", "2", "3"});
    CHECK(pass_until([&] { return js.consumer("ORDERS", "worker").info().ack_pending == 0; }));
}

TEST_CASE_METHOD(JetStreamFixture, "a stream reads a work queue through a consumer with flow control") {
    const auto js = started();
    js.declare({.name = "QUEUE",
                .subjects = {"queue.>"},
                .retention = js::Retention::workqueue,
                .storage = js::Storage::memory});
    const auto through = js.consumer("QUEUE", "copier");
    const js::ConsumerConfig config{.acks = js::Acks::flow_control, .deliver_subject = "copy.queue"};
    const auto made = through.declare(config);
    CHECK(made.push);
    CHECK(made.config.acks == js::Acks::flow_control);
    CHECK(through.try_declare(config, js::Declare::verify));
    CHECK(through.try_declare(config, js::Declare::reconcile));
    js.declare({.name = "COPY",
                .storage = js::Storage::memory,
                .sources = {{.name = "QUEUE",
                             .consumer = js::SourceConsumer{.name = "copier", .deliver_subject = "copy.queue"}}}});
    for (int i = 0; i < 10; ++i) js.publish("queue.eu", std::to_string(i));
    CHECK(eventually([&] { return js.stream("COPY").info().state.messages == 10; }, 30s));
    CHECK(eventually([&] { return js.stream("QUEUE").info().state.messages == 0; }, 30s));
    CHECK(js.consumers("QUEUE").size() == 1);

    const auto alone =
        js.consumer("QUEUE", "x").try_declare({.acks = js::Acks::flow_control}, js::Declare::create_if_missing);
    CHECK(alone.error() == Errc::bad_setup);
}
