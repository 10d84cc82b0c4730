// SPDX-License-Identifier: Apache-2.0
// The code of docs/metrics.md.
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/metrics.hpp>
#include <freshet/metrics/opentelemetry.hpp>
#include <freshet/metrics/prometheus.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"
#include "support.hpp"

using freshet::testing::eventually;
using freshet::testing::NatsServer;

TEST_CASE("the text for Prometheus") {
    const NatsServer server;
    freshet::Broker broker{{.servers = {server.url()}}};
    broker.subscriber<"orders.{region}.created">({.queue = "billing"}).handle([](std::string_view) {});

    // [text]
    freshet::Metrics metrics;
    metrics.add(broker);  // before broker.start()
    broker.start();

    const std::string page = metrics.text();  // the body of /metrics, of type Metrics::content_type
    // [text]
    broker.publish("orders.eu.created", "x");
    const std::string received =
        // [series]
        R"(freshet_messages_received_total{subject="orders.{region}.created",queue="billing"} 1)"
        // [series]
        ;
    CHECK(eventually([&] { return metrics.text().find(received + "\n") != std::string::npos; }));
    CHECK(page.find("freshet_connection_up 1\n") != std::string::npos);
}

TEST_CASE("options of Metrics") {
    // [options]
    freshet::Metrics metrics{{.labels = {{"env", "prod"}},
                              .duration_buckets = {0.001, 0.01, 0.1, 1, 10},
                              .poll_interval = std::chrono::seconds{30}}};
    freshet::Broker orders;
    freshet::Broker audit;
    metrics.add(orders, "orders");  // each series of this broker has the label broker="orders"
    metrics.add(audit, "audit");
    // [options]
    CHECK(metrics.text().find(R"(freshet_connection_up{env="prod",broker="audit"} 0)") != std::string::npos);
}

TEST_CASE("FastStream's names") {
    freshet::Broker broker;
    // [faststream]
    freshet::Metrics metrics{{.metrics_prefix = "faststream", .app_name = "billing"}};
    // [faststream]
    metrics.add(broker);
    broker.subscriber<"orders">().handle([] {});
    CHECK(metrics.text().find(
              R"(faststream_received_messages_total{app_name="billing",broker="nats",handler="orders"})") !=
          std::string::npos);
}

TEST_CASE("the numbers for the program itself") {
    const NatsServer server;
    freshet::Broker broker{{.servers = {server.url()}}};
    broker.subscriber<"orders">().handle([](std::string_view) {});
    broker.start();
    broker.publish("orders", "x");
    REQUIRE(eventually([&] { return broker.stats().received == 1; }));
    std::string text;
    // [stats]
    for (const auto& [subject, group, stats] : broker.stats().by_subscriber)
        text += subject + ": " + std::to_string(stats.acked) + " of " + std::to_string(stats.received) + "\n";
    for (const auto& publisher : broker.stats().by_publisher)
        text += publisher.subject + ": " + std::to_string(publisher.published) + " published\n";
    // [stats]
    CHECK(text == "orders: 1 of 1\n(dynamic): 1 published\n");
}

#if __has_include(<prometheus/collectable.h>)
TEST_CASE("a registry of prometheus-cpp") {
    freshet::Broker broker;
    freshet::Metrics metrics;
    metrics.add(broker);
    // [collectable]
    // #include <freshet/metrics/prometheus.hpp>
    const auto collectable = std::make_shared<freshet::MetricsCollectable>(metrics);
    // exposer.RegisterCollectable(collectable);
    // [collectable]
    CHECK_FALSE(collectable->Collect().empty());
}
#endif

#if __has_include(<opentelemetry/metrics/meter_provider.h>)
TEST_CASE("OpenTelemetry's meters") {
    freshet::Broker broker;
    // [opentelemetry]
    // #include <freshet/metrics/opentelemetry.hpp>
    freshet::MeteredBrokers metered;  // of the program's MeterProvider
    metered.add(broker);              // before broker.start()
    // [opentelemetry]
    CHECK_FALSE(metered.metrics().collect().empty());
}
#endif
