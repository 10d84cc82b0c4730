// SPDX-License-Identifier: Apache-2.0
// What is acknowledged while a broker learns, one connection after the other, that its server may be another one.
#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/relay.hpp"
#include "../../support/server.hpp"
#include "../../support/wait.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::eventually;
using freshet::testing::NatsServer;
using freshet::testing::Relay;
using Kind = ConnectionEvent::Kind;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory};
const js::ConsumerConfig slow{.ack_wait = 1h};
// The order in which a broker connects.
constexpr std::size_t publishing = 0;
constexpr std::size_t delivering = 1;

/// A broker behind a relay that holds a fetched message, and another one that makes the stream anew.
struct Fixture {
    NatsServer server{{.jetstream = true}};
    Relay relay{server.port()};
    Broker other{{.servers = {server.url()}}};
    std::atomic<int> reconnects = 0;
    Broker broker{
        {.servers = {relay.url()},
         .reconnect = {.min_wait = 1ms, .max_wait = 10ms},
         .connect_timeout = 60s,
         .on_event = [this](const ConnectionEvent& event) { reconnects += event.kind == Kind::reconnected; }}};
    js::JetStream js = other.jetstream();
    js::Consumer worker = js.consumer("ORDERS", "worker");

    Fixture() {
        // Its answers leave on the connection on which acknowledgements leave.
        broker.subscriber<"probe">().handle([] { return Response<>{}; });
        other.start();
        make("A");
        broker.start();
    }

    void make(const std::string& body) {
        js.declare(orders);
        worker.declare(slow);
        js.publish("orders.eu", body);
    }
    bool answers() { return other.try_request<void>("probe", std::string_view{}, {.timeout = 500ms}).has_value(); }
    js::Delivery fetch(Broker& from) {
        auto delivery = from.jetstream().consumer("ORDERS", "worker").next();
        REQUIRE(delivery);
        return *std::move(delivery);
    }

    /// Acknowledges `old` when its stream was made anew, and expects that the message with the same number is not
    /// taken for acknowledged.
    void acknowledge_late(js::Delivery& old) {
        REQUIRE(eventually([&] { return answers(); }));  // the connection is back
        js.stream("ORDERS").remove();
        make("B");
        CHECK(fetch(other)->text() == "B");
        old.ack();
        REQUIRE(answers());  // whatever left before the answer has reached the server
        js.publish("orders.eu", "C");
        fetch(other).ack_sync();  // which handles acknowledgements one after the other
        CHECK(worker.info().ack_pending == 1);
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an acknowledgement waits from the first loss on, not from the event disconnected on") {
    auto old = fetch(broker);
    relay.silence(publishing);
    relay.hang_up(delivering);
    acknowledge_late(old);
    relay.hang_up(publishing);
    REQUIRE(eventually([&] { return reconnects > 0; }));
    CHECK_THROWS_AS(old.ack_sync(), Error);
    CHECK(worker.info().ack_pending == 1);
}

TEST_CASE_METHOD(Fixture, "an acknowledgement waits from a loss on that cannot be told yet as an event") {
    std::binary_semaphore entered{0};
    std::binary_semaphore release{0};
    Relay another{server.port()};
    Broker busy{{.servers = {another.url()}, .on_event = [&](const ConnectionEvent& event) {
                     if (event.kind != Kind::disconnected) return;
                     entered.release();
                     release.acquire();
                 }}};
    busy.start();
    auto old = fetch(broker);
    another.hang_up(delivering);
    entered.acquire();
    relay.hang_up(delivering);
    {
        const std::shared_ptr<void> always{nullptr, [&](void*) { release.release(); }};
        acknowledge_late(old);
    }
    REQUIRE(eventually([&] { return reconnects > 0; }));
    CHECK_THROWS_AS(old.ack_sync(), Error);
    CHECK(worker.info().ack_pending == 1);
}
