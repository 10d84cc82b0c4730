// SPDX-License-Identifier: Apache-2.0
#include "link/request_counts.hpp"

#include <utility>

namespace freshet::detail {
namespace {

enum Ending : std::size_t { ok, failed, timed_out, nobody };

constexpr std::array ending_names{"ok", "error", "timeout", "no_responders"};

Ending ending_of(const Error* error) noexcept {
    if (error == nullptr) return ok;
    if (*error == Condition::timeout) return timed_out;
    return *error == Condition::no_responders ? nobody : failed;
}

}  // namespace

RequestCounts::RequestCounts(std::string_view subject, const Measuring* measuring) : subject_{subject} {
    if (measuring != nullptr) measure(*measuring);
}

void RequestCounts::measure(const Measuring& measuring) {
    owned_ = std::make_unique<Durations>();
    for (std::size_t ending = 0; ending < endings; ++ending) {
        (*owned_)[ending] = make_histogram(
            &measuring, {.what = ValueSeries::What::request, .subject = subject_, .operation = ending_names[ending]});
    }
    durations_.store(owned_.get(), std::memory_order_release);
}

RequestStats RequestCounts::stats() const {
    RequestStats stats{.subject = subject_,
                       .ok = cells_.sum(ok),
                       .error = cells_.sum(failed),
                       .timeout = cells_.sum(timed_out),
                       .no_responders = cells_.sum(nobody)};
    if (const auto* const durations = durations_.load(std::memory_order_acquire)) {
        stats.ok_duration = (*durations)[ok]->stats();
        stats.error_duration = (*durations)[failed]->stats();
        stats.timeout_duration = (*durations)[timed_out]->stats();
        stats.no_responders_duration = (*durations)[nobody]->stats();
    }
    return stats;
}

RequestTimer::RequestTimer(RequestCounts& counts, const Clock& clock) noexcept : counts_{&counts}, clock_{&clock} {
    const auto* const durations = counts.durations_.load(std::memory_order_acquire);
    auto* const row = counts.cells_.row();
    if (durations == nullptr || !durations->front()->wants(row)) return;
    begin_ = clock.now();
    weight_ = durations->front()->weight(row, begin_);
}

void RequestTimer::end(const Error* error) noexcept {
    auto* const counts = std::exchange(counts_, nullptr);
    if (counts == nullptr) return;
    const auto ending = ending_of(error);
    counts->cells_.add(ending);
    if (weight_ == 0) return;
    (*counts->durations_.load(std::memory_order_acquire))[ending]->take(clock_->now() - begin_, weight_);
}

}  // namespace freshet::detail
