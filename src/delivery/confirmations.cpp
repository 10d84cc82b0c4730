// SPDX-License-Identifier: Apache-2.0
#include "delivery/confirmations.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include <freshet/batch.hpp>
#include <freshet/metadata.hpp>

#include "base/wait.hpp"

namespace freshet::detail {
namespace {

using Kept = std::shared_ptr<Confirmations>;

std::int64_t nanoseconds_of(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

std::string Confirmations::next_id(std::string_view origin, std::string_view subject) {
    if (origin.empty()) return {};
    auto id = fmt::format("{}.{}", origin, subject);
    const auto hash = std::hash<std::string>{}(id);
    const auto before = std::ranges::count(published_, hash);
    published_.push_back(hash);
    if (before > 0) fmt::format_to(std::back_inserter(id), "#{}", before);
    return id;
}

void Confirmations::expect() {
    const std::lock_guard lock{mutex_};
    ++awaited_;
}

void Confirmations::confirm(Expected<void> result) noexcept {
    std::vector<Told> told;
    {
        const std::lock_guard lock{mutex_};
        if (!result && !failure_) failure_ = std::move(result).error();
        if (--awaited_ > 0) return;
        told.swap(told_);
        changed_.notify_all();
    }
    // Nothing changes failure_ any more when the handler has returned, and told_ is filled after that.
    for (auto& one : told) one(failure_ ? &*failure_ : nullptr);
}

void Confirmations::when_known(Told told) {
    {
        const std::lock_guard lock{mutex_};
        if (awaited_ > 0) return told_.push_back(std::move(told));
    }
    told(failure_ ? &*failure_ : nullptr);
}

Expected<void> Confirmations::wait(Clock& clock, TimePoint deadline) {
    std::unique_lock lock{mutex_};
    if (!wait_until(clock, lock, changed_, deadline, [this] { return awaited_ == 0; }))
        return failure(Errc::timeout, fmt::format("{} publications of the handler were not confirmed yet", awaited_));
    if (failure_) return std::unexpected{*failure_};
    return {};
}

std::shared_ptr<Confirmations> confirmations_of(const Context& context) {
    const auto* const kept = context.get<Kept>();
    return kept == nullptr ? nullptr : *kept;
}

std::shared_ptr<Confirmations> make_confirmations(Context& context) {
    if (const auto* const kept = context.get<Kept>()) return *kept;
    return context.set(std::make_shared<Confirmations>());
}

std::string origin_of(const Message& message) {
    const auto metadata = message.metadata();
    if (!metadata) return {};
    // The time, because numbers are used again when a stream is made anew.
    return fmt::format("{}.{}.{}.{}", metadata->stream, metadata->consumer, metadata->stream_sequence,
                       nanoseconds_of(metadata->time));
}

std::string origin_of(const Items& items) {
    constexpr std::uint64_t fnv_basis = 0xcbf29ce484222325U;
    constexpr std::uint64_t fnv_prime = 0x100000001b3U;
    if (items.size() == 0) return {};
    auto hash = fnv_basis;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto metadata = items[i].message().metadata();
        if (!metadata) return {};
        hash = (hash ^ metadata->stream_sequence) * fnv_prime;
    }
    return fmt::format("{}.{}.{:016x}", origin_of(items[0].message()), items.size(), hash);
}

}  // namespace freshet::detail
