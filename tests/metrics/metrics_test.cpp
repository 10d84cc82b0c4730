// SPDX-License-Identifier: Apache-2.0
// What Metrics tells of a broker, in memory and with time that tests move.
#include <atomic>
#include <chrono>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/metrics.hpp>
#include <freshet/testing.hpp>

#include "metrics_text.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::lines_with;
using freshet::testing::TestBroker;
using freshet::testing::value_of;

namespace {

/// A broker with Metrics, and a handler of `orders.{region}`.
struct Measured {
    Measured() { metrics.add(broker); }
    std::string value(const std::string& series) const { return value_of(metrics, series); }

    Broker broker;
    Metrics metrics;
};

const std::string orders = R"({subject="orders.{region}",queue="billing")";

const SubscriberReport& report_of(const BrokerStats& stats, std::string_view subject) {
    for (const auto& report : stats.by_subscriber)
        if (report.subject == subject) return report;
    throw std::runtime_error{"no report of " + std::string{subject}};
}

}  // namespace

TEST_CASE_METHOD(Measured, "messages are counted by what became of them") {
    broker.subscriber<"orders.{region}">({.queue = "billing"}).handle([](int number) -> Outcome {
        if (number == 1) throw std::runtime_error{"one"};
        if (number == 2) return Outcome::nack();
        if (number == 3) return Outcome::term("three");
        if (number == 4) throw Skip{};
        return Outcome::ack;
    });
    TestBroker test{broker};
    for (int i = 0; i < 10; ++i) test.publish("orders.eu", i);
    test.publish("orders.us", "not a number");

    CHECK(value("freshet_messages_received_total" + orders + "}") == "11");
    CHECK(value("freshet_messages_processed_total" + orders + R"(,outcome="ack"})") == "7");
    CHECK(value("freshet_messages_processed_total" + orders + R"(,outcome="nack"})") == "2");
    CHECK(value("freshet_messages_processed_total" + orders + R"(,outcome="term"})") == "1");
    CHECK(value("freshet_messages_processed_total" + orders + R"(,outcome="rejected"})") == "1");
    CHECK(value("freshet_messages_in_flight" + orders + "}") == "0");
    CHECK(value("freshet_messages_failed_total" + orders + R"(,error="exception"})") == "1");
    CHECK(value("freshet_messages_failed_total" + orders + R"(,error="bad_payload"})") == "1");
    CHECK(value("freshet_messages_rejected_total" + orders + R"(,reason="body"})") == "1");
    CHECK(value("freshet_messages_skipped_total" + orders + "}") == "1");
    CHECK(value("freshet_handler_duration_seconds_count" + orders + "}") == "11");
    CHECK(value("freshet_message_size_bytes_bucket" + orders + R"(,le="16"})") == "11");
    CHECK(value("freshet_message_size_bytes_sum" + orders + "}") == "22");
    CHECK(value("freshet_queue_depth" + orders + "}") == "0");

    const auto all = broker.stats();
    const auto& stats = report_of(all, "orders.{region}");
    CHECK(stats.group == "billing");
    CHECK(stats.stats.acked == 7);
    CHECK(stats.stats.said_nack == 1);
    CHECK(stats.stats.said_term == 1);
    CHECK(stats.stats.undecodable == 1);
    CHECK(stats.stats.duration.count() == 11);
}

TEST_CASE_METHOD(Measured, "10,000 subjects on a wildcard leave one series") {
    broker.subscriber<"orders.{region}">({.queue = "billing"}).handle([](std::string_view) {});
    auto events = broker.publisher<std::string, "events.{id}">();
    TestBroker test{broker};
    const auto lines = lines_with(metrics.text(), "");
    for (int i = 0; i < 10'000; ++i) {
        events.publish("x", std::to_string(i));
        broker.publish("orders." + std::to_string(i), "x");
    }
    test.run();
    CHECK(value("freshet_messages_received_total" + orders + "}") == "10000");
    CHECK(value(R"(freshet_published_total{subject="events.{id}",status="ok"})") == "10000");
    CHECK(value(R"x(freshet_published_total{subject="(dynamic)",status="ok"})x") == "10000");
    const auto text = metrics.text();
    CHECK(lines_with(text, "freshet_messages_received_total{") == 1);
    CHECK(lines_with(text, ".9999") == 0);
    CHECK(lines_with(text, "") < lines + 30);  // the series of what has no declared subject came
}

