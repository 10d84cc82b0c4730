// SPDX-License-Identifier: Apache-2.0
// Metrics of JetStream consumers, publishing and buckets against a real server, and of a connection that is lost.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/metrics.hpp>

#include "../support/pull_fixture.hpp"
#include "metrics_text.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using freshet::testing::eventually;
using freshet::testing::PullFixture;
using freshet::testing::value_of;

namespace {

struct Measured : PullFixture {
    explicit Measured(std::chrono::milliseconds poll = 20ms) : metrics{{.poll_interval = poll}} { metrics.add(broker); }
    std::string value(const std::string& series) const { return value_of(metrics, series); }
    bool reaches(const std::string& series, const std::string& wanted) const {
        return eventually([&] { return value(series) == wanted; });
    }

    Metrics metrics;
};

const std::string worker = R"({subject="orders.*",queue="worker")";
const std::string consumer_labels = R"({stream="ORDERS",consumer="worker"})";

}  // namespace

TEST_CASE_METHOD(Measured, "redeliveries, dead letters and the fate of stored messages are counted") {
    std::atomic<int> letters = 0;
    broker
        .subscriber<"orders.*">(js::Pull{.stream = "ORDERS",
                                         .durable = "worker",
                                         .consumer = {.deliver = js::Deliver::all},
                                         .retry = {.max_attempts = 2, .backoff = {1ms}, .dead_letter = "dead.orders"}})
        .handle([](int number) {
            if (number == 2) throw std::runtime_error{"two"};
        });
    broker.subscriber<"dead.*">().handle([&](std::string_view) {
        ++letters;
        return Response<>{};
    });
    publish(3);
    publish("not a number");
    broker.start();
    REQUIRE(all_settled());
    CHECK(reaches("freshet_messages_processed_total" + worker + R"(,outcome="dead_letter"})", "2"));
    CHECK(value("freshet_messages_received_total" + worker + "}") == "5");
    CHECK(value("freshet_messages_processed_total" + worker + R"(,outcome="ack"})") == "2");
    CHECK(value("freshet_messages_processed_total" + worker + R"(,outcome="nack"})") == "1");
    CHECK(value("freshet_messages_processed_total" + worker + R"(,outcome="rejected"})") == "0");
    CHECK(value("freshet_messages_rejected_total" + worker + R"(,reason="body"})") == "1");
    CHECK(value("freshet_redeliveries_total" + worker + "}") == "1");
    CHECK(reaches("freshet_dead_letters_total" + worker + R"(,status="kept"})", "2"));
    CHECK(value("freshet_messages_in_flight" + worker + "}") == "0");
    CHECK(letters == 2);
}

TEST_CASE_METHOD(Measured, "how far a consumer is behind, and how large its stream is, is polled") {
    std::atomic<bool> go = false;
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = "ORDERS", .durable = "worker", .consumer = {.deliver = js::Deliver::all}, .prefetch = 2})
        .handle([&](std::string_view) { go.wait(false); });
    publish(10);
    broker.start();
    CHECK(reaches("freshet_stream_messages{stream=\"ORDERS\"}", "10"));
    CHECK(reaches("freshet_consumer_num_pending" + consumer_labels, "8"));
    CHECK(reaches("freshet_consumer_num_ack_pending" + consumer_labels, "2"));
    CHECK(value("freshet_consumer_num_redelivered" + consumer_labels) == "0");
    CHECK(value("freshet_stream_bytes{stream=\"ORDERS\"}") != "0");
    CHECK(value("freshet_messages_in_flight" + worker + "}") == "1");
    go = true;
    go.notify_all();
    CHECK(reaches("freshet_consumer_num_pending" + consumer_labels, "0"));
    CHECK(testing::eventually([&] { return value("freshet_consumer_num_waiting" + consumer_labels) != "0"; }));
}

TEST_CASE("with an interval of 0 nothing is polled") {
    Measured measured{0ms};
    measured.broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"})
        .handle([](std::string_view) {});
    measured.broker.start();
    measured.publish(1);
    CHECK(measured.reaches("freshet_messages_received_total" + worker + "}", "1"));
    CHECK(measured.value("freshet_consumer_num_pending" + consumer_labels).empty());
    CHECK(measured.value("freshet_stream_messages{stream=\"ORDERS\"}").empty());
}

TEST_CASE_METHOD(Measured, "a lost connection, and that it is back, can be seen") {
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"}).handle([](std::string_view) {});
    broker.start();
    CHECK(value("freshet_connection_up") == "1");
    server.stop();
    CHECK(reaches("freshet_connection_up", "0"));
    server.restart();
    CHECK(reaches("freshet_connection_up", "1"));
    CHECK(eventually([&] { return value("freshet_consumer_recoveries_total" + worker + "}") != "0"; }));
    CHECK(value("freshet_connection_reconnects_total") != "0");
    broker.stop();
    CHECK(value("freshet_connection_up") == "0");
    CHECK(value("freshet_broker_running") == "0");
}

TEST_CASE_METHOD(Measured, "what is published into streams, and what is done with buckets, is counted") {
    broker.start();
    broker.jetstream().publish("orders.a", "1");
    CHECK_FALSE(broker.jetstream().try_publish("nowhere", "1").has_value());
    auto publisher = broker.jetstream().async_publisher({.max_pending = 100});
    for (int i = 0; i < 10; ++i) publisher.publish("orders.b", "1");
    publisher.flush(5s);
    CHECK(value(R"x(freshet_published_total{subject="(stream)",status="ok"})x") == "11");
    CHECK(value(R"x(freshet_publish_errors_total{subject="(stream)",error="no_responders"})x") == "1");
    CHECK(value("freshet_publish_window_messages") == "0");
    CHECK(value("freshet_publish_window_limit") == "100");

    auto values = broker.kv<std::string>("flags");
    values.put("a", "1");
    CHECK(values.get("a").has_value());
    CHECK_FALSE(values.get("none").has_value());
    CHECK_FALSE(values.try_create("a", "2").has_value());
    auto found = values.get_async("a");
    CHECK(found.get().has_value());
    const auto kv = [&](const char* operation, const char* status) {
        return value(std::string{R"(freshet_kv_operations_total{bucket="flags",operation=")"} + operation +
                     R"(",status=")" + status + "\"}");
    };
    CHECK(kv("put", "ok") == "1");
    CHECK(testing::eventually([&] { return kv("get", "ok") == "3"; }));  // an answer comes before it is counted
    CHECK(kv("create", "error") == "1");
    auto files = broker.object_store("files");
    files.put("a", std::string_view{"bytes"});
    CHECK(files.get("a") == "bytes");
    CHECK_THROWS(files.get("none"));
    CHECK(value(R"(freshet_object_operations_total{bucket="files",operation="get",status="ok"})") == "1");
    CHECK(value(R"(freshet_object_operations_total{bucket="files",operation="get",status="error"})") == "1");
    CHECK(value(R"(freshet_object_operation_duration_seconds_count{bucket="files",operation="put"})") == "1");
}
