// SPDX-License-Identifier: Apache-2.0
#include "link/traffic.hpp"

#include <utility>

namespace freshet::detail {
namespace {

// A program that declares a publisher for each customer must not fill the memory.
constexpr std::size_t most_declared = 1'000;
constexpr std::string_view others = "(other)";

/// Appends what was used, since a subject that nobody published on tells nothing.
template <class Stats, class Counts, class Used>
void append_used(std::vector<Stats>& all, const Counts& counts, Used used) {
    auto stats = counts.stats();
    if (used(stats)) all.push_back(std::move(stats));
}

}  // namespace

void Traffic::measure(std::shared_ptr<const Measuring> measuring) {
    const std::lock_guard lock{mutex_};
    measuring_ = std::move(measuring);
    for (auto* const counts : {&dynamic_, &replies_, stream_.get()}) counts->measure(*measuring_);
    dynamic_requests_.measure(*measuring_);
    for (auto& [subject, counts] : publishers_) counts.measure(*measuring_);
    for (auto& [subject, counts] : clients_) counts.measure(*measuring_);
    for (auto& [bucket, counts] : stores_) counts->measure(*measuring_);
}

PublishCounts& Traffic::publisher(std::string_view subject) {
    const std::lock_guard lock{mutex_};
    if (const auto found = publishers_.find(subject); found != publishers_.end()) return found->second;
    if (publishers_.size() >= most_declared) subject = others;
    return publishers_.try_emplace(std::string{subject}, subject, measuring_.get()).first->second;
}

RequestCounts& Traffic::client(std::string_view subject) {
    const std::lock_guard lock{mutex_};
    if (const auto found = clients_.find(subject); found != clients_.end()) return found->second;
    if (clients_.size() >= most_declared) subject = others;
    return clients_.try_emplace(std::string{subject}, subject, measuring_.get()).first->second;
}

std::shared_ptr<StoreCounts> Traffic::store(std::string_view store, std::string_view bucket) {
    const std::lock_guard lock{mutex_};
    std::pair key{std::string{store}, std::string{bucket}};
    if (stores_.size() >= most_declared && !stores_.contains(key)) key.second = others;
    auto& counts = stores_[key];
    if (counts == nullptr) counts = std::make_shared<StoreCounts>(key.first, key.second, measuring_.get());
    return counts;
}

void Traffic::watch(std::weak_ptr<const Unconfirmed> one) {
    const std::lock_guard lock{mutex_};
    std::erase_if(unconfirmed_, [](const auto& known) { return known.expired(); });
    unconfirmed_.push_back(std::move(one));
}

void Traffic::note(ConnectionEvent::Kind event) noexcept {
    if (event == ConnectionEvent::Kind::slow_consumer) slow_consumers_.fetch_add(1, std::memory_order_relaxed);
}

std::vector<PublisherStats> Traffic::publishers() const {
    std::vector<PublisherStats> all;
    const auto used = [](const PublisherStats& stats) { return stats.published + stats.failed > 0; };
    append_used(all, dynamic_, used);
    append_used(all, replies_, used);
    append_used(all, *stream_, used);
    const std::lock_guard lock{mutex_};
    for (const auto& [subject, counts] : publishers_) all.push_back(counts.stats());
    return all;
}

std::vector<RequestStats> Traffic::requests() const {
    std::vector<RequestStats> all;
    append_used(all, dynamic_requests_, [](const RequestStats& stats) {
        return stats.ok + stats.error + stats.timeout + stats.no_responders > 0;
    });
    const std::lock_guard lock{mutex_};
    for (const auto& [subject, counts] : clients_) all.push_back(counts.stats());
    return all;
}

std::vector<StoreStats> Traffic::stores() const {
    std::vector<StoreStats> all;
    const std::lock_guard lock{mutex_};
    for (const auto& [bucket, counts] : stores_) counts->add_to(all);
    return all;
}

template <class Sum>
std::size_t Traffic::sum_of_unconfirmed(Sum sum) const {
    std::vector<std::weak_ptr<const Unconfirmed>> known;
    {
        const std::lock_guard lock{mutex_};
        known = unconfirmed_;
    }
    std::size_t total = 0;
    for (const auto& one : known)
        if (const auto alive = one.lock()) total += sum(*alive);
    return total;
}

std::size_t Traffic::unconfirmed() const {
    return sum_of_unconfirmed([](const Unconfirmed& one) { return one.unconfirmed(); });
}
std::size_t Traffic::most_unconfirmed() const {
    return sum_of_unconfirmed([](const Unconfirmed& one) { return one.most_unconfirmed(); });
}

}  // namespace freshet::detail
