// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <freshet/freshet.hpp>

#include "citizen.hpp"
#include "lifecycle.hpp"
#include "notes.hpp"
#include "place.hpp"
#include "watchdog.hpp"

namespace freshet::testing {

/// One run: citizens, each with a broker, and the actors that do to them what users may do.
class Town {
public:
    Town(Place& place, const LifecycleOptions& options);

    LifecycleReport run();

private:
    using Random = std::mt19937_64;
    using Shared = std::shared_ptr<Citizen>;

    static std::size_t below(Random& random, std::size_t limit) { return static_cast<std::size_t>(random() % limit); }
    static bool chance(Random& random, unsigned percent) { return random() % 100 < percent; }

    // town.cpp: the actors, the beginning and the end
    void act(std::uint64_t seed);
    void act_on(const Shared& citizen, Random& random);
    /// Blocks until the actors have ended; starts the server anew when they want it.
    void attend();
    void disturb(Random& random);
    void prepare_stream();
    /// Ends every broker, and waits until nothing of them is left.
    void end_all();
    void check(Citizen& citizen);
    /// Has a broker that nobody disturbs handle what the stream still has: nothing that was acknowledged may be lost.
    void drain_stream();

    // town_brokers.cpp
    /// Makes a broker; with a patience, one whose calls wait that long for the server.
    std::unique_ptr<Broker> make_broker(std::chrono::milliseconds patience = {});
    Shared new_citizen();
    Shared any_citizen(Random& random);
    void start(Citizen& citizen);
    void stop(Citizen& citizen, std::chrono::milliseconds timeout);
    void destroy(const Shared& citizen);
    void destroy(const Shared& citizen, const std::unique_lock<std::shared_mutex>& living);
    /// Notes that a call that stops the broker begins. Returns whether it may be the one that takes effect.
    static bool contend(Citizen& citizen);

    // town_subscribers.cpp
    std::string subject(Random& random);
    void declare(const Shared& citizen, Random& random);
    Subscriber declare_core(Broker& broker, const Shared& citizen, const std::shared_ptr<Trade>& trade, Random& random);
    Subscriber declare_stored(Broker& broker, const Shared& citizen, const std::shared_ptr<Trade>& trade,
                              Random& random);
    void stop_subscriber(Citizen& citizen, Random& random);
    void open_stream(const Shared& citizen, Random& random);
    void read_stream(const Shared& citizen, Random& random);

    // town_handlers.cpp
    /// Checks that a handler may run now, and counts its messages.
    void enter(const std::weak_ptr<Citizen>& weak, Trade& trade, std::size_t messages);
    std::optional<std::string> handle(const std::weak_ptr<Citizen>& weak, Trade& trade, const Message& message,
                                      std::uint64_t seed);
    void misbehave(const Shared& citizen, Random& random);

    // town_sending.cpp
    void publish(const Shared& citizen, Random& random);
    void store(const Shared& citizen);
    void ask(const Shared& citizen, Random& random);
    void ask_async(const Shared& citizen, Random& random);

    Place& place_;
    const LifecycleOptions options_;
    const std::string prefix_;
    Notes notes_ = {};
    Living cores_ = {};     // of brokers
    Living handlers_ = {};  // with their subscribers
    Living answers_ = {};   // functions that wait for an answer
    Watchdog dog_;

    std::mutex mutex_ = {};  // for the members below
    std::condition_variable changed_ = {};
    std::vector<Shared> citizens_ = {};
    std::vector<Shared> gone_ = {};
    int acting_;
    bool restart_wanted_ = false;

    std::mutex disturbing_ = {};
    std::atomic<std::uint64_t> last_id_ = 0;
    std::atomic<std::uint64_t> messages_ = 0;
    std::atomic<std::uint64_t> events_ = 0;
    std::atomic<bool> winding_down_ = false;
};

/// Handlers and callbacks that this thread is inside of.
inline thread_local int depth = 0;

/// Marks, while it lives, that this thread is inside a handler or a callback.
class Inside {
public:
    Inside() noexcept { ++depth; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { --depth; }
};

}  // namespace freshet::testing
