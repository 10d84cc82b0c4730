// SPDX-License-Identifier: Apache-2.0
// The adapter for OpenTelemetry's meters, with the SDK and its exporter in memory.
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <opentelemetry/exporters/memory/in_memory_metric_data.h>
#include <opentelemetry/exporters/memory/in_memory_metric_exporter_factory.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_factory.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_options.h>
#include <opentelemetry/sdk/metrics/meter_provider.h>
#include <opentelemetry/sdk/metrics/meter_provider_factory.h>

#include <freshet/freshet.hpp>
#include <freshet/metrics/opentelemetry.hpp>
#include <freshet/testing.hpp>

#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using freshet::testing::TestBroker;
namespace memory = opentelemetry::exporter::memory;
namespace sdk = opentelemetry::sdk::metrics;

namespace {

/// An SDK whose exporter keeps what it gets.
struct Sdk {
    Sdk() {
        sdk::PeriodicExportingMetricReaderOptions options;
        options.export_interval_millis = 60min;
        options.export_timeout_millis = 10s;
        auto reader = sdk::PeriodicExportingMetricReaderFactory::Create(
            memory::InMemoryMetricExporterFactory::Create(
                data, [](auto) { return sdk::AggregationTemporality::kCumulative; }),
            options);
        provider->AddMetricReader(std::move(reader));
    }

    MeteredBrokers::Provider api() const { return MeteredBrokers::Provider{provider}; }

    /// Returns the point of the series whose attributes contain all of `wanted`, and the fewest others: what went well
    /// has no `error.type`.
    sdk::PointType point(const std::string& name, const detail::MeterAttributes& wanted) {
        const auto& series = data->Get("freshet", name);
        const auto fits = [&](const auto& attributes) {
            return std::ranges::all_of(wanted, [&](const auto& one) {
                const auto found = attributes.find(one.first);
                return found != attributes.end() && opentelemetry::nostd::get<std::string>(found->second) == one.second;
            });
        };
        auto best = series.end();
        for (auto one = series.begin(); one != series.end(); ++one)
            if (fits(one->first) && (best == series.end() || one->first.size() < best->first.size())) best = one;
        if (best == series.end()) throw std::runtime_error{"no such series: " + name};
        return best->second;
    }
    double sum(const std::string& name, const detail::MeterAttributes& wanted) {
        return opentelemetry::nostd::get<double>(
            opentelemetry::nostd::get<sdk::SumPointData>(point(name, wanted)).value_);
    }
    double gauge(const std::string& name, const detail::MeterAttributes& wanted) {
        return opentelemetry::nostd::get<double>(
            opentelemetry::nostd::get<sdk::LastValuePointData>(point(name, wanted)).value_);
    }
    sdk::HistogramPointData histogram(const std::string& name, const detail::MeterAttributes& wanted) {
        return opentelemetry::nostd::get<sdk::HistogramPointData>(point(name, wanted));
    }

    std::shared_ptr<memory::SimpleAggregateInMemoryMetricData> data =
        std::make_shared<memory::SimpleAggregateInMemoryMetricData>();
    std::shared_ptr<sdk::MeterProvider> provider = std::make_shared<sdk::MeterProvider>();
};

}  // namespace

TEST_CASE("OpenTelemetry's SDK collects counters, gauges and histograms with the conventions' names") {
    Sdk sdk;
    MeteredBrokers metered{{.labels = {{"env", "test"}}}, sdk.api()};
    Broker broker;
    metered.add(broker);
    broker.subscriber<"orders.{region}">({.queue = "billing"}).handle([](int number) {
        if (number == 1) throw std::runtime_error{"one"};
        return number;
    });
    auto publisher = broker.publisher<std::string, "events.{id}">();
    auto client = broker.client<int(int)>("orders.eu");
    TestBroker test{broker};
    for (int i = 0; i < 100; ++i) test.publish("orders.eu", i);
    for (int i = 0; i < 50; ++i) publisher.publish("x", i);
    CHECK(client(7) == 7);
    CHECK_FALSE(client.try_call(1).has_value());

    const detail::MeterAttributes handled{{"messaging.system", "nats"},
                                          {"messaging.operation.name", "process"},
                                          {"messaging.destination.template", "orders.{region}"},
                                          {"messaging.consumer.group.name", "billing"}};
    // The exporter keeps the first value of a series, and the reader's own thread collects, too, when it begins. What
    // is collected is at most 50 ms old.
    CHECK(testing::eventually([&] {
        sdk.data->Clear();
        sdk.provider->ForceFlush();
        return sdk.sum("messaging.client.consumed.messages", handled) == 102;
    }));
    auto failed = handled;
    failed["freshet.outcome"] = "nack";
    CHECK(sdk.sum("freshet.messages.processed", failed) == 2);
    CHECK(sdk.histogram("messaging.process.duration", handled).count_ == 102);

    const detail::MeterAttributes published{{"messaging.operation.name", "publish"},
                                            {"messaging.destination.template", "events.{id}"}};
    CHECK(sdk.sum("messaging.client.sent.messages", published) == 50);
    CHECK(sdk.histogram("messaging.client.operation.duration", published).count_ == 50);
    const detail::MeterAttributes asked{{"messaging.operation.name", "request"},
                                        {"messaging.destination.template", "orders.eu"}};
    auto refused = asked;
    refused["error.type"] = "error";
    CHECK(sdk.histogram("messaging.client.operation.duration", refused).count_ == 1);
    CHECK(sdk.gauge("freshet.connection.up", {{"freshet.env", "test"}}) == 1);
    CHECK(sdk.gauge("freshet.messages.in_flight", handled) == 0);
    CHECK(sdk.sum("nats.client.reconnects", {{"messaging.system", "nats"}}) == 0);
}

TEST_CASE("without an SDK the adapter does nothing, and costs no more than that") {
    Broker broker;
    MeteredBrokers metered;
    metered.add(broker);
    broker.subscriber<"x">().handle([](std::string_view) {});
    TestBroker test{broker};
    test.publish("x", "body");
    CHECK(metered.metrics().text().find("freshet_messages_received_total") != std::string::npos);
}
