// SPDX-License-Identifier: Apache-2.0
#pragma once

// For programs that have OpenTelemetry's SDK. Needs only OpenTelemetry's API headers, which the program's own include
// path has (link freshet::metrics and what brings them); empty where they are not there.
#if __has_include(<opentelemetry/metrics/meter_provider.h>)

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <opentelemetry/common/key_value_iterable_view.h>
#include <opentelemetry/context/context.h>
#include <opentelemetry/metrics/async_instruments.h>
#include <opentelemetry/metrics/meter.h>
#include <opentelemetry/metrics/meter_provider.h>
#include <opentelemetry/metrics/observer_result.h>
#include <opentelemetry/metrics/provider.h>
#include <opentelemetry/metrics/sync_instruments.h>

#include <freshet/metrics.hpp>

namespace freshet {

namespace detail {

using MeterAttributes = std::map<std::string, std::string>;

/// A counter or a gauge of Metrics, and its name as an instrument.
struct MeterInstrument {
    std::string_view family;  ///< without the prefix
    const char* name;
    const char* unit;
    const char* operation = nullptr;  ///< messaging.operation.name; null: none
};

/// Names of the semantic conventions for messaging (v1.44.0), then those of nats.net, then freshet's.
inline constexpr std::array meter_instruments{
    MeterInstrument{"messages_received_total", "messaging.client.consumed.messages", "{message}", "process"},
    MeterInstrument{"published_total", "messaging.client.sent.messages", "{message}", "publish"},
    MeterInstrument{"messages_dropped_total", "nats.client.messages.dropped", "{message}"},
    MeterInstrument{"connection_reconnects_total", "nats.client.reconnects", "{reconnect}"},
    MeterInstrument{"connection_sent_bytes_total", "nats.client.sent.bytes", "By"},
    MeterInstrument{"broker_subscribers", "nats.client.active_subscriptions", "{subscription}"},
    MeterInstrument{"connection_up", "freshet.connection.up", "1"},
    MeterInstrument{"connection_slow_consumer_total", "freshet.connection.slow_consumers", "{event}"},
    MeterInstrument{"messages_processed_total", "freshet.messages.processed", "{message}", "process"},
    MeterInstrument{"messages_failed_total", "freshet.messages.failed", "{message}", "process"},
    MeterInstrument{"messages_declined_total", "freshet.messages.declined", "{message}", "process"},
    MeterInstrument{"messages_rejected_total", "freshet.messages.rejected", "{message}", "process"},
    MeterInstrument{"messages_in_flight", "freshet.messages.in_flight", "{message}", "process"},
    MeterInstrument{"queue_depth", "freshet.queue.depth", "{message}"},
    MeterInstrument{"redeliveries_total", "freshet.messages.redelivered", "{message}"},
    MeterInstrument{"dead_letters_total", "freshet.dead_letters", "{message}"},
    MeterInstrument{"consumer_recoveries_total", "freshet.consumer.recoveries", "{recovery}"},
    MeterInstrument{"consumer_num_pending", "freshet.consumer.pending", "{message}"},
    MeterInstrument{"consumer_num_ack_pending", "freshet.consumer.ack_pending", "{message}"},
    MeterInstrument{"consumer_num_redelivered", "freshet.consumer.redelivered", "{message}"},
    MeterInstrument{"consumer_num_waiting", "freshet.consumer.waiting", "{request}"},
    MeterInstrument{"stream_messages", "freshet.stream.messages", "{message}"},
    MeterInstrument{"stream_bytes", "freshet.stream.bytes", "By"},
    MeterInstrument{"requests_total", "freshet.requests", "{request}"},
    MeterInstrument{"requests_in_flight", "freshet.requests.in_flight", "{request}"},
    MeterInstrument{"publish_window_messages", "freshet.publish_window.messages", "{message}"},
    MeterInstrument{"kv_operations_total", "freshet.kv.operations", "{operation}"},
    MeterInstrument{"object_operations_total", "freshet.object.operations", "{operation}"},
};

}  // namespace detail

/// The numbers of brokers as instruments of an OpenTelemetry meter named "freshet": counters and gauges, which the SDK
/// reads when it collects, and the histograms `messaging.process.duration` and `messaging.client.operation.duration`,
/// which get every value, so that every message is timed. Without an SDK it does nothing. Create it after a fork and
/// before broker.start(); it must outlive the brokers that it was given. Thread-safe.
class MeteredBrokers {
public:
    using Provider = opentelemetry::nostd::shared_ptr<opentelemetry::metrics::MeterProvider>;

    /// Makes the instruments with `provider`; the default is the program's own. The buckets of `options` are not used,
    /// since the SDK's views set those. Throws as Metrics does.
    explicit MeteredBrokers(MetricsOptions options = {},
                            const Provider& provider = opentelemetry::metrics::Provider::GetMeterProvider())
        : meter_{provider->GetMeter("freshet", "", "https://opentelemetry.io/schemas/1.44.0")},
          process_{histogram("messaging.process.duration", "Time that handlers took.")},
          operation_{histogram("messaging.client.operation.duration", "Time that publishing and asking took.")},
          metrics_{with_recorder(std::move(options))} {
        for (const auto& instrument : detail::meter_instruments) {
            auto& one = observed_.emplace_back(Observed{this, &instrument, make(instrument)});
            one.instrument->AddCallback(&observe, &one);
        }
    }
    MeteredBrokers(const MeteredBrokers&) = delete;
    MeteredBrokers& operator=(const MeteredBrokers&) = delete;
    ~MeteredBrokers() {
        for (auto& one : observed_) one.instrument->RemoveCallback(&observe, &one);
    }

