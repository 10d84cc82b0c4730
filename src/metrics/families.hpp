// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/broker_stats.hpp>
#include <freshet/metrics.hpp>

namespace freshet::detail {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Returns the labels and one more.
inline Labels with(Labels labels, std::string name, std::string value) {
    labels.emplace_back(std::move(name), std::move(value));
    return labels;
}

/// Families in the order of their first series.
class Families {
public:
    /// `common`: labels of every series that is added from now on.
    void use(Labels common) { common_ = std::move(common); }

    void counter(std::string name, std::string_view help, const Labels& labels, std::uint64_t value);
    void gauge(std::string name, std::string_view help, const Labels& labels, double value);
    /// Adds a gauge unless there is one with these labels, for numbers that several subscribers know.
    void gauge_once(std::string name, std::string_view help, const Labels& labels, double value);
    void histogram(std::string name, std::string_view help, const Labels& labels, const HistogramStats& histogram);

    std::vector<MetricFamily> take() { return std::move(families_); }

private:
    MetricFamily& family(std::string name, std::string_view help, MetricFamily::Type type);
    Labels complete(const Labels& labels) const;

    Labels common_ = {};
    std::vector<MetricFamily> families_ = {};
    std::map<std::string, std::size_t, std::less<>> places_ = {};
};

enum class Names : std::uint8_t { own, faststream };
/// Adds what `stats` tells, with names that begin with `prefix`. With `faststream`, what FastStream has a name for is
/// left out.
void add_broker(Families& families, std::string_view prefix, const BrokerStats& stats, Names names);

/// Adds the metrics that FastStream has, with its names and labels.
void add_faststream(Families& families, std::string_view app, std::string_view broker, const BrokerStats& stats);

}  // namespace freshet::detail
