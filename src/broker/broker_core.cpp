// SPDX-License-Identifier: Apache-2.0
#include "broker/broker_core.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/fork.hpp"
#include "base/quoted.hpp"
#include "base/wait.hpp"

namespace freshet::detail {
namespace {

// What closing takes after a stop's deadline, where nothing blocks.
constexpr std::chrono::milliseconds closing_time{1'000};

std::string list_of(const std::vector<std::string>& problems, std::string_view who) {
    std::string text = std::string{who} + " cannot start:";
    for (const auto& problem : problems) text += "\n  - " + problem;
    return text;
}

std::chrono::milliseconds left_until(TimePoint deadline, TimePoint now) {
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now),
                    std::chrono::milliseconds{0});
}

/// What the server refused of these subscribers, each with its reason.
std::vector<std::string> refusals(const std::vector<std::shared_ptr<SubscriberCore>>& subscribers) {
    std::vector<std::string> problems;
    for (const auto& subscriber : subscribers) {
        if (const auto refusal = subscriber->source().refusal()) problems.emplace_back(refusal->message());
    }
    return problems;
}

Error stopped_early() { return {Errc::closed, "start: the broker was stopped before it ran"}; }

void add_to(SubscriberStats& sum, const SubscriberStats& one) {
    sum.received += one.received;
    sum.failed += one.failed;
    sum.rejected += one.rejected;
    sum.dropped += one.dropped;
    sum.skipped += one.skipped;
}

}  // namespace

BrokerCore::BrokerCore(Broker& owner, BrokerOptions options, const MakeTransport& make_transport)
    : owner_{&owner}, link_{std::move(options), make_transport} {}

void BrokerCore::prepare(TestSetup setup) {
    const std::lock_guard lock{mutex_};
    if (state_ != State::idle) raise({Errc::bad_setup, "the broker was started: a test takes one that was not"});
    link_.replace(setup.make_transport, std::move(setup.clock));
    threads_ = setup.threads;
    observer_ = std::move(setup.observer);
}

void BrokerCore::replace(const std::type_info& type, std::shared_ptr<void> object) {
    const std::lock_guard lock{mutex_};
    provided_[type] = std::move(object);
    if (state_ == State::idle) return;
    for (const auto& subscriber : subscribers_) subscriber->rebind();
}

std::vector<std::shared_ptr<SubscriberCore>> BrokerCore::subscribers() const {
    const std::lock_guard lock{mutex_};
    return subscribers_;
}

BrokerCore::~BrokerCore() {
    begin_stop(link_.options().stop_timeout);
    {
        std::unique_lock lock{mutex_};
        wait(link_.clock(), lock, changed_, [this] { return state_ == State::stopped; });
    }
    if (stopper_.joinable()) stopper_.join();
    for (const auto& subscriber : subscribers_) subscriber->join();
}

void BrokerCore::start() {
    if (forked()) raise(forked_error("start"));
    {
        const std::lock_guard lock{mutex_};
        if (state_ != State::idle) {
            const bool stopped = state_ == State::stopping || state_ == State::stopped;
            raise({Errc::bad_setup, stopped ? "start: the broker was stopped; make a new one to start again"
                                            : "start: the broker runs already"});
        }
        state_ = State::connecting;
    }
    try {
        bind_all();
        start_all();
    } catch (...) {
        undo_start();
        const std::lock_guard lock{mutex_};
        if (stop_wanted_) raise(stopped_early());
        throw;
    }
    const auto count = stats().subscribers;
    link_.logger().log(count == 0 ? LogLevel::debug : LogLevel::info, "ready: {} subscriber{} on {}", count,
                       count == 1 ? "" : "s", link_.server().url);
}

void BrokerCore::bind_all() {
    std::vector<std::string> problems;
    const std::lock_guard lock{mutex_};
    forget_finished();
    std::vector<PublishStep*> steps;
    for (const auto& step : layer_->publish_steps) steps.push_back(step.get());
    link_.set_publish_steps(std::move(steps));
    for (const auto& router : routers_) {
        for (auto& spec : router->expand())
            subscribers_.push_back(std::make_shared<SubscriberCore>(link_, *this, std::move(spec)));
    }
    for (auto& subject : forgotten())
        subscribers_.push_back(std::make_shared<SubscriberCore>(link_, *this,
                                                                SubscriberSpec{.subject = std::move(subject)}));
    for (const auto& subscriber : subscribers_) subscriber->bind(problems);
    if (!problems.empty()) raise({Errc::bad_setup, list_of(problems, "the broker")});
}

std::vector<std::string> BrokerCore::forgotten() const {
    std::vector<std::string> subjects;
    for (const auto& [number, draft] : drafts_)
        if (draft.thread == std::this_thread::get_id()) subjects.push_back(draft.subject);
    return subjects;
}

