// SPDX-License-Identifier: Apache-2.0
#include "broker/reports.hpp"

#include <algorithm>
#include <optional>

#include "delivery/failure_answer.hpp"

namespace freshet::detail {
namespace {

void add_to(HistogramStats& sum, const HistogramStats& one) {
    if (sum.counts.empty()) {
        sum = one;
        return;
    }
    for (std::size_t i = 0; i < std::min(sum.counts.size(), one.counts.size()); ++i) sum.counts[i] += one.counts[i];
    sum.sum += one.sum;
}

void add_to(ErrorKinds& sum, const ErrorKinds& one) {
    for (const auto& [name, count] : one) {
        const auto found = std::ranges::find(sum, name, [](const auto& known) { return known.first; });
        if (found != sum.end()) found->second += count;
        else sum.emplace_back(name, count);
    }
}

void add_to(std::optional<ConsumerStats>& sum, const std::optional<ConsumerStats>& one) {
    if (!one) return;
    if (!sum) {
        sum = one;
        return;
    }
    sum->redeliveries += one->redeliveries;
    sum->dead_letters += one->dead_letters;
    sum->dead_letters_refused += one->dead_letters_refused;
    sum->recoveries += one->recoveries;
    if (one->lag) sum->lag = one->lag;  // the server's own numbers of the one consumer
}

}  // namespace

void add_to(SubscriberStats& sum, const SubscriberStats& one) {
    for (const auto counter :
         {&SubscriberStats::received, &SubscriberStats::failed, &SubscriberStats::rejected, &SubscriberStats::dropped,
          &SubscriberStats::skipped, &SubscriberStats::declined, &SubscriberStats::acked, &SubscriberStats::nacked,
          &SubscriberStats::terminated, &SubscriberStats::refused, &SubscriberStats::dead_lettered,
          &SubscriberStats::said_nack, &SubscriberStats::said_term, &SubscriberStats::undecodable,
          &SubscriberStats::bad_parameters, &SubscriberStats::unmatched})
        sum.*counter += one.*counter;
    sum.pending += one.pending;
    for (const auto& [code, count] : one.errors) count_error(sum.errors, code, count);
    add_to(sum.error_kinds, one.error_kinds);
    add_to(sum.duration, one.duration);
    add_to(sum.size, one.size);
    add_to(sum.batch, one.batch);
    add_to(sum.waiting, one.waiting);
    add_to(sum.consumer, one.consumer);
}

void Reports::add(std::string_view subject, std::string_view group, const SubscriberStats& stats, std::size_t most) {
    std::pair key{std::string{subject}, std::string{group}};
    if (reports_.size() >= most && !reports_.contains(key)) key = {"(other)", {}};
    add_to(reports_[std::move(key)], stats);
}

std::vector<SubscriberReport> Reports::list() const {
    std::vector<SubscriberReport> all;
    for (const auto& [key, stats] : reports_) all.push_back({key.first, key.second, stats});
    return all;
}

SubscriberStats Reports::sum() const {
    SubscriberStats sum;
    for (const auto& [key, stats] : reports_) add_to(sum, stats);
    return sum;
}

}  // namespace freshet::detail
