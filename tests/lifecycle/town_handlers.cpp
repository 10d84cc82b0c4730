// SPDX-License-Identifier: Apache-2.0
// What handlers do, and when they must not run.
#include <chrono>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "town.hpp"

namespace freshet::testing {

using namespace std::chrono_literals;

void Town::enter(const std::weak_ptr<Citizen>& weak, Trade& trade, std::size_t messages) {
    notes_.handled_count += messages;
    trade.entered += messages;
    const auto citizen = weak.lock();
    if (citizen == nullptr) return;
    if (citizen->clean) return notes_.broken(fmt::format("a handler of {} ran after stop() had said true", trade.what));
    if (trade.stopped) return notes_.broken(fmt::format("a handler of {} ran after Subscriber::stop()", trade.what));
    // A handler that freshet had called when the stop gave up is let finish: one for each thread.
    if (!citizen->gave_up || ++trade.late <= trade.threads + 1) return;
    const std::lock_guard lock{citizen->mutex};
    notes_.broken(fmt::format("handlers of {} ran {} times after the stop had given up: {}", trade.what,
                              trade.late.load(), citizen->verdict));
}

std::optional<std::string> Town::handle(const std::weak_ptr<Citizen>& weak, Trade& trade, const Message& message,
                                        std::uint64_t seed) {
    Random random{seed + ++messages_};
    enter(weak, trade, 1);
    const Inside inside;
    if (const auto citizen = weak.lock(); citizen != nullptr && !winding_down_) misbehave(citizen, random);
    return message.reply_to().empty() ? std::nullopt : std::optional{std::string{"done"}};
}

void Town::misbehave(const Shared& citizen, Random& random) {
    switch (below(random, 40)) {
        case 0: return stop_subscriber(*citizen, random);
        case 1: return stop(*citizen, 1s);
        case 2: return declare(citizen, random);
        case 3: return ask(citizen, random);
        case 4: return publish(citizen, random);
        case 5: throw std::runtime_error{"planted"};
        case 6: throw 42;
        case 7: throw Nack{};
        case 8: throw Reject{"planted"};
        case 9: throw Skip{};
        case 10: throw Ack{};
        case 11: return std::this_thread::sleep_for(1ms);
        case 12: return std::this_thread::sleep_for(10ms);
        case 13:
            if (!chance(random, 20)) return;
            ++citizen->contenders;
            throw ExitApp{3};
        case 14:
            if (const auto other = any_citizen(random)) stop(*other, 0ms);
            return;
        case 15:
            if (const auto other = any_citizen(random); other != nullptr && chance(random, 50)) destroy(other);
            return;
        default: return;
    }
}

}  // namespace freshet::testing
