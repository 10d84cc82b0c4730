// SPDX-License-Identifier: Apache-2.0
// Prometheus' text format 0.0.4.
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include <freshet/metrics.hpp>

#include "base/utf8.hpp"

namespace freshet {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

constexpr double largest_integer = 9'007'199'254'740'992;  // 2^53

/// Appends text with backslashes and line breaks escaped, and, in the value of a label, quotes too. Prometheus takes
/// only UTF-8, so any other byte becomes a question mark.
void append_escaped(std::string& out, std::string_view text, bool in_label) {
    while (!text.empty()) {
        const auto size = detail::character_size(text);
        if (size == 0) out.push_back('?');
        else if (text.front() == '\\') out.append("\\\\");
        else if (text.front() == '\n') out.append("\\n");
        else if (text.front() == '"' && in_label) out.append("\\\"");
        else out.append(text.substr(0, size));
        text.remove_prefix(size == 0 ? 1 : size);
    }
}

void append_number(std::string& out, double value) {
    auto to = std::back_inserter(out);
    if (std::isinf(value)) fmt::format_to(to, "{}", value > 0 ? "+Inf" : "-Inf");
    else if (std::isnan(value)) fmt::format_to(to, "NaN");
    else if (std::abs(value) < largest_integer && std::trunc(value) == value)
        fmt::format_to(to, "{}", static_cast<std::int64_t>(value));
    else fmt::format_to(to, "{}", value);
}

/// Appends `name{labels} value`; `bound`, if it is not empty, is the label `le`.
void append_sample(std::string& out, std::string_view name, std::string_view suffix, const Labels& labels,
                   std::string_view bound, double value) {
    out.append(name).append(suffix);
    char before = '{';
    const auto append_label = [&](std::string_view label, std::string_view text) {
        out.push_back(before);
        out.append(label).append("=\"");
        append_escaped(out, text, true);
        out.push_back('"');
        before = ',';
    };
    for (const auto& [label, text] : labels) append_label(label, text);
    if (!bound.empty()) append_label("le", bound);
    if (before == ',') out.push_back('}');
    out.push_back(' ');
    append_number(out, value);
    out.push_back('\n');
}

void append_histogram(std::string& out, std::string_view name, const MetricSample& sample) {
    const auto& histogram = sample.histogram;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
        total += histogram.counts[i];
        std::string bound;
        append_number(bound, i < histogram.bounds.size() ? histogram.bounds[i] : HUGE_VAL);
        append_sample(out, name, "_bucket", sample.labels, bound, static_cast<double>(total));
    }
    append_sample(out, name, "_sum", sample.labels, {}, histogram.sum);
    append_sample(out, name, "_count", sample.labels, {}, static_cast<double>(total));
}

std::string_view name_of(MetricFamily::Type type) noexcept {
    switch (type) {
        case MetricFamily::Type::counter: return "counter";
        case MetricFamily::Type::gauge: return "gauge";
        default: return "histogram";
    }
}

}  // namespace

std::string to_text(const std::vector<MetricFamily>& families) {
    std::string out;
    for (const auto& family : families) {
        out.append("# HELP ").append(family.name).append(" ");
        append_escaped(out, family.help, false);
        out.append("\n# TYPE ").append(family.name).append(" ").append(name_of(family.type)).append("\n");
        for (const auto& sample : family.samples) {
            if (family.type == MetricFamily::Type::histogram) append_histogram(out, family.name, sample);
            else append_sample(out, family.name, {}, sample.labels, {}, sample.value);
        }
    }
    return out;
}

std::string Metrics::text() const { return to_text(collect()); }

}  // namespace freshet
