// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/detail/chrono.hpp>
#include <freshet/stats.hpp>

namespace freshet {

class Broker;

/// What Metrics measures, and how it names that.
struct MetricsOptions {
    /// The beginning of every name. "faststream": the nine metrics that FastStream has carry its names and labels, and
    /// the others begin with "freshet". Default: "freshet".
    std::string metrics_prefix = "freshet";
    /// FastStream's label `app_name`, with its prefix only. Default (empty): "faststream".
    std::string app_name = {};
    /// Labels that every series has, such as {"env", "prod"}. Default: none.
    std::map<std::string, std::string> labels = {};
    /// Upper bounds in seconds of the histograms of durations, ascending. Default: 100 us to 10 s.
    std::vector<double> duration_buckets = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                            0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
    /// Upper bounds in bytes of the histogram of sizes, ascending. Default: 16 B to 16 MiB.
    std::vector<double> size_buckets = {16,     64,      256,     1024,      4096,      16384,
                                        65'536, 262'144, 1048576, 4'194'304, 16'777'216};
    /// How often to ask the server how far consumers are behind and how large their streams are; 0: never. Default:
    /// 15 s.
    std::chrono::milliseconds poll_interval{15'000};
    /// Makes what hears of each value of a series, besides the histogram, or returns null. With it every message is
    /// timed, however many come. Default (empty): nobody hears.
    std::function<std::unique_ptr<ValueRecorder>(const ValueSeries& series)> recorder = {};
};

/// One series of a metric.
struct MetricSample {
    std::vector<std::pair<std::string, std::string>> labels = {};
    double value = 0;               ///< of a counter or a gauge
    HistogramStats histogram = {};  ///< of a histogram
};

/// One metric with its series.
struct MetricFamily {
    enum class Type : std::uint8_t { counter, gauge, histogram };

    std::string name = {};  ///< with prefix, unit and `_total`
    std::string help = {};
    Type type = Type::counter;
    std::vector<MetricSample> samples = {};
};

/// The numbers of brokers, for Prometheus and other collectors: `Metrics metrics; metrics.add(broker);` before
/// broker.start(), then text() whenever a collector asks. Without it, brokers only count: see Broker::stats. Brokers
/// may end before it, and it before them. Thread-safe.
class Metrics {
public:
    /// Throws Error(Errc::bad_setup) for a prefix, a label or buckets that Prometheus would refuse.
    explicit Metrics(MetricsOptions options = {});
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;
    ~Metrics();

    /// Measures `broker` from now on; `name`, if it is not empty, becomes the label `broker` of its series. Throws
    /// Error(Errc::bad_setup) after broker.start(), for a broker that was added before, and for a second broker of one
    /// name.
    void add(Broker& broker, std::string name = {});

    /// Returns the metrics of all brokers that live. Takes no lock that handlers need, and asks no server.
    std::vector<MetricFamily> collect() const;
    /// Returns the metrics in Prometheus' text format, version 0.0.4. It is the body of `/metrics`; content_type is its
    /// type.
    std::string text() const;

    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    const MetricsOptions& options() const noexcept { return options_; }

private:
    class Brokers;

    const MetricsOptions options_;
    std::unique_ptr<Brokers> brokers_;
};

/// Returns families in Prometheus' text format, version 0.0.4.
std::string to_text(const std::vector<MetricFamily>& families);

}  // namespace freshet
