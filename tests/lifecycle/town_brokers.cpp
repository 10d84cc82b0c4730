// SPDX-License-Identifier: Apache-2.0
// Brokers: made, started, stopped, destroyed.
#include <utility>

#include <fmt/format.h>

#include "broker/broker_core.hpp"
#include "town.hpp"

namespace freshet::testing {

std::unique_ptr<Broker> Town::make_broker(std::chrono::milliseconds patience) {
    auto options = place_.options();
    if (patience.count() > 0) options.connect_timeout = options.start_timeout = options.request_timeout = patience;
    options.on_event = [this, alive = cores_.token("a broker")](const ConnectionEvent&) { ++events_; };
    ++notes_.brokers;
    return place_.make_broker(std::move(options));
}

Town::Shared Town::new_citizen() {
    auto citizen = std::make_shared<Citizen>();
    citizen->broker = make_broker();
    const std::lock_guard lock{mutex_};
    citizens_.push_back(citizen);
    return citizen;
}

Town::Shared Town::any_citizen(Random& random) {
    const std::lock_guard lock{mutex_};
    return citizens_.empty() ? nullptr : citizens_[below(random, citizens_.size())];
}

void Town::start(Citizen& citizen) {
    const std::shared_lock living{citizen.living, std::try_to_lock};
    if (!living || citizen.broker == nullptr) return;
    const Watchdog::Call call{dog_, "start"};
    try {
        citizen.broker->start();
    } catch (const Error&) {}  // started, stopped, or no server at this moment
}

bool Town::contend(Citizen& citizen) {
    if (citizen.broker->core().link().stop_token().stop_requested()) return false;
    ++citizen.contenders;
    return true;
}

void Town::stop(Citizen& citizen, std::chrono::milliseconds timeout) {
    const std::shared_lock living{citizen.living, std::try_to_lock};
    if (!living || citizen.broker == nullptr) return;
    const Watchdog::Call call{dog_, "stop"};
    const bool contends = contend(citizen);
    const auto began = place_.now();
    const bool all = citizen.broker->stop(timeout);
    if (depth > 0) return;  // it has begun only
    if (all) citizen.clean = true;
    // Of several stops, the time of the one that took effect counts, and another one may give up before. If only this
    // one can have taken effect, what waits has been given up when it says false.
    if (all || !contends || citizen.contenders != 1) return;
    const std::lock_guard lock{citizen.mutex};
    citizen.verdict = fmt::format("stop({} ms) said false after {} ms", timeout.count(),
                                  std::chrono::duration_cast<std::chrono::milliseconds>(place_.now() - began).count());
    citizen.gave_up = true;
}

void Town::destroy(const Shared& citizen) {
    const std::unique_lock living{citizen->living, std::try_to_lock};
    if (living) destroy(citizen, living);
}

void Town::destroy(const Shared& citizen, const std::unique_lock<std::shared_mutex>&) {
    if (citizen->broker == nullptr) return;
    const Watchdog::Call call{dog_, "the destructor of a broker"};
    contend(*citizen);
    {
        std::vector<std::unique_ptr<MessageStream>> streams;  // destroyed without the lock
        const std::lock_guard lock{citizen->mutex};
        streams.swap(citizen->streams);
    }
    citizen->broker.reset();
    if (depth == 0) citizen->clean = true;  // else it ends in the background
    const std::lock_guard lock{mutex_};
    std::erase(citizens_, citizen);
    gone_.push_back(citizen);
}

}  // namespace freshet::testing
