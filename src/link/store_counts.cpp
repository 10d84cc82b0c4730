// SPDX-License-Identifier: Apache-2.0
#include "link/store_counts.hpp"

namespace freshet::detail {

StoreCounts::StoreCounts(std::string_view store, std::string_view bucket, const Measuring* measuring)
    : store_{store}, bucket_{bucket} {
    if (measuring != nullptr) measure(*measuring);
}

void StoreCounts::measure(const Measuring& measuring) {
    owned_ = std::make_unique<Durations>();
    for (std::size_t i = 0; i < store_operations.size(); ++i) {
        (*owned_)[i] = make_histogram(
            &measuring,
            {.what = ValueSeries::What::store, .subject = bucket_, .group = store_, .operation = store_operations[i]});
    }
    durations_.store(owned_.get(), std::memory_order_release);
}

void StoreCounts::end(const Clock& clock, StoreOperation operation, TimePoint begin, bool ok) noexcept {
    const auto number = static_cast<std::size_t>(operation);
    cells_.add(2 * number + (ok ? 0 : 1));
    if (auto* const durations = durations_.load(std::memory_order_acquire))
        (*durations)[number]->take(clock.now() - begin, 1);
}

void StoreCounts::add_to(std::vector<StoreStats>& all) const {
    const auto* const durations = durations_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < store_operations.size(); ++i) {
        StoreStats stats{.store = store_,
                         .bucket = bucket_,
                         .operation = store_operations[i],
                         .ok = cells_.sum(2 * i),
                         .failed = cells_.sum(2 * i + 1)};
        if (stats.ok + stats.failed == 0) continue;
        if (durations != nullptr) stats.duration = (*durations)[i]->stats();
        all.push_back(std::move(stats));
    }
}

}  // namespace freshet::detail