void BrokerCore::start_all() {
    value_or_raise(link_.transport().open(link_.options().start_timeout,
                                          [this](const ConnectionEvent& event) { on_event(event); }));
    std::unique_lock lock{mutex_};
    if (stop_wanted_) raise(stopped_early());
    state_ = State::subscribing;
    link_.open();
    const auto subscribers = subscribers_;  // who is declared from now on starts by itself
    lock.unlock();
    for (const auto& subscriber : subscribers) {
        if (link_.stop_token().stop_requested()) break;
        value_or_raise(subscriber->start());
    }
    value_or_raise(link_.transport().flush(link_.options().connect_timeout));
    if (const auto problems = refusals(subscribers); !problems.empty())
        raise({Errc::unauthorized, list_of(problems, "the broker")});
    lock.lock();
    state_ = State::running;
    changed_.notify_all();
}

void BrokerCore::undo_start() noexcept {
    link_.close_requests({Errc::closed, "the broker could not start"});
    std::vector<std::shared_ptr<SubscriberCore>> subscribers;
    {
        const std::lock_guard lock{mutex_};
        undoing_ = true;
        subscribers = subscribers_;
    }
    for (const auto& subscriber : subscribers) subscriber->quiesce();
    link_.transport().close(std::chrono::milliseconds{0});
    for (const auto& subscriber : subscribers) {
        subscriber->abandon();
        subscriber->join();
    }
    const std::lock_guard lock{mutex_};
    state_ = State::stopped;
    link_.close();
    for (const auto& subscriber : subscribers_) subscriber->abandon();  // those declared meanwhile
    changed_.notify_all();
}

bool BrokerCore::stop(std::chrono::milliseconds timeout) {
    const auto deadline = link_.clock().now() + std::min(timeout, longest_timeout) + closing_time;
    begin_stop(timeout);
    if (CallbackScope::inside()) return true;
    std::unique_lock lock{mutex_};
    return wait_until(link_.clock(), lock, changed_, deadline, [this] { return state_ == State::stopped; }) && drained_;
}

void BrokerCore::cut_start_short() noexcept {
    if (state_ == State::connecting) begin_stop(std::chrono::milliseconds{0});
}

void BrokerCore::exit(int code) noexcept {
    if (on_exit_) on_exit_(code);
    else begin_stop(link_.options().stop_timeout);
}

void BrokerCore::begin_stop(std::chrono::milliseconds timeout) {
    timeout = std::min(timeout, longest_timeout);
    std::unique_lock lock{mutex_};
    if (state_ == State::idle) {
        state_ = State::stopped;
        link_.close();
        for (const auto& subscriber : subscribers_) subscriber->abandon();
        return;
    }
    if (state_ == State::stopped || stop_wanted_) return;
    const bool connecting = state_ == State::connecting;
    // In a thread of its own: callers wait until their deadline, and not at all inside a callback.
    if (!connecting) start_stopper(timeout);
    if (state_ == State::running) state_ = State::stopping;
    stop_wanted_ = true;
    lock.unlock();
    link_.request_stop();
    if (connecting) link_.transport().close(std::chrono::milliseconds{0});
}

void BrokerCore::start_stopper(std::chrono::milliseconds timeout) {
    link_.clock().add_work(1);
    stopper_ = std::thread{[this, timeout] {
        {
            const WorkScope scope;
            wind_down(timeout);
        }
        link_.clock().add_work(-1);
    }};
}

void BrokerCore::wind_down(std::chrono::milliseconds timeout) {
    const auto deadline = link_.clock().now() + timeout;
    {
        std::unique_lock lock{mutex_};
        wait(link_.clock(), lock, changed_, [this] { return state_ != State::subscribing; });
        if (state_ == State::stopped) return;  // start() failed
        state_ = State::stopping;
    }
    std::ignore = stats();  // while the subscriptions still know what they dropped
    std::vector<std::shared_ptr<SubscriberCore>> subscribers;
    {
        const std::lock_guard lock{mutex_};
        subscribers = subscribers_;
    }
    for (const auto& subscriber : subscribers) subscriber->quiesce();
    bool drained = link_.transport().drain_deliveries(timeout);
    for (const auto& subscriber : subscribers) drained = subscriber->finish_stop(deadline) && drained;
    link_.close_requests({Errc::closed, "the broker was stopped"});
    if (!drained) {
        link_.logger().error("stopped with messages unhandled: they did not finish within {} ms", timeout.count());
        settle(false);  // before what follows, which waits for handlers that still run
    }
    link_.transport().close(left_until(deadline, link_.clock().now()));
    settle(drained);
}

void BrokerCore::settle(bool drained) {
    const std::lock_guard lock{mutex_};
    drained_ = drained;
    state_ = State::stopped;
    link_.close();
    changed_.notify_all();
}

bool BrokerCore::drained() const {
    const std::lock_guard lock{mutex_};
    return state_ == State::stopped && drained_ && !lost_;
}

