// SPDX-License-Identifier: Apache-2.0
#include "delivery/confirmations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
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

// The memory for what follows stream and consumer in most ids, the subject included.
constexpr std::size_t room_for_rest = 128;

template <class Number>
void append_number(std::string& text, Number number) {
    std::array<char, std::numeric_limits<Number>::digits10 + 2> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
    text.append(1, '.').append(digits.begin(), end);
}

}  // namespace

std::string Confirmations::next_id(std::string origin, std::string_view subject) {
    if (origin.empty()) return {};
    auto& id = origin.append(1, '.').append(subject);
    const auto hash = std::hash<std::string_view>{}(id);
    const auto before = (first_published_ == hash ? 1 : 0) + std::ranges::count(published_, hash);
    if (!first_published_) first_published_ = hash;
    else published_.push_back(hash);
    if (before > 0) id.append(1, '#').append(std::to_string(before));
    return origin;
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
    std::string origin;
    origin.reserve(metadata->stream.size() + metadata->consumer.size() + room_for_rest);
    origin.append(metadata->stream).append(1, '.').append(metadata->consumer);
    append_number(origin, metadata->stream_sequence);
    // The time, because numbers are used again when a stream is made anew.
    append_number(origin, nanoseconds_of(metadata->time));
    return origin;
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
