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
std::vector<std::string> refusals(const std::vector<std::shared_ptr<Consumer>>& consumers) {
    std::vector<std::string> problems;
    for (const auto& consumer : consumers) {
        if (const auto refusal = consumer->source().refusal()) problems.emplace_back(refusal->message());
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

BrokerCore::BrokerCore(Broker& owner, BrokerOptions options, MakeTransport make_transport)
    : owner_{&owner},
      options_{std::move(options)},
      logger_{options_.logger},
      clock_{std::make_shared<BrokerClock>()},
      transport_{make_transport(options_)},
      mux_{*clock_, options_.inbox_prefix} {}

void BrokerCore::prepare(TestSetup setup) {
    const std::lock_guard lock{mutex_};
    if (state_ != State::idle) raise({Errc::bad_setup, "the broker was started: a test takes one that was not"});
    if (setup.clock != nullptr) clock_->replace(std::move(setup.clock));
    transport_ = setup.make_transport(options_);
    threads_ = setup.threads;
    observer_ = std::move(setup.observer);
}

void BrokerCore::replace(const std::type_info& type, std::shared_ptr<void> object) {
    const std::lock_guard lock{mutex_};
    provided_[type] = std::move(object);
    if (state_ == State::idle) return;
    for (const auto& consumer : consumers_) consumer->rebind();
}

std::vector<std::shared_ptr<Consumer>> BrokerCore::consumers() const {
    const std::lock_guard lock{mutex_};
    return consumers_;
}

BrokerCore::~BrokerCore() {
    begin_stop(options_.stop_timeout);
    {
        std::unique_lock lock{mutex_};
        wait(*clock_, lock, changed_, [this] { return state_ == State::stopped; });
    }
    if (stopper_.joinable()) stopper_.join();
    for (const auto& consumer : consumers_) consumer->join();
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
    logger_.log(count == 0 ? LogLevel::debug : LogLevel::info, "ready: {} subscriber{} on {}", count,
                count == 1 ? "" : "s", server().url);
}

void BrokerCore::bind_all() {
    std::vector<std::string> problems;
    const std::lock_guard lock{mutex_};
    forget_finished();
    for (const auto& step : layer_->publish_steps) publish_steps_.push_back(step.get());
    if (!publish_steps_.empty()) expect_publish_steps();
    for (const auto& router : routers_) {
        for (auto& spec : router->expand()) consumers_.push_back(std::make_shared<Consumer>(*this, std::move(spec)));
    }
    for (auto& subject : forgotten())
        consumers_.push_back(std::make_shared<Consumer>(*this, SubscriberSpec{.subject = std::move(subject)}));
    for (const auto& consumer : consumers_) consumer->bind(problems);
    if (!problems.empty()) raise({Errc::bad_setup, list_of(problems, "the broker")});
}

std::vector<std::string> BrokerCore::forgotten() const {
    std::vector<std::string> subjects;
    for (const auto& [number, draft] : drafts_)
        if (draft.thread == std::this_thread::get_id()) subjects.push_back(draft.subject);
    return subjects;
}

void BrokerCore::start_all() {
    value_or_raise(transport_->open(options_.start_timeout, [this](const ConnectionEvent& event) { on_event(event); }));
    std::unique_lock lock{mutex_};
    if (stop_wanted_) raise(stopped_early());
    state_ = State::subscribing;
    const auto consumers = consumers_;  // who is declared from now on starts by itself
    lock.unlock();
    for (const auto& consumer : consumers) {
        if (stop_source_.stop_requested()) break;
        value_or_raise(consumer->start());
    }
    value_or_raise(transport_->flush(options_.connect_timeout));
    if (const auto problems = refusals(consumers); !problems.empty())
        raise({Errc::unauthorized, list_of(problems, "the broker")});
    lock.lock();
    state_ = State::running;
    changed_.notify_all();
}

void BrokerCore::undo_start() noexcept {
    mux_.close({Errc::closed, "the broker could not start"});
    std::vector<std::shared_ptr<Consumer>> consumers;
    {
        const std::lock_guard lock{mutex_};
        undoing_ = true;
        consumers = consumers_;
    }
    for (const auto& consumer : consumers) consumer->quiesce();
    transport_->close(std::chrono::milliseconds{0});
    for (const auto& consumer : consumers) {
        consumer->abandon();
        consumer->join();
    }
    const std::lock_guard lock{mutex_};
    state_ = State::stopped;
    for (const auto& consumer : consumers_) consumer->abandon();  // those declared meanwhile
    changed_.notify_all();
}

bool BrokerCore::stop(std::chrono::milliseconds timeout) {
    const auto deadline = clock_->now() + std::min(timeout, longest_timeout) + closing_time;
    begin_stop(timeout);
    if (CallbackScope::inside()) return true;
    std::unique_lock lock{mutex_};
    return wait_until(*clock_, lock, changed_, deadline, [this] { return state_ == State::stopped; }) && drained_;
}

void BrokerCore::cut_start_short() noexcept {
    if (state_ == State::connecting) begin_stop(std::chrono::milliseconds{0});
}

void BrokerCore::exit(int code) noexcept {
    if (on_exit_) on_exit_(code);
    else begin_stop(options_.stop_timeout);
}

void BrokerCore::begin_stop(std::chrono::milliseconds timeout) {
    timeout = std::min(timeout, longest_timeout);
    std::unique_lock lock{mutex_};
    if (state_ == State::idle) {
        state_ = State::stopped;
        for (const auto& consumer : consumers_) consumer->abandon();
        return;
    }
    if (state_ == State::stopped || stop_wanted_) return;
    const bool connecting = state_ == State::connecting;
    // In a thread of its own: callers wait until their deadline, and not at all inside a callback.
    if (!connecting) start_stopper(timeout);
    if (state_ == State::running) state_ = State::stopping;
    stop_wanted_ = true;
    lock.unlock();
    stop_source_.request_stop();
    if (connecting) transport_->close(std::chrono::milliseconds{0});
}

void BrokerCore::start_stopper(std::chrono::milliseconds timeout) {
    clock_->add_work(1);
    stopper_ = std::thread{[this, timeout] {
        {
            const WorkScope scope;
            wind_down(timeout);
        }
        clock_->add_work(-1);
    }};
}

void BrokerCore::wind_down(std::chrono::milliseconds timeout) {
    const auto deadline = clock_->now() + timeout;
    {
        std::unique_lock lock{mutex_};
        wait(*clock_, lock, changed_, [this] { return state_ != State::subscribing; });
        if (state_ == State::stopped) return;  // start() failed
        state_ = State::stopping;
    }
    std::ignore = stats();  // while the subscriptions still know what they dropped
    std::vector<std::shared_ptr<Consumer>> consumers;
    {
        const std::lock_guard lock{mutex_};
        consumers = consumers_;
    }
    for (const auto& consumer : consumers) consumer->quiesce();
    bool drained = transport_->drain_deliveries(timeout);
    for (const auto& consumer : consumers) drained = consumer->finish_stop(deadline) && drained;
    mux_.close({Errc::closed, "the broker was stopped"});
    if (!drained) {
        logger_.error("stopped with messages unhandled: they did not finish within {} ms", timeout.count());
        settle(false);  // before what follows, which waits for handlers that still run
    }
    transport_->close(left_until(deadline, clock_->now()));
    settle(drained);
}

void BrokerCore::settle(bool drained) {
    const std::lock_guard lock{mutex_};
    drained_ = drained;
    state_ = State::stopped;
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

std::shared_ptr<Consumer> BrokerCore::add(SubscriberSpec spec) {
    if (forked()) raise(forked_error("subscriber"));
    const auto draft = spec.draft;
    auto consumer = std::make_shared<Consumer>(*this, std::move(spec));
    std::unique_lock lock{mutex_};
    drafts_.erase(draft);
    if (state_ == State::stopping || state_ == State::stopped) {
        raise({Errc::closed, "subscriber " + quoted(consumer->spec().subject) + ": the broker was stopped"});
    }
    if (state_ != State::idle) {
        std::vector<std::string> problems;
        consumer->bind(problems);
        if (!problems.empty()) raise({Errc::bad_setup, list_of(problems, "the subscriber")});
    }
    forget_finished();
    consumers_.push_back(consumer);
    const bool live = is_live();
    lock.unlock();  // a source may ask the server
    if (live) start_now(consumer);
    return consumer;
}

void BrokerCore::start_now(const std::shared_ptr<Consumer>& consumer) {
    const auto give_up = [&](const Error& why) {
        const std::lock_guard lock{mutex_};
        std::erase(consumers_, consumer);
        raise(why);
    };
    if (const auto started = consumer->start(); !started) give_up(started.error());
    // So that what is published from now on, by anybody, reaches it. Lost in a reconnect the subscription is made again.
    std::ignore = transport_->flush(options_.connect_timeout);
    if (const auto refusal = consumer->source().refusal()) {
        consumer->begin_stop(std::chrono::milliseconds{0});
        give_up(*refusal);
    }
}

void BrokerCore::forget_finished() {
    std::erase_if(consumers_, [this](const std::shared_ptr<Consumer>& consumer) {
        if (!consumer->finished()) return false;
        add_to(gone_, consumer->stats());
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
    using Kind = ConnectionEvent::Kind;
    const bool good = event.kind == Kind::connected || event.kind == Kind::reconnected || event.kind == Kind::closed;
    const auto& where = event.subject.empty() ? event.url : event.subject;
    logger_.log(good ? LogLevel::info : LogLevel::warn, "{}{}{}{}{}", to_string(event.kind), where.empty() ? "" : " ",
                where, event.detail.empty() ? "" : ": ", event.detail);
    if (event.kind == Kind::closed) end_if_lost();
    if (event.kind == Kind::disconnected || event.kind == Kind::reconnected) {
        tell_watchers(event.kind == Kind::reconnected);
    }
    if (!options_.on_event) return;
    const CallbackScope scope;
    const std::lock_guard lock{event_mutex_};
    try {
        options_.on_event(event);
    } catch (...) { logger_.error("on_event threw: {}", exception_text()); }
}

void BrokerCore::watch(std::weak_ptr<ConnectionWatcher> watcher) {
    const std::lock_guard lock{watchers_mutex_};
    std::erase_if(watchers_, [](const auto& known) { return known.expired(); });
    watchers_.push_back(std::move(watcher));
}

void BrokerCore::tell_watchers(bool up) noexcept {
    std::vector<std::weak_ptr<ConnectionWatcher>> watchers;
    {
        const std::lock_guard lock{watchers_mutex_};
        watchers = watchers_;
    }
    for (const auto& watcher : watchers) {
        if (const auto alive = watcher.lock()) alive->on_connection(up);
    }
}

void BrokerCore::end_if_lost() noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (!is_live() || stop_wanted_ || undoing_) return;
        lost_ = true;
    }
    logger_.critical("the connection is closed for good: ReconnectOptions allow no more attempts; the broker stops");
    begin_stop(options_.stop_timeout);
}

void BrokerCore::report_slow_consumer(const Consumer& consumer) noexcept {
    on_event({.kind = ConnectionEvent::Kind::slow_consumer,
              .detail = "messages are dropped: more wait than max_pending_messages or max_pending_bytes allow",
              .subject = consumer.spec().subject,
              .dropped = consumer.stats().dropped});
}

std::chrono::nanoseconds BrokerCore::ping(std::chrono::milliseconds timeout) {
    if (!is_open()) raise(not_open("ping", "the server"));
    const auto begin = clock_->now();
    value_or_raise(transport_->flush(timeout));
    return clock_->now() - begin;
}

ServerInfo BrokerCore::server() const { return transport_->server(); }

BrokerStats BrokerCore::stats() const {
    BrokerStats stats{.transport = transport_->stats(), .requests_in_flight = mux_.in_flight()};
    const std::lock_guard lock{mutex_};
    stats.subscribers = consumers_.size();
    SubscriberStats sum = gone_;
    for (const auto& consumer : consumers_) add_to(sum, consumer->stats());
    stats.received = sum.received;
    stats.failed = sum.failed;
    stats.rejected = sum.rejected;
    stats.dropped = sum.dropped;
    return stats;
}

}  // namespace freshet::detail