std::uint64_t BrokerCore::begin(const std::string& subject) {
    const std::lock_guard lock{mutex_};
    ++last_draft_;
    if (state_ == State::idle) drafts_.emplace(last_draft_, Draft{subject, std::this_thread::get_id()});
    return last_draft_;
}

std::shared_ptr<SubscriberCore> BrokerCore::add(SubscriberSpec spec) {
    if (forked()) raise(forked_error("subscriber"));
    const auto draft = spec.draft;
    auto subscriber = std::make_shared<SubscriberCore>(link_, *this, std::move(spec));
    std::unique_lock lock{mutex_};
    drafts_.erase(draft);
    if (state_ == State::stopping || state_ == State::stopped) {
        raise({Errc::closed, "subscriber " + quoted(subscriber->spec().subject) + ": the broker was stopped"});
    }
    if (state_ != State::idle) {
        std::vector<std::string> problems;
        subscriber->bind(problems);
        if (!problems.empty()) raise({Errc::bad_setup, list_of(problems, "the subscriber")});
    }
    forget_finished();
    subscribers_.push_back(subscriber);
    const bool live = is_live();
    lock.unlock();  // a source may ask the server
    if (live) start_now(subscriber);
    return subscriber;
}

void BrokerCore::start_now(const std::shared_ptr<SubscriberCore>& subscriber) {
    const auto give_up = [&](const Error& why) {
        const std::lock_guard lock{mutex_};
        std::erase(subscribers_, subscriber);
        raise(why);
    };
    if (const auto started = subscriber->start(); !started) give_up(started.error());
    // So that what is published from now on, by anybody, reaches it. Lost in a reconnect the subscription is made again.
    std::ignore = link_.transport().flush(link_.options().connect_timeout);
    if (const auto refusal = subscriber->source().refusal()) {
        subscriber->begin_stop(std::chrono::milliseconds{0});
        give_up(*refusal);
    }
}

void BrokerCore::forget_finished() {
    std::erase_if(subscribers_, [this](const std::shared_ptr<SubscriberCore>& subscriber) {
        if (!subscriber->finished()) return false;
        add_to(gone_, subscriber->stats());
        return true;
    });
}

void BrokerCore::provide(const std::type_info& type, std::shared_ptr<void> object) {
    const std::lock_guard lock{mutex_};
    if (state_ != State::idle) raise({Errc::bad_setup, "provide: objects are provided before the broker starts"});
    provided_[type] = std::move(object);
}

void* BrokerCore::provided(const std::type_info& type) const {
    const auto found = provided_.find(type);
    return found == provided_.end() ? nullptr : found->second.get();
}

void BrokerCore::override_dependency(const void* key, std::shared_ptr<const void> replacement) {
    const std::lock_guard lock{mutex_};
    if (state_ != State::idle)
        raise({Errc::bad_setup, "override_dependency: dependencies are overridden before the broker starts"});
    replacements_[key] = std::move(replacement);
}

void BrokerCore::include(std::shared_ptr<RouterNode> router) {
    std::unique_lock lock{mutex_};
    if (std::ranges::find(routers_, router) != routers_.end())
        raise({Errc::bad_setup, "include: the broker has this router already"});
    routers_.push_back(router);
    if (state_ == State::idle) return;
    lock.unlock();
    for (auto& spec : router->expand()) std::ignore = add(std::move(spec));
}

Layer& BrokerCore::change_layer(const char* what) {
    const std::lock_guard lock{mutex_};
    if (state_ != State::idle)
        raise({Errc::bad_setup, std::string{what} + ": it goes around every handler, so it is said before the start"});
    return *layer_;
}

const void* BrokerCore::replacement(const void* key) const noexcept {
    const auto found = replacements_.find(key);
    return found == replacements_.end() ? nullptr : found->second.get();
}

void BrokerCore::on_event(const ConnectionEvent& event) noexcept {
    link_.log(event);
    if (event.kind == ConnectionEvent::Kind::closed) end_if_lost();
    link_.tell(event);
}

void BrokerCore::end_if_lost() noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (!is_live() || stop_wanted_ || undoing_) return;
        lost_ = true;
    }
    link_.logger().critical(
        "the connection is closed for good: ReconnectOptions allow no more attempts; the broker stops");
    begin_stop(link_.options().stop_timeout);
}

BrokerStats BrokerCore::stats() const {
    BrokerStats stats{.transport = link_.transport().stats(), .requests_in_flight = link_.requests_in_flight()};
    const std::lock_guard lock{mutex_};
    SubscriberStats sum = gone_;
    for (const auto& subscriber : subscribers_) {
        add_to(sum, subscriber->stats());
        if (!subscriber->finished()) ++stats.subscribers;
    }
    stats.received = sum.received;
    stats.failed = sum.failed;
    stats.rejected = sum.rejected;
    stats.dropped = sum.dropped;
    return stats;
}

}  // namespace freshet::detail
