// SPDX-License-Identifier: Apache-2.0
#pragma once

// For programs that have a registry of prometheus-cpp already. Needs prometheus-cpp's core (link prometheus-cpp::core
// as well as freshet::metrics); empty where its headers are not there.
#if __has_include(<prometheus/collectable.h>)

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <freshet/metrics.hpp>

namespace freshet {

/// The numbers of Metrics for prometheus-cpp:
/// `exposer.RegisterCollectable(std::make_shared<MetricsCollectable>(metrics))`.
/// `metrics` must outlive it. Thread-safe.
class MetricsCollectable final : public prometheus::Collectable {
public:
    explicit MetricsCollectable(const Metrics& metrics) noexcept : metrics_{metrics} {}

    std::vector<prometheus::MetricFamily> Collect() const override {
        std::vector<prometheus::MetricFamily> families;
        for (const auto& family : metrics_.collect()) {
            prometheus::MetricFamily theirs{family.name, family.help, type_of(family.type), {}};
            for (const auto& sample : family.samples) theirs.metric.push_back(metric_of(family.type, sample));
            families.push_back(std::move(theirs));
        }
        return families;
    }

private:
    static prometheus::MetricType type_of(MetricFamily::Type type) noexcept {
        switch (type) {
            case MetricFamily::Type::counter: return prometheus::MetricType::Counter;
            case MetricFamily::Type::gauge: return prometheus::MetricType::Gauge;
            default: return prometheus::MetricType::Histogram;
        }
    }

    static prometheus::ClientMetric metric_of(MetricFamily::Type type, const MetricSample& sample) {
        prometheus::ClientMetric metric;
        for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
        if (type == MetricFamily::Type::counter) metric.counter.value = sample.value;
        else if (type == MetricFamily::Type::gauge) metric.gauge.value = sample.value;
        else fill(metric.histogram, sample.histogram);
        return metric;
    }

    static void fill(prometheus::ClientMetric::Histogram& theirs, const HistogramStats& ours) {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < ours.counts.size(); ++i) {
            total += ours.counts[i];
            const auto bound = i < ours.bounds.size() ? ours.bounds[i] : std::numeric_limits<double>::infinity();
            theirs.bucket.push_back({total, bound});
        }
        theirs.sample_count = total;
        theirs.sample_sum = ours.sum;
    }

    const Metrics& metrics_;
};

}  // namespace freshet

#endif
