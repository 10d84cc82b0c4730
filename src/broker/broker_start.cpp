// SPDX-License-Identifier: Apache-2.0
// The first half of a broker's life: start(), and the way back if it fails.
#include <algorithm>
#include <atomic>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/fork.hpp"
#include "base/may_wait.hpp"
#include "base/signals.hpp"
#include "base/wait.hpp"
#include "broker/broker_core.hpp"

namespace freshet::detail {
namespace {

// As long as a clock can count.
constexpr std::chrono::milliseconds for_ever = std::chrono::hours{24 * 365 * 100};

/// Returns the server's refusals of these subscribers and services, each with its reason.
std::vector<std::string> refusals(const std::vector<std::shared_ptr<SubscriberCore>>& subscribers,
                                  const std::vector<std::shared_ptr<HostedService>>& services) {
    std::vector<std::string> problems;
    for (const auto& subscriber : subscribers) {
        if (const auto refusal = subscriber->source().refusal()) problems.emplace_back(refusal->message());
    }
    for (const auto& service : services)
        if (const auto refusal = service->refusal()) problems.emplace_back(refusal->message());
    return problems;
}

Error stopped_early() { return {Errc::closed, "start: the broker was stopped before it ran"}; }

}  // namespace

void BrokerCore::start() {
    if (forked()) raise(forked_error("start"));
    if (!may_wait()) raise(wait_refused("start"));
    Action action{};
    bool over = false;
    bool cut_short = false;
    {
        const std::lock_guard lock{mutex_};
        over = life_.is_over();
        cut_short = life_.was_cut_short();
        action = life_.on(Event::start);
        changed_.notify_all();
    }
    if (action == Action::refuse)
        raise({cut_short ? Errc::closed : Errc::bad_setup,
               over ? "start: the broker was stopped; make a new one to start again"
                    : "start: the broker was started already"});
    if (action == Action::abandon) {
        link_.close();
        abandon_all();
        link_.request_stop();
        raise(stopped_early());
    }
    try {
        bind_all();
        start_all();
    } catch (...) {
        connection_.fail(exception_error());
        {
            const std::lock_guard lock{mutex_};
            life_.on(Event::failed);
            cut_short = life_.was_cut_short();
        }
        undo_start();
        if (cut_short) raise(stopped_early());
        throw;
    }
    wind_down_here();
    if (!running()) return;
    const auto count = stats().subscribers;
    link_.logger().log(count == 0 ? LogLevel::debug : LogLevel::info, "ready: {} subscriber{} on {}", count,
                       count == 1 ? "" : "s", link_.server().url);
}

void BrokerCore::run() {
    run_until_stopped();
    if (const auto why = failure()) raise(*why);
}

void BrokerCore::run_until_stopped() {
    const bool over = was_cut_short();  // before this call, which is an error then
    SignalWatch signals;
    const std::stop_callback wake{link_.stop_token(), [&] { signals.wake(); }};
    std::atomic<bool> signalled = false;
    std::atomic<bool> failed = false;
    const std::jthread watcher{[&] {
        if (const int signal = signals.wait(); signal != 0) {
            signalled = true;
            link_.logger().info("stopping on signal {}", signal);
        }
        // A start that failed has taken back what it did, and one that was refused must not stop a broker that runs.
        if (!failed) stop(link_.options().stop_timeout);
    }};
    try {
        start();
    } catch (const Error& error) {
        failed = true;
        signals.wake();
        const bool stopped_early = !over && was_cut_short() && error.code() == Errc::closed;
        if (!stopped_early && !signalled) throw;
        link_.logger().info("{}", error.what());
    } catch (...) {
        failed = true;
        signals.wake();
        throw;
    }
}

bool BrokerCore::was_cut_short() const {
    const std::lock_guard lock{mutex_};
    return life_.was_cut_short();
}

void BrokerCore::bind_all() {
    const std::lock_guard binding{binding_mutex_};
    const CallbackScope scope;                          // functions of extractors and middlewares run
    std::vector<std::shared_ptr<SubscriberCore>> gone;  // outlives the lock
    std::vector<std::shared_ptr<SubscriberCore>> all;
    {
        const std::lock_guard lock{mutex_};
        gone = forget_finished();
        std::vector<PublishStep*> steps;
        for (const auto& step : layer_->publish_steps) steps.push_back(step.get());
        link_.set_publish_steps(std::move(steps));
        routers_expanded_ = true;
        const auto declare = [this](SubscriberSpec spec) {
            subscribers_.push_back(std::make_shared<SubscriberCore>(link_, *this, std::move(spec)));
        };
        for (const auto& router : routers_)
            for (auto& spec : router->expand()) declare(std::move(spec));
        for (auto& subject : forgotten()) declare({.subject = std::move(subject)});
        all = subscribers_;
    }
    std::vector<std::string> problems;
    for (const auto& service : services()) service->check(problems);
    for (const auto& subscriber : all)
        if (!subscriber->subject()) subscriber->bind(problems);  // else it was declared since start() was called
    if (!problems.empty()) raise({Errc::bad_setup, list_of(problems, "the broker")});
}

std::vector<std::string> BrokerCore::forgotten() const {
    std::vector<std::string> subjects;
    for (const auto& [number, draft] : drafts_)
        if (draft.thread == std::this_thread::get_id()) subjects.push_back(draft.subject);
    return subjects;
}

void BrokerCore::start_all() {
    const auto& options = link_.options();
    value_or_raise(link_.connect(options.critical ? options.start_timeout : for_ever,
                                 [this](const ConnectionEvent& event) { on_event(event); }));
    std::vector<std::shared_ptr<SubscriberCore>> subscribers;  // those declared later start by themselves
    std::vector<std::shared_ptr<HostedService>> services;      // the same
    {
        const std::lock_guard lock{mutex_};
        if (life_.on(Event::connected) == Action::undo) raise(stopped_early());
        link_.open();
        subscribers = subscribers_;
        services = services_;
        changed_.notify_all();
    }
    // The results of one subscriber may go into the stream of another.
    for (const auto& subscriber : subscribers)
        if (!link_.stop_token().stop_requested()) value_or_raise(subscriber->declare());
    for (const auto& subscriber : subscribers) {
        if (link_.stop_token().stop_requested()) break;  // wind_down() ends the remaining ones
        value_or_raise(subscriber->start());
    }
    for (const auto& service : services)
        if (!link_.stop_token().stop_requested()) value_or_raise(service->start());
    value_or_raise(link_.transport().flush(link_.options().connect_timeout));
    if (const auto problems = refusals(subscribers, services); !problems.empty())
        raise({Errc::unauthorized, list_of(problems, "the broker")});
    {
        const std::lock_guard lock{mutex_};
        if (life_.on(Event::subscribed) == Action::wind_down) no_stopper_ = !end_in_thread(&BrokerCore::wind_down);
        changed_.notify_all();
    }
    for (const auto& subscriber : subscribers) subscriber->heed_losses();
    poll();
}

void BrokerCore::undo_start() noexcept {
    const auto timeout = std::min(link_.options().stop_timeout, longest_timeout);
    link_.close_requests({Errc::closed, "the broker could not start"});
    std::unique_lock lock{mutex_};
    stop_timeout_ = timeout;
    stop_deadline_ = link_.clock().now() + timeout;
    if (!end_in_thread(&BrokerCore::take_back)) {
        lock.unlock();
        return take_back();
    }
    // Inside a callback, a handler may need this very thread to return.
    if (CallbackScope::inside()) return;
    if (wait_until(link_.clock(), lock, changed_, stop_deadline_, [this] { return life_.is_stopped(); })) return;
    lock.unlock();
    link_.logger().error("could not start, and handlers that have begun did not return within {} ms", timeout.count());
}

void BrokerCore::take_back() {
    const auto started = subscribers();
    for (const auto& subscriber : started) {
        subscriber->quiesce();
        subscriber->abandon();
        subscriber->discard();
    }
    for (const auto& service : services()) service->stop();
    link_.transport().close(std::chrono::milliseconds{0});
    for (const auto& subscriber : started)
        if (!CallbackScope::inside()) subscriber->join();
    finish(Event::undone);
    abandon_all();  // the subscribers that were declared meanwhile
}

}  // namespace freshet::detail
