// SPDX-License-Identifier: Apache-2.0
// The state of a broker and the events of its connection; see also broker_start.cpp, broker_stop.cpp and
// broker_registry.cpp.
#include "broker/broker_core.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"

namespace freshet::detail {
namespace {

Health::State to_health(BrokerLife::State state) noexcept {
    using State = BrokerLife::State;
    switch (state) {
        case State::idle:
        case State::forbidden: return Health::State::idle;
        case State::connecting:
        case State::interrupted:
        case State::subscribing: return Health::State::starting;
        case State::running: return Health::State::running;
        case State::leaving:
        case State::stopping: return Health::State::stopping;
        case State::undoing:
        case State::stopped: break;
    }
    return Health::State::stopped;
}

}  // namespace

BrokerCore::BrokerCore(Broker& owner, BrokerOptions options, const MakeTransport& make_transport)
    : owner_{&owner}, link_{std::move(options), make_transport} {}

BrokerCore::~BrokerCore() { end(link_.options().stop_timeout); }

void BrokerCore::prepare(TestSetup setup) {
    const std::lock_guard lock{mutex_};
    if (!life_.is_idle())
        raise({Errc::bad_setup, "TestBroker: the broker was started already; give it one that was not"});
    link_.replace(setup.make_transport, std::move(setup.clock), std::move(setup.logger));
    threads_ = setup.threads;
    observer_ = std::move(setup.observer);
}

void BrokerCore::on_exit(std::function<void(int)> action) {
    const std::lock_guard lock{exit_mutex_};
    on_exit_ = std::move(action);
}

void BrokerCore::exit(int code) noexcept {
    {
        const std::lock_guard lock{exit_mutex_};
        if (on_exit_) return on_exit_(code);
    }
    ask_end(Event::stop, link_.options().stop_timeout);
}

void BrokerCore::on_lost(std::string_view subject, const Error& why) noexcept {
    const Error error{why.code(), fmt::format("the subscriber {} is lost: {}", quoted(subject), why.message())};
    {
        const std::lock_guard lock{mutex_};
        if (life_.is_over() || failure_) return;
        failure_ = error;
    }
    link_.logger().critical("{}; the broker stops (OnLost::fail_fast)", error.message());
    {
        const std::lock_guard lock{exit_mutex_};
        if (on_exit_) return on_exit_(1);
    }
    ask_end(Event::lost, link_.options().stop_timeout);
}

std::optional<Error> BrokerCore::failure() const {
    const std::lock_guard lock{mutex_};
    return failure_;
}

Health BrokerCore::health() const {
    Health health{.critical = link_.options().critical};
    {
        const std::lock_guard lock{mutex_};
        health.state = to_health(life_.state());
    }
    connection_.tell(health);
    if (const auto why = failure()) health.reason = why->message();
    for (const auto& subscriber : subscribers())
        if (const auto why = subscriber->lost()) health.lost.push_back({subscriber->spec().subject, *why});
    for (const auto& service : services())
        for (auto& lost : service->lost()) health.lost.push_back(std::move(lost));
    return health;
}

bool BrokerCore::idle() const noexcept {
    const std::lock_guard lock{mutex_};
    return life_.is_idle();
}

bool BrokerCore::running() const noexcept {
    const std::lock_guard lock{mutex_};
    return life_.state() == BrokerLife::State::running;
}

bool BrokerCore::ended_clean() const {
    const std::lock_guard lock{mutex_};
    return life_.ended_clean();
}

bool BrokerCore::handlers_done() const {
    const std::lock_guard lock{mutex_};
    return life_.is_idle() || (life_.is_stopped() && life_.drained());
}

void BrokerCore::on_event(const ConnectionEvent& event) noexcept {
    link_.log(event);
    connection_.on(event);
    if (event.kind == ConnectionEvent::Kind::closed) end_if_lost();
    link_.tell(event);
}

}  // namespace freshet::detail
