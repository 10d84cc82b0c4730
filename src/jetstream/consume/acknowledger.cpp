// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/acknowledger.hpp"

#include <utility>

#include "base/wait.hpp"
#include "link/link.hpp"

namespace freshet::detail {

Acknowledger::Acknowledger(Link& link, std::string who) : link_{link}, who_{std::move(who)} {}

void Acknowledger::send(Incarnation incarnation, std::string_view subject, std::string_view word,
                        Flush flush) noexcept {
    if (state_.load(std::memory_order_acquire) != incarnation << 1U) {
        const std::lock_guard lock{mutex_};
        if (!is_current(incarnation)) return;
        if (in_doubt()) return kept_.push_back({std::string{subject}, std::string{word}});
    }
    publish(subject, word, flush);
}

void Acknowledger::publish(std::string_view subject, std::string_view word, Flush flush) noexcept {
    const auto sent = link_.transport().publish(
        {.subject = subject, .payload = as_bytes(word), .flush = flush, .lane = freshet::Lane::deliveries});
    if (!sent) {
        link_.report(FailureLog::Kind::not_settled, who_ + ": cannot acknowledge a message, so it is delivered again",
                     sent.error(), LogLevel::warn);
    }
}

Expected<void> Acknowledger::wait_until_certain(Incarnation incarnation, TimePoint deadline) {
    std::unique_lock lock{mutex_};
    const auto certain = [&] { return !is_current(incarnation) || !in_doubt(); };
    if (!wait_until(link_.clock(), lock, changed_, deadline, certain))
        return failure(Errc::timeout, who_ + ": the connection was lost, and the consumer has not been found again");
    if (is_current(incarnation)) return {};
    return failure(
        Errc::consumer_not_found,
        who_ + ": the consumer that delivered this message was deleted, and another one of that name was created");
}

void Acknowledger::doubt() noexcept {
    const std::lock_guard lock{mutex_};
    state_ |= 1U;
}

void Acknowledger::found(Anew anew) noexcept {
    const std::lock_guard lock{mutex_};
    auto kept = std::exchange(kept_, {});
    if (anew == Anew::yes) kept.clear();
    state_ = (current() + (anew == Anew::yes ? 1 : 0)) << 1U;
    // Sends with the lock held, so that later settlements come after these.
    for (const auto& [subject, word] : kept) publish(subject, word, Flush::batched);
    changed_.notify_all();
}

}  // namespace freshet::detail
