// SPDX-License-Identifier: Apache-2.0
#include "testing/faults.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"

namespace freshet::detail {
namespace {

/// Returns whether a subject belongs to the protocol: losing its messages would only make requests time out slowly.
bool is_protocol(std::string_view subject) { return subject.starts_with('$') || subject.starts_with("_INBOX."); }

std::uint64_t seed_to_use(std::uint64_t given) {
    if (given != 0) return given;
    if (const char* text = std::getenv("FRESHET_SEED"); text != nullptr && *text != '\0')
        return std::strtoull(text, nullptr, 10);
    return std::random_device{}();
}

std::string seconds(std::chrono::nanoseconds time) {
    return fmt::format("{:g} s", std::chrono::duration<double>{time}.count());
}

/// Returns the call that requested a fault.
std::string call_of(const testing::Fate& fate, std::string_view pattern) {
    if (fate.copies == 0) return fmt::format("lose_next({})", quoted(pattern));
    if (fate.copies > 1) return fmt::format("duplicate_next({})", quoted(pattern));
    return fmt::format("delay_next({}, {})", seconds(fate.delay), quoted(pattern));
}

std::string deed_of(const testing::Fate& fate, const testing::Passage& passage) {
    std::string_view did = "delayed";
    if (fate.copies == 0) did = "lost";
    if (fate.copies > 1) did = "doubled";
    return fmt::format("the test {} a message on {}{}", did, quoted(passage.subject),
                       fate.delay.count() > 0 ? " by " + seconds(fate.delay) : "");
}

}  // namespace

std::vector<std::string> Faults::notes() const {
    const std::lock_guard lock{mutex_};
    auto notes = done_;
    for (const auto& told : told_)
        notes.push_back(call_of(told.fate, told.pattern.pattern()) + " has not happened yet");
    return notes;
}

void Faults::clear() {
    const std::lock_guard lock{mutex_};
    done_.clear();
}

void Faults::add(Subject pattern, const testing::Fate& fate) {
    const std::lock_guard lock{mutex_};
    told_.push_back({std::move(pattern), fate});
}

std::uint64_t Faults::randomize(const testing::RandomFaults& faults) {
    const std::lock_guard lock{mutex_};
    random_ = faults;
    seed_ = seed_to_use(faults.seed);
    engine_.seed(*seed_);
    return *seed_;
}

void Faults::stop() {
    TimerId resume;
    {
        const std::lock_guard lock{mutex_};
        random_.reset();
        resume = std::exchange(resume_, {});
    }
    if (server_.clock().cancel(resume)) server_.resume();
}

std::optional<std::uint64_t> Faults::seed() const {
    const std::lock_guard lock{mutex_};
    return seed_;
}

testing::Fate Faults::fate_of(const testing::Passage& passage) {
    std::unique_lock lock{mutex_};
    const auto told = std::ranges::find_if(told_, [&](const Told& one) {
        return one.pattern.matches(passage.subject) &&
               (is_protocol(one.pattern.wire()) || !is_protocol(passage.subject));
    });
    if (told != told_.end()) {
        const auto fate = told->fate;
        told_.erase(told);
        done_.push_back(deed_of(fate, passage));
        return fate;
    }
    if (!random_ || is_protocol(passage.subject)) return {};
    const auto fate = draw();
    const bool lose = chance(random_->disconnect) && resume_.number == 0;
    lock.unlock();
    if (lose) disconnect();
    return fate;
}

testing::Fate Faults::draw() {
    testing::Fate fate;
    if (chance(random_->duplicate)) fate.copies = 2;
    if (chance(random_->delay)) fate.delay = some_time();
    return fate;
}

bool Faults::fails_publication() {
    const std::lock_guard lock{mutex_};
    return random_ && chance(random_->fail_publish);
}

void Faults::disconnect() {
    server_.interrupt();
    const std::lock_guard lock{mutex_};
    resume_ = server_.clock().schedule(server_.clock().now() + some_time(), [this] {
        {
            const std::lock_guard guard{mutex_};
            resume_ = {};
        }
        server_.resume();
    });
}

// Uses no distribution of the standard: libraries implement them differently, and a seed must do the same everywhere.
bool Faults::chance(double probability) {
    constexpr double range = 4'294'967'296.0;
    return static_cast<double>(engine_() >> 32) / range < probability;
}

std::chrono::milliseconds Faults::some_time() {
    const auto longest = static_cast<std::uint64_t>(std::max<std::int64_t>(random_ ? random_->longest.count() : 1, 1));
    return std::chrono::milliseconds{1 + engine_() % longest};
}

}  // namespace freshet::detail
