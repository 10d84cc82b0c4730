// SPDX-License-Identifier: Apache-2.0
#include "delivery/stall_watch.hpp"

#include <algorithm>
#include <mutex>
#include <string_view>
#include <unordered_set>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

using namespace std::chrono;

constexpr milliseconds look_interval{500};
constexpr seconds stalled_after{1};
constexpr minutes warning_interval{1};
constexpr std::size_t most_named = 3;

/// The watched subscribers of all brokers, because they share the threads. The mutex keeps those alive at which a watch
/// looks.
struct Sharing {
    std::mutex mutex = {};
    std::unordered_set<SharingSubscriber*> subscribers = {};
};

/// Never destroyed: subscribers may end after main.
Sharing& sharing() {
    static Sharing& all = *new Sharing;
    return all;
}

/// Messages that wait behind a handler.
struct Waiting {
    std::string_view subject;  // empty: the handler's own
    std::size_t messages;
};

std::string list_of(std::vector<Waiting> waiting) {
    std::ranges::sort(waiting, std::greater{}, &Waiting::messages);
    std::string text;
    for (std::size_t i = 0; i < std::min(waiting.size(), most_named); ++i) {
        const auto& [subject, messages] = waiting[i];
        text += fmt::format("{}{} message{} of {}", i == 0 ? "" : ", ", messages, messages == 1 ? "" : "s",
                            subject.empty() ? "its own" : quoted(subject));
    }
    if (waiting.size() > most_named)
        text += fmt::format(" and those of {} more subscriber{}", waiting.size() - most_named,
                            waiting.size() == most_named + 1 ? "" : "s");
    return text;
}

}  // namespace

void SharingSubscriber::watch(StallWatch& watch, const std::string& subject, std::function<std::uint64_t()> received,
                              std::function<std::size_t()> pending) {
    watch_ = &watch;
    subject_ = &subject;
    received_ = std::move(received);
    pending_ = std::move(pending);
    awake_ = &watch.awake_;
    const std::lock_guard lock{sharing().mutex};
    sharing().subscribers.insert(this);
}

SharingSubscriber::~SharingSubscriber() {
    if (watch_ == nullptr) return;
    const std::lock_guard lock{sharing().mutex};
    sharing().subscribers.erase(this);
}

void SharingSubscriber::wake() { watch_->begin(); }

void StallWatch::begin() {
    if (!awake_.exchange(true)) schedule(false);
}

void StallWatch::schedule(bool last) {
    link_.clock().schedule(link_.clock().now() + look_interval, [this, last] { tick(last); });
}

// Falls asleep when nothing was handled between two looks. A delivery that begins at that moment may still see it
// awake, so it looks once more after that.
void StallWatch::tick(bool last) {
    std::vector<Warning> warnings;
    const bool any = look(warnings);
    for (const auto& [subject, text] : warnings) link_.logger().with({.subject = subject}).warn("{}", text);
    if (last) {
        if (any) begin();
        return;
    }
    if (!any) awake_ = false;
    schedule(!any);
}

bool StallWatch::look(std::vector<Warning>& warnings) {
    const auto now = link_.clock().now();
    auto& all = sharing().subscribers;
    bool any = false;
    const std::lock_guard lock{sharing().mutex};
    for (auto* const subscriber : all) {
        if (subscriber->watch_ != this) continue;
        const bool running = subscriber->running_.load(std::memory_order_relaxed);
        const auto received = subscriber->received_();
        const bool begun = subscriber->seen_ != received;
        if (begun) {
            subscriber->seen_ = received;
            subscriber->since_ = now;
        }
        any = any || begun || running;
        if (begun || !running || now - subscriber->since_ < stalled_after || now < subscriber->next_warning_) continue;
        const auto* const thread = subscriber->thread_.load(std::memory_order_relaxed);
        std::vector<Waiting> waiting;
        for (const auto* const other : all) {
            const auto* const its_thread = other->thread_.load(std::memory_order_relaxed);
            if (its_thread != nullptr && its_thread != thread) continue;
            const auto messages = other->pending_();
            if (messages > 0)
                waiting.push_back({other == subscriber ? std::string_view{} : *other->subject_, messages});
        }
        if (waiting.empty()) continue;
        subscriber->next_warning_ = now + warning_interval;
        warnings.push_back(
            {*subscriber->subject_,
             fmt::format("the handler of {} has run for {:.1f} s on a delivery thread that subscribers share: {} wait "
                         "behind it; if it blocks or computes for long, give it a thread of its own with .dedicated = "
                         "true, or several with .workers = N. See docs/choosing-threads.md",
                         quoted(*subscriber->subject_), duration<double>{now - subscriber->since_}.count(),
                         list_of(std::move(waiting)))});
    }
    return any;
}

}  // namespace freshet::detail
