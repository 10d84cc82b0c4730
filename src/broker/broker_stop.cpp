// SPDX-License-Identifier: Apache-2.0
// The second half of a broker's life: stop() and the end.
#include <algorithm>
#include <system_error>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <freshet/health.hpp>

#include "base/callback_scope.hpp"
#include "base/wait.hpp"
#include "broker/broker_core.hpp"

namespace freshet::detail {
namespace {

// The time that closing may take after the deadline of a stop.
constexpr std::chrono::milliseconds closing_time{1'000};

std::chrono::milliseconds left_until(TimePoint deadline, TimePoint now) {
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now),
                    std::chrono::milliseconds{0});
}

}  // namespace

bool BrokerCore::stop(std::chrono::milliseconds timeout) {
    const auto deadline = link_.clock().now() + std::min(timeout, longest_timeout) + closing_time;
    ask_end(Event::stop, timeout);
    if (CallbackScope::inside()) return true;
    wind_down_here();
    {
        std::unique_lock lock{mutex_};
        if (wait_until(link_.clock(), lock, changed_, deadline, [this] { return life_.is_stopped(); }))
            return life_.drained();
        if (link_.clock().now() < stop_deadline_) return false;  // an earlier stop has more time
    }
    // Whatever holds up the thread that winds down, or start(): nothing is handled or published any more after this.
    // The sources end, too: a server would deliver what it is given back at once again, to them.
    discard_all();
    give_up();
    return false;
}

void BrokerCore::discard_all() {
    for (const auto& subscriber : subscribers()) {
        subscriber->begin_stop(std::chrono::milliseconds{0});
        subscriber->discard();
    }
}

void BrokerCore::forbid_start() noexcept { ask_end(Event::forbid, std::chrono::milliseconds{0}); }

void BrokerCore::end(std::chrono::milliseconds timeout) {
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(ended_, true)) return;
    }
    ask_end(Event::stop, timeout);
    wind_down_here();
    {
        std::unique_lock lock{mutex_};
        wait(link_.clock(), lock, changed_, [this] { return life_.is_stopped(); });
    }
    if (stopper_.joinable()) stopper_.join();
    for (const auto& subscriber : subscribers()) subscriber->join();
    link_.background().wait();
    link_.stop_timers();
    std::vector<std::shared_ptr<void>> kept;
    const std::lock_guard lock{mutex_};
    kept.swap(kept_);
}

void BrokerCore::keep(std::shared_ptr<void> object) {
    const std::lock_guard lock{mutex_};
    kept_.push_back(std::move(object));
}

bool BrokerCore::ask_end(Event event, std::chrono::milliseconds timeout) {
    timeout = std::min(timeout, longest_timeout);
    Action action{};
    {
        const std::lock_guard lock{mutex_};
        action = life_.on(event);
        if (action == Action::none) return false;
        stop_timeout_ = timeout;
        stop_deadline_ = link_.clock().now() + timeout;
        if (action == Action::abandon) link_.close();
        if (action == Action::wind_down) no_stopper_ = !end_in_thread(&BrokerCore::wind_down);
        changed_.notify_all();
    }
    if (action == Action::abandon) abandon_all();
    link_.request_stop();
    if (action == Action::interrupt) link_.transport().close(std::chrono::milliseconds{0});
    return true;
}

bool BrokerCore::end_in_thread(void (BrokerCore::*work)()) {
    link_.clock().add_work(1);
    try {
        stopper_ = std::thread{[this, work] {
            {
                const WorkScope scope;
                (this->*work)();
            }
            link_.clock().add_work(-1);
        }};
        return true;
    } catch (const std::system_error&) {
        link_.clock().add_work(-1);
        return false;
    }
}

void BrokerCore::wind_down_here() {
    {
        const std::lock_guard lock{mutex_};
        if (!no_stopper_) return;
        if (CallbackScope::inside()) return;
        no_stopper_ = false;
    }
    wind_down();
}

void BrokerCore::wind_down() {
    link_.request_stop();
    const auto now = [this] { return link_.clock().now(); };
    std::ignore = stats();  // has the subscriptions' counts remembered while these still know them
    const auto all = subscribers();
    for (const auto& subscriber : all) {
        subscriber->quiesce();
        subscriber->abandon();  // ends it if start() has not reached it
    }
    bool drained = link_.transport().drain_deliveries(left_until(stop_deadline_, now()));
    for (const auto& subscriber : all) drained = subscriber->finish_stop(stop_deadline_) && drained;
    for (const auto& service : services()) service->stop();
    link_.close_requests({Errc::closed, "the broker was stopped"});
    if (!drained) give_up();  // before close(), which waits for handlers that still run
    link_.transport().close(left_until(stop_deadline_, now()));
    finish(Event::closed);
}

void BrokerCore::give_up() {
    bool first = false;
    std::chrono::milliseconds timeout{};
    {
        const std::lock_guard lock{mutex_};
        first = life_.first_to_give_up();
        timeout = stop_timeout_;
    }
    if (first)
        link_.logger().error("stopped with messages unhandled: their handlers did not finish within {} ms; if they "
                             "need longer, raise BrokerOptions::stop_timeout",
                             timeout.count());
    finish(Event::overdue);
}

void BrokerCore::finish(Event event) {
    const std::lock_guard lock{mutex_};
    link_.close();
    life_.on(event);
    changed_.notify_all();
}

void BrokerCore::abandon_all() noexcept {
    for (const auto& subscriber : subscribers()) subscriber->abandon();
}

void BrokerCore::end_if_lost() noexcept {
    Health last;
    connection_.tell(last);
    {
        const std::lock_guard lock{mutex_};
        if (!life_.is_live() || failure_) return;
        failure_ =
            Error{Errc::disconnected,
                  fmt::format("the connection is closed for good, since ReconnectOptions allow no more attempts: {}",
                              last.reason)};
    }
    link_.logger().critical("{}; the broker stops", failure()->message());
    ask_end(Event::lost, link_.options().stop_timeout);
}

void end_in_background(std::shared_ptr<BrokerCore> core) noexcept {
    core->link().forget_listener();
    core->link().background().keep_calls();
    core->stop(std::chrono::milliseconds{0});  // now: a start() that goes on behind the callback must not succeed
    auto* const kept = new std::shared_ptr<BrokerCore>{std::move(core)};
    try {
        std::thread{[kept] {
            (*kept)->end(std::chrono::milliseconds{0});
            delete kept;
        }}.detach();
    } catch (const std::system_error&) {
        // There is no thread to wait in: nothing is handled any more, and the broker's objects are never destroyed.
        (*kept)->discard_all();
    }
}

}  // namespace freshet::detail
