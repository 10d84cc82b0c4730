// SPDX-License-Identifier: Apache-2.0
// The actors of a run, its beginning and its end.
#include "town.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <freshet/jetstream.hpp>

namespace freshet::testing {

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;  // of the run's own calls, which must not fail on a slow machine

}  // namespace

Town::Town(Place& place, const LifecycleOptions& options)
    : place_{place},
      options_{options},
      prefix_{fmt::format("s{}", options.seed)},
      dog_{options.seed},
      acting_{options.actors} {}

LifecycleReport Town::run() {
    prepare_stream();
    {
        std::vector<std::jthread> actors;
        for (int i = 0; i < options_.actors; ++i)
            actors.emplace_back([this, i] { act(options_.seed * 1'000 + static_cast<std::uint64_t>(i)); });
        attend();
    }
    end_all();
    drain_stream();
    return {.broken = notes_.taken(),
            .brokers = notes_.brokers,
            .subscribers = notes_.subscribers,
            .published = notes_.published,
            .handled = notes_.handled_count,
            .requests = notes_.requests,
            .stored = notes_.stored_count()};
}

void Town::attend() {
    std::unique_lock lock{mutex_};
    while (true) {
        changed_.wait(lock, [this] { return acting_ == 0 || restart_wanted_; });
        if (acting_ == 0) return;
        restart_wanted_ = false;
        lock.unlock();
        {
            const Watchdog::Call call{dog_, "a restart of the server"};
            place_.restart();
        }
        lock.lock();
    }
}

void Town::act(std::uint64_t seed) {
    Random random{seed};
    for (int step = 0; step < options_.steps; ++step) {
        auto citizen = any_citizen(random);
        if (citizen != nullptr && !chance(random, 6)) {
            act_on(citizen, random);
            continue;
        }
        citizen = new_citizen();
        for (std::size_t i = below(random, 4); i > 0; --i) declare(citizen, random);
        if (chance(random, 80)) start(*citizen);
    }
    const std::lock_guard lock{mutex_};
    --acting_;
    changed_.notify_all();
}

void Town::act_on(const Shared& citizen, Random& random) {
    switch (below(random, 24)) {
        case 0: return start(*citizen);
        case 1: return stop(*citizen, 0ms);
        case 2: return stop(*citizen, std::chrono::milliseconds{below(random, 50)});
        case 3:
            if (chance(random, 30)) stop(*citizen, stop_timeout);
            return;
        case 4:
            if (chance(random, 50)) destroy(citizen);
            return;
        case 5:
        case 6: return declare(citizen, random);
        case 7: return stop_subscriber(*citizen, random);
        case 8: return open_stream(citizen, random);
        case 9: return read_stream(citizen, random);
        case 10: return disturb(random);
        case 11:
        case 12:
        case 13: return ask(citizen, random);
        case 14:
        case 15:
        case 16:
        case 17: return store(citizen);
        default: return publish(citizen, random);
    }
}

void Town::disturb(Random& random) {
    const std::unique_lock alone{disturbing_, std::try_to_lock};
    if (!alone) return;
    if (place_.ground() == Ground::memory) return place_.interrupt(std::chrono::milliseconds{below(random, 5)});
    if (!chance(random, 20)) return;
    const std::lock_guard lock{mutex_};
    restart_wanted_ = true;
    changed_.notify_all();
}

void Town::prepare_stream() {
    const auto broker = make_broker(patience);
    const Watchdog::Call call{dog_, "the first start"};
    broker->start();
    broker->jetstream({.timeout = patience})
        .declare({.name = "S_" + prefix_, .subjects = std::vector<std::string>{prefix_ + ".js.>"}});
    broker->stop();
}

void Town::end_all() {
    winding_down_ = true;
    Random random{options_.seed};
    while (const auto citizen = any_citizen(random)) {
        if (chance(random, 50)) stop(*citizen, chance(random, 50) ? 0ms : stop_timeout);
        const std::unique_lock living{citizen->living};
        destroy(citizen, living);
    }
    {
        // Those that were destroyed inside a callback end in the background.
        const Watchdog::Call call{dog_, "the end of the last broker"};
        cores_.wait_until_gone();
    }
    std::vector<Shared> gone;
    {
        const std::lock_guard lock{mutex_};
        gone.swap(gone_);
    }
    for (const auto& citizen : gone) check(*citizen);
    gone.clear();
    const Watchdog::Call call{dog_, "the end of the last subscriber or request"};
    handlers_.wait_until_gone();
    answers_.wait_until_gone();
}

void Town::check(Citizen& citizen) {
    const std::lock_guard lock{citizen.mutex};
    for (const auto& trade : citizen.trades) {
        const auto stats = trade->subscriber->stats();
        if (stats.pending != 0)
            notes_.broken(fmt::format("{} has {} messages pending after its broker's end", trade->what, stats.pending));
        if (stats.received - stats.rejected < trade->entered)
            notes_.broken(fmt::format("{} counts {} received, {} rejected, but {} were handled", trade->what,
                                      stats.received, stats.rejected, trade->entered.load()));
    }
    for (const auto& trade : citizen.trades) trade->subscriber.reset();  // its handler refers to the trade
    citizen.trades.clear();
}

void Town::drain_stream() {
    {
        const auto broker = make_broker(patience);
        const Watchdog::Call call{dog_, "the last drain of the stream"};
        broker
            ->subscriber(prefix_ + ".js.>", js::Pull{.stream = "S_" + prefix_,
                                                     .durable = "pull",
                                                     .retry = {.backoff = {}},
                                                     .context = {.timeout = patience}})
            .handle([this](const Message& message) { notes_.handled(message.text()); });
        broker->start();
        place_.wait_for_redeliveries([this](std::chrono::milliseconds wait) {
            return notes_.wait_until_handled(wait);
        });
        for (const auto& id : notes_.unhandled())
            notes_.broken(fmt::format("message {} was acknowledged and is lost", id));
        broker->jetstream({.timeout = patience}).stream("S_" + prefix_).remove();
        broker->stop();
    }
    const Watchdog::Call call{dog_, "the end of the draining broker"};
    cores_.wait_until_gone();
}

}  // namespace freshet::testing
