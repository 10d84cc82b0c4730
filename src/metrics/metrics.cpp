// SPDX-License-Identifier: Apache-2.0
#include <freshet/metrics.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

#include <freshet/broker.hpp>
#include <freshet/version.hpp>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "broker/broker_core.hpp"
#include "metrics/families.hpp"

namespace freshet {
namespace {

constexpr std::string_view faststream = "faststream";

// Labels that series have already.
constexpr std::array reserved{"subject", "queue",    "outcome", "reason",      "error",         "status",
                              "stream",  "consumer", "bucket",  "broker",      "operation",     "le",
                              "version", "app_name", "handler", "destination", "exception_type"};

/// Returns whether the text is letters, digits and underscores (in names also colons) and begins with no digit.
bool is_name(std::string_view text, bool colons) noexcept {
    const auto first = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
    };
    return !text.empty() && first(text.front()) &&
           std::ranges::all_of(text, [&](char c) { return first(c) || (c >= '0' && c <= '9'); });
}

void check_buckets(std::string_view what, const std::vector<double>& bounds) {
    const bool fit = !bounds.empty() && bounds.front() > 0 &&
                     std::ranges::all_of(bounds, [](double bound) { return std::isfinite(bound); }) &&
                     std::ranges::adjacent_find(bounds, std::greater_equal{}) == bounds.end();
    if (!fit)
        raise({Errc::bad_setup,
               fmt::format("MetricsOptions::{}: the bounds are not ascending numbers above 0; give at least one, "
                           "without infinity",
                           what)});
}

MetricsOptions checked(MetricsOptions options) {
    if (!is_name(options.metrics_prefix, true))
        raise({Errc::bad_setup, "MetricsOptions::metrics_prefix " + detail::quoted(options.metrics_prefix) +
                                    ": no name of a metric begins so; use letters, digits and underscores"});
    for (const auto& [label, value] : options.labels) {
        const bool taken = std::ranges::find(reserved, label) != reserved.end();
        if (is_name(label, false) && !label.starts_with("__") && !taken) continue;
        raise({Errc::bad_setup, "MetricsOptions::labels " + detail::quoted(label) +
                                    (taken ? ": freshet's metrics have this label already; choose another name"
                                           : ": this is no name of a label; use letters, digits and underscores")});
    }
    check_buckets("duration_buckets", options.duration_buckets);
    check_buckets("size_buckets", options.size_buckets);
    if (options.poll_interval.count() < 0)
        raise({Errc::bad_setup, fmt::format("MetricsOptions::poll_interval is {} ms; a time cannot be negative",
                                            options.poll_interval.count())});
    return options;
}

}  // namespace

class Metrics::Brokers {
public:
    struct Entry {
        std::string name;
        std::weak_ptr<detail::BrokerCore> core;
    };

    void add(std::string name, std::weak_ptr<detail::BrokerCore> core) {
        const std::lock_guard lock{mutex_};
        std::erase_if(all_, [](const Entry& entry) { return entry.core.expired(); });
        if (std::ranges::find(all_, name, &Entry::name) != all_.end())
            raise({Errc::bad_setup, "Metrics::add: there is a broker named " + detail::quoted(name) +
                                        " already; give each broker a name of its own"});
        all_.push_back({std::move(name), std::move(core)});
    }
    void remove(const std::string& name) noexcept {
        const std::lock_guard lock{mutex_};
        std::erase_if(all_, [&](const Entry& entry) { return entry.name == name; });
    }
    std::vector<Entry> all() const {
        const std::lock_guard lock{mutex_};
        return all_;
    }

private:
    mutable std::mutex mutex_ = {};
    std::vector<Entry> all_ = {};
};

Metrics::Metrics(MetricsOptions options)
    : options_{checked(std::move(options))}, brokers_{std::make_unique<Brokers>()} {}
Metrics::~Metrics() = default;

void Metrics::add(Broker& broker, std::string name) {
    brokers_->add(name, broker.core().weak_from_this());
    try {
        broker.core().measure({.duration_bounds = options_.duration_buckets,
                               .size_bounds = options_.size_buckets,
                               .batch_bounds = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000},
                               .poll_interval = options_.poll_interval,
                               .recorder = options_.recorder});
    } catch (...) {
        brokers_->remove(name);
        throw;
    }
}

std::vector<MetricFamily> Metrics::collect() const {
    const bool theirs = options_.metrics_prefix == faststream;
    const std::string prefix = theirs ? "freshet" : options_.metrics_prefix;
    const detail::Labels labels{options_.labels.begin(), options_.labels.end()};
    detail::Families families;
    families.use(labels);
    families.gauge(
        prefix + "_build_info", "The version of freshet.",
        {{"version", fmt::format("{}.{}.{}", FRESHET_VERSION_MAJOR, FRESHET_VERSION_MINOR, FRESHET_VERSION_PATCH)}}, 1);
    for (const auto& [name, weak] : brokers_->all()) {
        const auto core = weak.lock();
        if (core == nullptr) continue;
        const auto stats = core->stats();
        if (theirs)
            detail::add_faststream(families, options_.app_name.empty() ? faststream : options_.app_name,
                                   name.empty() ? "nats" : name, stats);
        auto own = labels;
        if (!name.empty()) own.emplace_back("broker", name);
        families.use(std::move(own));
        detail::add_broker(families, prefix, stats, theirs ? detail::Names::faststream : detail::Names::own);
        families.use(labels);
    }
    return families.take();
}

}  // namespace freshet
