// SPDX-License-Identifier: Apache-2.0
// What Metrics writes, read by Prometheus' own parsers; and the adapter for prometheus-cpp. FRESHET_PROMETHEUS_CLIENT
// names a directory with Python's prometheus-client, if it is not where ./dev puts it.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/metrics.hpp>
#include <freshet/metrics/prometheus.hpp>
#include <freshet/testing.hpp>

#include "../support/process.hpp"
#include "metrics_text.hpp"

#ifdef FRESHET_TEST_PROMETHEUS_CPP
#include <prometheus/text_serializer.h>
#endif

using namespace freshet;
using namespace std::chrono_literals;
using freshet::testing::Process;
using freshet::testing::TestBroker;

namespace {

/// Text with every metric that a broker in memory can have, and labels that want escaping.
std::string everything(Metrics& metrics) {
    static Broker broker;
    metrics.add(broker, "a \"name\" with \\ and \n");
    broker.subscriber<"orders.{region}">({.queue = "billing"}).publish_to<"out.{region}">().handle([](int number) {
        if (number == 1) throw std::runtime_error{"one"};
        return number;
    });
    broker.subscriber<"b">({.batch = {.size = 2, .within = 1s}}).handle([](std::span<const std::string>) {});
    const js::Stream stream{.name = "S", .subjects = {"s.>"}};
    broker
        .subscriber<"s.*">(js::Pull{
            .stream = stream, .durable = "worker", .retry = {.max_attempts = 1, .dead_letter = "dead"}})
        .handle([](int number) {
            if (number == 1) throw std::runtime_error{"one"};
        });
    broker.subscriber<"dead">().handle([](std::string_view) { return Response<>{}; });
    TestBroker test{broker};
    for (int i = 0; i < 3; ++i) {
        test.publish("orders.eu", i);
        broker.jetstream().publish("s.x", i);
        broker.publish("b", "x");
    }
    test.publish("orders.eu", "bad");
    std::ignore = broker.try_request<int>("orders.eu", 1);
    std::ignore = broker.try_request<int>("nobody", 1);
    auto values = broker.kv<std::string>("flags");
    values.put("a", "1");
    std::ignore = values.get("a");
    auto objects = broker.object_store("files");
    objects.put("a", std::string_view{"bytes"});
    auto publisher = broker.jetstream().async_publisher();
    publisher.publish("s.y", 2);
    publisher.flush(1s);
    test.advance(20s);
    return metrics.text();
}

class File {
public:
    explicit File(const std::string& text)
        : path_{std::filesystem::temp_directory_path() / ("freshet-metrics-" + std::to_string(::getpid()) + ".prom")} {
        std::ofstream{path_} << text;
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { std::filesystem::remove(path_); }
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

/// Runs a shell's command with the file as its input.
std::pair<int, std::string> run(const std::string& command, const File& file) {
    const char* const directory = std::getenv("FRESHET_PROMETHEUS_CLIENT");
    Process program{{"/bin/sh", "-c", command + " < " + file.path()},
                    {std::string{"PYTHONPATH="} + (directory == nullptr ? "/opt/prometheus-client" : directory)}};
    const int code = program.wait();
    return {code, program.output()};
}

}  // namespace

TEST_CASE("Prometheus' Python parser and promtool read what Metrics writes") {
    Metrics metrics;
    const auto text = everything(metrics);
    const File file{text};
    INFO(text);
    if (run("python3 -c 'import prometheus_client'", file).first != 0)
        SKIP("prometheus-client is not installed; FRESHET_PROMETHEUS_CLIENT names a directory where it is");
    const auto [code, output] = run("python3 " FRESHET_PARSE_METRICS, file);
    INFO(output);
    REQUIRE(code == 0);
    for (const char* family : {"counter freshet_messages_received 4",
                               "gauge freshet_messages_in_flight 4",
                               "histogram freshet_handler_duration_seconds",
                               "histogram freshet_message_size_bytes",
                               "counter freshet_messages_processed 20",
                               "histogram freshet_batch_size",
                               "histogram freshet_message_queue_seconds",
                               "gauge freshet_queue_depth 4",
                               "counter freshet_redeliveries 1",
                               "counter freshet_dead_letters 2",
                               "counter freshet_consumer_recoveries 1",
                               "gauge freshet_consumer_num_pending 1",
                               "gauge freshet_consumer_num_ack_pending 1",
                               "gauge freshet_consumer_num_redelivered 1",
                               "gauge freshet_consumer_num_waiting 1",
                               "gauge freshet_stream_messages 1",
                               "gauge freshet_stream_bytes 1",
                               "counter freshet_published",
                               "histogram freshet_publish_duration_seconds",
                               "counter freshet_requests 4",
                               "histogram freshet_request_duration_seconds",
                               "gauge freshet_requests_in_flight 1",
                               "counter freshet_kv_operations 4",
                               "counter freshet_object_operations 2",
                               "histogram freshet_kv_operation_duration_seconds",
                               "gauge freshet_publish_window_messages 1",
                               "gauge freshet_publish_window_limit 1",
                               "gauge freshet_connection_up 1",
                               "counter freshet_connection_reconnects 1",
                               "counter freshet_connection_slow_consumer 1",
                               "gauge freshet_build_info 1",
                               "counter freshet_messages_failed",
                               "counter freshet_messages_rejected 12"})
        CHECK(output.find(family) != std::string::npos);
    if (run("promtool --version", file).first != 0) return;  // where it can be had
    const auto [checked, complaints] = run("promtool check metrics", file);
    INFO(complaints);
    CHECK(checked == 0);
}

#ifdef FRESHET_TEST_PROMETHEUS_CPP
TEST_CASE("prometheus-cpp gets the same series") {
    Broker broker;
    Metrics metrics;
    metrics.add(broker);
    broker.subscriber<"x.{id}">().handle([](std::string_view) {});
    TestBroker test{broker};
    for (int i = 0; i < 5; ++i) test.publish("x.1", "body");
    const MetricsCollectable collectable{metrics};
    const auto lines_of = [](const std::string& text) {
        std::set<std::string> lines;
        for (std::size_t begin = 0; begin < text.size();) {
            const auto end = text.find('\n', begin);
            const auto line = text.substr(begin, end - begin);
            if (line.starts_with("freshet_messages") || line.starts_with("freshet_message_size") ||
                line.starts_with("# TYPE") || line.starts_with("# HELP"))
                lines.insert(line);
            begin = end + 1;
        }
        return lines;
    };
    const auto ours = lines_of(metrics.text());
    CHECK(ours.size() > 50);
    CHECK(lines_of(prometheus::TextSerializer{}.Serialize(collectable.Collect())) == ours);
}
#endif
