// SPDX-License-Identifier: Apache-2.0
#include "metrics/families.hpp"

#include <algorithm>

namespace freshet::detail {

MetricFamily& Families::family(std::string name, std::string_view help, MetricFamily::Type type) {
    const auto [place, made] = places_.try_emplace(name, families_.size());
    if (made) families_.push_back({.name = std::move(name), .help = std::string{help}, .type = type});
    return families_[place->second];
}

Labels Families::complete(const Labels& labels) const {
    auto all = common_;
    all.insert(all.end(), labels.begin(), labels.end());
    return all;
}

void Families::counter(std::string name, std::string_view help, const Labels& labels, std::uint64_t value) {
    family(std::move(name), help, MetricFamily::Type::counter)
        .samples.push_back({.labels = complete(labels), .value = static_cast<double>(value)});
}

void Families::gauge(std::string name, std::string_view help, const Labels& labels, double value) {
    family(std::move(name), help, MetricFamily::Type::gauge)
        .samples.push_back({.labels = complete(labels), .value = value});
}

void Families::gauge_once(std::string name, std::string_view help, const Labels& labels, double value) {
    auto& samples = family(std::move(name), help, MetricFamily::Type::gauge).samples;
    auto all = complete(labels);
    if (std::ranges::find(samples, all, &MetricSample::labels) != samples.end()) return;
    samples.push_back({.labels = std::move(all), .value = value});
}

void Families::histogram(std::string name, std::string_view help, const Labels& labels,
                         const HistogramStats& histogram) {
    if (histogram.counts.empty()) return;
    family(std::move(name), help, MetricFamily::Type::histogram)
        .samples.push_back({.labels = complete(labels), .histogram = histogram});
}

}  // namespace freshet::detail
