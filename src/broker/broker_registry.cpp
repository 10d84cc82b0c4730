// SPDX-License-Identifier: Apache-2.0
// The declarations of a broker: subscribers, provided objects, routers, layers.
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/callback_scope.hpp"
#include "base/fork.hpp"
#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "broker/broker_core.hpp"

namespace freshet::detail {
namespace {

// A program that subscribes and ends subscribers for ever must not fill the memory with their counts.
constexpr std::size_t most_gone = 1'000;

}  // namespace

std::string list_of(const std::vector<std::string>& problems, std::string_view who) {
    std::string text = std::string{who} + " cannot start:";
    for (const auto& problem : problems) text += "\n  - " + problem;
    return text;
}

void BrokerCore::replace(const std::type_info& type, std::shared_ptr<void> object) {
    const std::lock_guard lock{mutex_};
    provided_[type] = std::move(object);
    if (life_.is_idle()) return;
    for (const auto& subscriber : subscribers_) subscriber->rebind();
}

std::vector<std::shared_ptr<SubscriberCore>> BrokerCore::subscribers() const {
    const std::lock_guard lock{mutex_};
    return subscribers_;
}

bool BrokerCore::answers(std::string_view subject) const {
    const std::lock_guard lock{mutex_};
    return std::ranges::any_of(subscribers_, [&](const auto& subscriber) { return subscriber->answers_on(subject); });
}

void BrokerCore::look_at_subscribers(const Look& look) const {
    const std::scoped_lock lock{binding_mutex_, mutex_};
    for (const auto& subscriber : subscribers_) look(subscriber->spec(), &subscriber->source());
    if (routers_expanded_) return;
    for (const auto& router : routers_)
        for (const auto& spec : router->preview()) look(spec, spec.source.get());
}

std::uint64_t BrokerCore::begin(const std::string& subject) {
    const std::lock_guard lock{mutex_};
    ++last_draft_;
    if (life_.is_idle()) drafts_.emplace(last_draft_, Draft{subject, std::this_thread::get_id()});
    return last_draft_;
}

std::shared_ptr<SubscriberCore> BrokerCore::add(SubscriberSpec spec) {
    if (forked()) raise(forked_error("subscriber"));
    const auto draft = spec.draft;
    const Background::Call call{link_.background()};  // what is bound may destroy the broker
    auto subscriber = std::make_shared<SubscriberCore>(link_, *this, std::move(spec));
    std::vector<std::shared_ptr<SubscriberCore>> forgotten;  // outlives the lock
    std::unique_lock lock{mutex_};
    drafts_.erase(draft);
    check_declarable(*subscriber);
    if (!life_.is_idle()) {
        lock.unlock();  // functions of extractors and middlewares run
        bind(*subscriber);
        lock.lock();
        check_declarable(*subscriber);
    }
    forgotten = forget_finished();
    subscribers_.push_back(subscriber);
    const bool live = life_.is_live();
    lock.unlock();  // the start of a source may ask the server and wait
    if (live) start_now(subscriber);
    return subscriber;
}

void BrokerCore::check_declarable(const SubscriberCore& subscriber) const {
    const auto what = [&] { return "subscriber " + quoted(subscriber.spec().subject); };
    if (life_.is_over()) raise({Errc::closed, what() + ": the broker was stopped; declare it on a new one"});
    if (life_.is_live() && !may_wait()) raise(wait_refused(what() + " of a broker that runs"));
}

void BrokerCore::bind(SubscriberCore& subscriber) {
    const CallbackScope scope;
    std::vector<std::string> problems;
    subscriber.bind(problems);
    if (!problems.empty()) raise({Errc::bad_setup, list_of(problems, "the subscriber")});
}

void BrokerCore::start_now(const std::shared_ptr<SubscriberCore>& subscriber) {
    const auto give_up = [&](const Error& why) {
        const std::lock_guard lock{mutex_};
        std::erase(subscribers_, subscriber);
        raise(why);
    };
    if (const auto started = subscriber->start(); !started) give_up(started.error());
    // After the round trip, everything that anybody publishes reaches the subscriber. If it fails because of a
    // reconnect, the client library subscribes again.
    std::ignore = link_.transport().flush(link_.options().connect_timeout);
    if (const auto refusal = subscriber->source().refusal()) {
        subscriber->begin_stop(std::chrono::milliseconds{0});
        give_up(*refusal);
    }
    subscriber->heed_losses();
}

std::vector<std::shared_ptr<SubscriberCore>> BrokerCore::forget_finished() {
    std::vector<std::shared_ptr<SubscriberCore>> forgotten;
    std::erase_if(subscribers_, [&](const std::shared_ptr<SubscriberCore>& subscriber) {
        if (!subscriber->finished()) return false;
        auto stats = subscriber->stats();
        if (stats.consumer) stats.consumer->lag.reset();  // nobody asks for it any more
        gone_.add(subscriber->spec().subject, subscriber->source().group(), stats, most_gone);
        forgotten.push_back(subscriber);
        return true;
    });
    return forgotten;
}

void BrokerCore::provide(const std::type_info& type, std::shared_ptr<void> object) {
    const std::lock_guard lock{mutex_};
    if (!life_.is_idle())
        raise({Errc::bad_setup, "provide: the broker was started already; call provide before start()"});
    provided_[type] = std::move(object);
}

void* BrokerCore::provided(const std::type_info& type) const {
    const auto found = provided_.find(type);
    return found == provided_.end() ? nullptr : found->second.get();
}

void BrokerCore::override_dependency(const void* key, std::shared_ptr<const void> replacement) {
    const std::lock_guard lock{mutex_};
    if (!life_.is_idle())
        raise({Errc::bad_setup, "override_dependency: the broker was started already; call it before start()"});
    replacements_[key] = std::move(replacement);
}

const void* BrokerCore::replacement(const void* key) const noexcept {
    const auto found = replacements_.find(key);
    return found == replacements_.end() ? nullptr : found->second.get();
}

void BrokerCore::include(std::shared_ptr<RouterNode> router) {
    std::unique_lock lock{mutex_};
    if (std::ranges::find(routers_, router) != routers_.end())
        raise({Errc::bad_setup, "include: the broker includes this router already; include it once"});
    if (life_.is_live() && !may_wait()) raise(wait_refused("include of a router on a broker that runs"));
    routers_.push_back(router);
    if (life_.is_idle()) return;
    lock.unlock();
    for (auto& spec : router->expand()) std::ignore = add(std::move(spec));
}

void BrokerCore::host(std::shared_ptr<HostedService> service) {
    const auto what = "service " + quoted(service->facts().name);
    if (forked()) raise(forked_error(what));
    std::unique_lock lock{mutex_};
    if (life_.is_over()) raise({Errc::closed, what + ": the broker was stopped; declare it on a new one"});
    if (life_.is_live() && !may_wait()) raise(wait_refused(what + " of a broker that runs"));
    if (!life_.is_idle()) {
        std::vector<std::string> problems;
        service->check(problems);
        if (!problems.empty()) raise({Errc::bad_setup, list_of(problems, "the service")});
    }
    services_.push_back(service);
    const bool live = life_.is_live();
    lock.unlock();
    if (live) start_now(service);
}

void BrokerCore::start_now(const std::shared_ptr<HostedService>& service) {
    const auto give_up = [&](const Error& why) {
        service->stop();
        const std::lock_guard lock{mutex_};
        std::erase(services_, service);
        raise(why);
    };
    if (const auto started = service->start(); !started) give_up(started.error());
    std::ignore = link_.transport().flush(link_.options().connect_timeout);
    if (const auto refusal = service->refusal()) give_up(*refusal);
}

std::vector<std::shared_ptr<HostedService>> BrokerCore::services() const {
    const std::lock_guard lock{mutex_};
    return services_;
}

Layer& BrokerCore::change_layer(const char* what) {
    const std::lock_guard lock{mutex_};
    if (!life_.is_idle())
        raise({Errc::bad_setup, std::string{what} + ": the broker was started already; call it before start()"});
    return *layer_;
}

BrokerStats BrokerCore::stats() const {
    const auto& traffic = link_.traffic();
    BrokerStats stats{.transport = link_.transport().stats(),
                      .requests_in_flight = link_.requests_in_flight(),
                      .connected = connection_.connected(),
                      .slow_consumers = traffic.slow_consumers(),
                      .unconfirmed = traffic.unconfirmed(),
                      .most_unconfirmed = traffic.most_unconfirmed(),
                      .by_publisher = traffic.publishers(),
                      .by_client = traffic.requests(),
                      .by_store = traffic.stores()};
    const std::lock_guard lock{mutex_};
    stats.running = life_.state() == BrokerLife::State::running;
    Reports reports = gone_;
    for (const auto& subscriber : subscribers_) {
        reports.add(subscriber->spec().subject, subscriber->source().group(), subscriber->stats());
        if (!subscriber->finished()) ++stats.subscribers;
    }
    const auto sum = reports.sum();
    stats.received = sum.received;
    stats.failed = sum.failed;
    stats.rejected = sum.rejected;
    stats.dropped = sum.dropped;
    stats.declined = sum.declined;
    stats.errors = sum.errors;
    stats.by_subscriber = reports.list();
    return stats;
}

void BrokerCore::measure(Measuring measuring) {
    const std::lock_guard lock{mutex_};
    if (!life_.is_idle())
        raise({Errc::bad_setup, "Metrics: the broker was started already; add it to Metrics before start()"});
    if (link_.traffic().measuring() != nullptr)
        raise({Errc::bad_setup, "Metrics: the broker belongs to other Metrics already; add it once"});
    link_.traffic().measure(std::make_shared<const Measuring>(std::move(measuring)));
}

void BrokerCore::poll() {
    const auto* const measuring = link_.traffic().measuring();
    if (measuring == nullptr || measuring->poll_interval.count() <= 0) return;
    for (const auto& subscriber : subscribers()) subscriber->source().ask_lag();
    link_.clock().schedule(link_.clock().now() + measuring->poll_interval, [this] { poll(); });
}

}  // namespace freshet::detail