    /// Measures `broker` from now on, as Metrics::add does.
    void add(Broker& broker, std::string name = {}) { metrics_.add(broker, std::move(name)); }
    /// Returns the same numbers for other collectors.
    const Metrics& metrics() const noexcept { return metrics_; }

private:
    using Histogram = opentelemetry::metrics::Histogram<double>;
    using Instrument = opentelemetry::nostd::shared_ptr<opentelemetry::metrics::ObservableInstrument>;

    struct Observed {
        MeteredBrokers* owner;
        const detail::MeterInstrument* what;
        Instrument instrument;
    };

    class Recorder final : public ValueRecorder {
    public:
        Recorder(std::shared_ptr<Histogram> histogram, detail::MeterAttributes attributes)
            : histogram_{std::move(histogram)}, attributes_{std::move(attributes)} {}
        void record(double value) noexcept override {
            const opentelemetry::common::KeyValueIterableView<detail::MeterAttributes> view{attributes_};
            histogram_->Record(value, view, opentelemetry::context::Context{});
        }

    private:
        std::shared_ptr<Histogram> histogram_;
        detail::MeterAttributes attributes_;
    };

    std::shared_ptr<Histogram> histogram(const char* name, const char* help) const {
        return std::shared_ptr<Histogram>{meter_->CreateDoubleHistogram(name, help, "s").release()};
    }

    Instrument make(const detail::MeterInstrument& what) const {
        if (what.family.ends_with("_total")) return meter_->CreateDoubleObservableCounter(what.name, "", what.unit);
        return meter_->CreateDoubleObservableGauge(what.name, "", what.unit);
    }

    MetricsOptions with_recorder(MetricsOptions options) const {
        options.metrics_prefix = "freshet";  // names are the instruments' own
        options.recorder = [process = process_, operation = operation_](const ValueSeries& series) {
            return recorder_for(series, process, operation);
        };
        return options;
    }

    static std::unique_ptr<ValueRecorder> recorder_for(const ValueSeries& series,
                                                       const std::shared_ptr<Histogram>& process,
                                                       const std::shared_ptr<Histogram>& operation) {
        using What = ValueSeries::What;
        detail::MeterAttributes attributes{{"messaging.system", "nats"},
                                           {"messaging.destination.template", std::string{series.subject}}};
        if (series.what == What::handling) {
            attributes["messaging.operation.name"] = "process";
            if (!series.group.empty()) attributes["messaging.consumer.group.name"] = series.group;
            return std::make_unique<Recorder>(process, std::move(attributes));
        }
        if (series.what != What::publishing && series.what != What::request) return nullptr;
        const bool asks = series.what == What::request;
        attributes["messaging.operation.name"] = asks ? "request" : "publish";
        attributes["messaging.operation.type"] = "send";
        if (asks && series.operation != "ok") attributes["error.type"] = series.operation;
        return std::make_unique<Recorder>(operation, std::move(attributes));
    }

    static void observe(opentelemetry::metrics::ObserverResult result, void* state) noexcept {
        using Doubles = opentelemetry::nostd::shared_ptr<opentelemetry::metrics::ObserverResultT<double>>;
        const auto& one = *static_cast<const Observed*>(state);
        const auto* const observer = opentelemetry::nostd::get_if<Doubles>(&result);
        if (observer == nullptr) return;
        try {
            const auto families = one.owner->latest();
            for (const auto& family : *families) {
                if (family.name.substr(family.name.find('_') + 1) != one.what->family) continue;
                for (const auto& sample : family.samples) {
                    const auto attributes = attributes_of(sample, *one.what);
                    const opentelemetry::common::KeyValueIterableView<detail::MeterAttributes> view{attributes};
                    (*observer)->Observe(sample.value, view);
                }
            }
        } catch (...) { return; }  // no memory: the collector gets less
    }

    static detail::MeterAttributes attributes_of(const MetricSample& sample, const detail::MeterInstrument& what) {
        detail::MeterAttributes attributes{{"messaging.system", "nats"}};
        if (what.operation != nullptr) attributes["messaging.operation.name"] = what.operation;
        for (const auto& [label, value] : sample.labels) {
            if (label == "subject") attributes["messaging.destination.template"] = value;
            else if (label == "error") attributes["error.type"] = value;
            else if (label == "status" && what.family == "published_total") {
                if (value != "ok") attributes["error.type"] = value;
            } else if (label != "queue") attributes["freshet." + label] = value;
            else if (!value.empty()) attributes["messaging.consumer.group.name"] = value;
        }
        return attributes;
    }

    /// Returns the families as they were at most a moment ago, since the SDK asks once for each instrument.
    std::shared_ptr<const std::vector<MetricFamily>> latest() {
        constexpr std::chrono::milliseconds moment{50};
        const auto now = std::chrono::steady_clock::now();
        const std::lock_guard lock{mutex_};
        if (latest_ == nullptr || now - read_ > moment) {
            latest_ = std::make_shared<const std::vector<MetricFamily>>(metrics_.collect());
            read_ = now;
        }
        return latest_;
    }

    opentelemetry::nostd::shared_ptr<opentelemetry::metrics::Meter> meter_;
    std::shared_ptr<Histogram> process_;
    std::shared_ptr<Histogram> operation_;
    Metrics metrics_;
    std::mutex mutex_ = {};
    std::shared_ptr<const std::vector<MetricFamily>> latest_ = {};
    std::chrono::steady_clock::time_point read_ = {};
    std::deque<Observed> observed_ = {};  // a deque, because the SDK holds pointers to its elements
};

}  // namespace freshet

#endif