TEST_CASE_METHOD(Measured, "a program that declares a publisher for each customer does not fill the memory") {
    for (int i = 0; i < 2'000; ++i) std::ignore = broker.publisher<std::string>("customers." + std::to_string(i));
    const auto publisher = broker.publisher<std::string>("customers.1999");
    TestBroker test{broker};
    publisher.publish("x");
    CHECK(broker.stats().by_publisher.size() <= 1'010);
    CHECK(value(R"x(freshet_published_total{subject="(other)",status="ok"})x") == "1");
}

TEST_CASE_METHOD(Measured, "handlers' durations are counted by the bounds that were given") {
    Broker slow;
    Metrics own{{.duration_buckets = {0.5, 2}, .size_buckets = {1}}};
    own.add(slow);
    slow.subscriber<"x">().handle([](int ms, Context& context) {
        std::ignore = context.broker().try_request<void>("silent", "", {.timeout = std::chrono::milliseconds{ms}});
    });
    slow.subscriber<"silent">({.no_reply = true}).handle([](std::string_view) {});
    TestBroker test{slow};
    for (const int ms : {100, 400, 600, 3'000}) test.publish("x", ms);
    const std::string series = R"({subject="x",queue="")";
    CHECK(value_of(own, "freshet_handler_duration_seconds_bucket" + series + R"(,le="0.5"})") == "2");
    CHECK(value_of(own, "freshet_handler_duration_seconds_bucket" + series + R"(,le="2"})") == "3");
    CHECK(value_of(own, "freshet_handler_duration_seconds_bucket" + series + R"(,le="+Inf"})") == "4");
    const auto duration = report_of(slow.stats(), "x").stats.duration;
    CHECK(duration.sum > 4.09);
    CHECK(duration.sum < 4.2);
    CHECK(value_of(own, R"x(freshet_request_duration_seconds_bucket{subject="(dynamic)",status="timeout",le="2"})x") ==
          "3");
}

TEST_CASE_METHOD(Measured, "requests are counted by how they ended") {
    broker.subscriber<"ask.{what}">().handle([](Path<"what"> what) -> std::string {
        if (*what == "error") throw RemoteError{409, "no"};
        return "yes";
    });
    broker.subscriber<"silent">({.no_reply = true}).handle([](std::string_view) {});
    TestBroker test{broker};
    auto client = broker.client<std::string(std::string)>("ask.client");
    CHECK(client("x") == "yes");
    std::atomic<bool> answered = false;
    client.async("x", [&](const Expected<std::string>& answer) { answered = answer.has_value(); });
    test.run();
    CHECK(answered);
    CHECK_FALSE(broker.try_request<std::string>("ask.error", "").has_value());
    CHECK_FALSE(broker.try_request<std::string>("nobody", "").has_value());
    CHECK_FALSE(broker.try_request<std::string>("silent", "").has_value());
    for (const auto& answer : broker.request_many<std::string>("ask.many", "", {.timeout = 100ms}))
        CHECK(answer == "yes");

    CHECK(value(R"(freshet_requests_total{subject="ask.client",status="ok"})") == "2");
    CHECK(value(R"x(freshet_requests_total{subject="(dynamic)",status="ok"})x") == "1");
    CHECK(value(R"x(freshet_requests_total{subject="(dynamic)",status="error"})x") == "1");
    CHECK(value(R"x(freshet_requests_total{subject="(dynamic)",status="no_responders"})x") == "1");
    CHECK(value(R"x(freshet_requests_total{subject="(dynamic)",status="timeout"})x") == "1");
    CHECK(value(R"x(freshet_request_duration_seconds_count{subject="(dynamic)",status="timeout"})x") == "1");
    CHECK(value(R"x(freshet_published_total{subject="(reply)",status="ok"})x") == "4");
    CHECK(value("freshet_requests_in_flight") == "0");
}

TEST_CASE_METHOD(Measured, "publications are counted by the declared subject, failures by their kind") {
    broker.subscriber<"in.{id}">().publish_to<"out.{id}">().handle([](std::string_view body) {
        return std::string{body};
    });
    auto typed = broker.publisher<std::string, "typed.{id}">();
    CHECK_THROWS(typed.publish("x", "early"));
    TestBroker test{broker};
    for (int i = 0; i < 3; ++i) test.publish("in.1", "x");
    typed.publish("x", "1");
    CHECK_THROWS(broker.publish("not a subject", "x"));
    CHECK(value(R"(freshet_published_total{subject="out.{id}",status="ok"})") == "3");
    CHECK(value(R"(freshet_published_total{subject="typed.{id}",status="ok"})") == "1");
    CHECK(value(R"(freshet_published_total{subject="typed.{id}",status="error"})") == "1");
    CHECK(value(R"(freshet_publish_errors_total{subject="typed.{id}",error="disconnected"})") == "1");
    CHECK(value(R"x(freshet_publish_errors_total{subject="(dynamic)",error="bad_setup"})x") == "1");
    CHECK(value(R"(freshet_publish_duration_seconds_count{subject="out.{id}"})") == "3");
}

TEST_CASE_METHOD(Measured, "messages that no when() matches, and parameters that do not parse, are told apart") {
    broker.subscriber<"n.{id}">()
        .when([](const Message& message) { return message.header("kind").has_value(); },
              [](Path<"id", int>, Header<"kind">) {})
        .handle();
    TestBroker test{broker};
    test.publish("n.1", "", {.headers = {{"kind", "a"}}});
    test.publish("n.x", "", {.headers = {{"kind", "a"}}});
    test.publish("n.1", "");
    const std::string series = R"(freshet_messages_rejected_total{subject="n.{id}",queue="",reason=)";
    CHECK(value(series + R"("parameter"})") == "1");
    CHECK(value(series + R"("unmatched"})") == "1");
    CHECK(value(series + R"("body"})") == "0");
}

TEST_CASE_METHOD(Measured, "the waits for workers and for batches are measured, and how large batches are") {
    broker.subscriber<"b">({.batch = {.size = 3, .within = 1s}}).handle([](std::span<const std::string>) {});
    TestBroker test{broker};
    for (int i = 0; i < 4; ++i) broker.publish("b", "x");
    test.run();
    test.advance(1s);
    CHECK(value(R"(freshet_batch_size_bucket{subject="b",queue="",le="1"})") == "1");
    CHECK(value(R"(freshet_batch_size_sum{subject="b",queue=""})") == "4");
    CHECK(value(R"(freshet_message_queue_seconds_count{subject="b",queue=""})") == "4");
    CHECK(value(R"(freshet_message_queue_seconds_sum{subject="b",queue=""})") == "1");
    CHECK(value(R"(freshet_messages_processed_total{subject="b",queue="",outcome="ack"})") == "4");
    CHECK(value(R"(freshet_handler_duration_seconds_count{subject="b",queue=""})") == "2");
}

TEST_CASE_METHOD(Measured, "messages in hand and messages that wait for workers are gauges") {
    std::atomic<bool> go = false;
    std::atomic<int> running = 0;
    broker.subscriber<"w">({.workers = 2}).handle([&](std::string_view) {
        ++running;
        go.wait(false);
    });
    TestBroker test{broker, {.threads = true}};
    for (int i = 0; i < 5; ++i) broker.publish("w", "x");
    std::jthread runner{[&] { test.run(); }};  // blocks until the handlers have returned
    while (running < 2 || broker.stats().by_subscriber.front().stats.pending != 3) std::this_thread::yield();
    CHECK(value(R"(freshet_messages_in_flight{subject="w",queue=""})") == "2");
    CHECK(value(R"(freshet_queue_depth{subject="w",queue=""})") == "3");
    go = true;
    go.notify_all();
    runner.join();
    CHECK(value(R"(freshet_messages_in_flight{subject="w",queue=""})") == "0");
    CHECK(value(R"(freshet_message_queue_seconds_count{subject="w",queue=""})") == "5");
}

TEST_CASE("FastStream's names and labels, for its dashboards") {
    Broker broker;
    Metrics metrics{{.metrics_prefix = "faststream", .app_name = "shop", .labels = {{"env", "test"}}}};
    metrics.add(broker);
    for (const char* queue : {"a", "b"}) {
        broker.subscriber<"in.{id}">({.queue = queue}).publish_to<"out">().handle([](int number) {
            if (number == 1) throw std::runtime_error{"one"};
            if (number == 2) throw Skip{};
            if (number == 3) throw Nack{};
            if (number == 4) throw Reject{"four"};
            return number;
        });
    }
    TestBroker test{broker};
    for (int i = 0; i < 6; ++i) test.publish("in.1", i);
    const auto text = metrics.text();
    const std::string in = R"({env="test",app_name="shop",broker="nats",handler="in.{id}")";
    CHECK(value_of(text, "faststream_received_messages_total" + in + "}") == "12");
    CHECK(value_of(text, "faststream_received_messages_in_process" + in + "}") == "0");
    CHECK(value_of(text, "faststream_received_messages_size_bytes_count" + in + "}") == "12");
    for (const auto& [status, count] :
         {std::pair{"acked", "4"}, {"error", "2"}, {"skipped", "2"}, {"nacked", "2"}, {"rejected", "2"}})
        CHECK(value_of(text, "faststream_received_processed_messages_total" + in + ",status=\"" + status + "\"}") ==
              count);
    CHECK(value_of(text, "faststream_received_processed_messages_duration_seconds_count" + in + "}") == "12");
    CHECK(value_of(text, "faststream_received_processed_messages_exceptions_total" + in +
                             R"(,exception_type="exception"})") == "2");
    const std::string out = R"({env="test",app_name="shop",broker="nats",destination="out")";
    CHECK(value_of(text, "faststream_published_messages_total" + out + R"(,status="success"})") == "4");
    CHECK(value_of(text, "faststream_published_messages_duration_seconds_count" + out + "}") == "4");
    CHECK(lines_with(text, "freshet_messages_received_total") == 0);
    CHECK(value_of(text, R"(freshet_connection_up{env="test"})") == "1");
}

TEST_CASE("several brokers are told apart by their names, and may end before the Metrics") {
    Metrics metrics;
    Broker one;
    {
        Broker two;
        metrics.add(one, "one");
        metrics.add(two, "two");
        CHECK(value_of(metrics, R"(freshet_broker_running{broker="two"})") == "0");
        TestBroker test{two};
        CHECK(value_of(metrics, R"(freshet_broker_running{broker="one"})") == "0");
        CHECK(value_of(metrics, R"(freshet_broker_running{broker="two"})") == "1");
        CHECK(value_of(metrics, R"(freshet_connection_up{broker="two"})") == "1");
    }
    CHECK(lines_with(metrics.text(), "broker=\"two\"") == 0);
    CHECK(lines_with(metrics.text(), "broker=\"one\"") > 0);
    CHECK(lines_with(metrics.text(), "freshet_build_info{version=") == 1);
}

TEST_CASE("what Metrics refuses") {
    using Catch::Matchers::MessageMatches;
    const auto refused = [](MetricsOptions options, const char* why) {
        CHECK_THROWS_MATCHES(Metrics{std::move(options)}, Error, MessageMatches(ContainsSubstring(why)));
    };
    refused({.metrics_prefix = ""}, "no name of a metric begins so");
    refused({.metrics_prefix = "my-app"}, "\"my-app\"");
    refused({.labels = {{"a b", "x"}}}, "no name of a label");
    refused({.labels = {{"subject", "x"}}}, "have this label already");
    refused({.duration_buckets = {}}, "duration_buckets");
    refused({.duration_buckets = {1, 1}}, "ascending");
    refused({.size_buckets = {0, 1}}, "size_buckets");
    refused({.poll_interval = -1ms}, "cannot be negative");

    Metrics metrics;
    Metrics other;
    Broker broker;
    metrics.add(broker);
    CHECK_THROWS_MATCHES(metrics.add(broker), Error, MessageMatches(ContainsSubstring("there is a broker named")));
    CHECK_THROWS_MATCHES(other.add(broker), Error, MessageMatches(ContainsSubstring("other Metrics")));
    Broker started;
    const TestBroker test{started};
    CHECK_THROWS_MATCHES(metrics.add(started, "late"), Error, MessageMatches(ContainsSubstring("before start()")));
    CHECK(lines_with(metrics.text(), "late") == 0);
}

TEST_CASE("the text is escaped as Prometheus wants it") {
    const auto text = to_text(
        {{.name = "a_total",
          .help = "line\nand \\ \"quotes\"",
          .samples = {{.labels = {{"x", "\"\\\n\xff\xc3\xa4"}}, .value = 0.1}, {.labels = {}, .value = 1e18}}}});
    CHECK(text == "# HELP a_total line\\nand \\\\ \"quotes\"\n# TYPE a_total counter\n"
                  "a_total{x=\"\\\"\\\\\\n?\xc3\xa4\"} 0.1\na_total 1e+18\n");
}

TEST_CASE("without Metrics a broker counts, and measures nothing") {
    Broker broker;
    broker.subscriber<"x">().handle([](std::string_view) {});
    TestBroker test{broker};
    test.publish("x", "body");
    const auto stats = broker.stats();
    CHECK(report_of(stats, "x").stats.acked == 1);
    CHECK(report_of(stats, "x").stats.duration.counts.empty());
    CHECK(stats.running);
    CHECK(stats.connected);
}

TEST_CASE_METHOD(Measured, "counts of subscribers that have ended are kept, those of a thousand subjects apart") {
    TestBroker test{broker};
    for (int i = 0; i < 1'100; ++i) {
        auto one = broker.subscriber("gone." + std::to_string(i)).handle([](std::string_view) {});
        test.publish("gone." + std::to_string(i), "x");
        one.stop();
    }
    const auto stats = broker.stats();
    CHECK(stats.received == 1'100);
    CHECK(stats.by_subscriber.size() <= 1'003);
    CHECK(report_of(stats, "gone.0").stats.received == 1);
    CHECK(report_of(stats, "(other)").stats.received > 90);
}
