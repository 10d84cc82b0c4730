// SPDX-License-Identifier: Apache-2.0
// What a link does with the events of its connection: logs them, ends refused requests, tells watchers and on_event.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "link/link.hpp"

namespace freshet::detail {

template <class Tell>
void Link::tell_watchers(Tell tell) noexcept {
    std::vector<std::weak_ptr<ConnectionWatcher>> watchers;
    {
        const std::lock_guard lock{watchers_mutex_};
        watchers = watchers_;
    }
    for (const auto& watcher : watchers) {
        if (const auto alive = watcher.lock()) tell(*alive);
    }
}

void Link::on_refused(const ConnectionEvent& event) noexcept {
    const auto& subject = event.subject;
    const auto inbox = mux_.inbox_wildcard();
    const bool ours = subject.starts_with(inbox.substr(0, inbox.size() - 1));
    if (event.detail.find("for Publish") != std::string::npos) {
        const Error why{Errc::unauthorized,
                        fmt::format("the server lets this user not publish to {}: grant it to the user{}",
                                    quoted(subject),
                                    ours ? ", or allow_responses, which lets it answer what it is asked" : "")};
        mux_.cancel_on(subject, why);
        return tell_watchers([&](ConnectionWatcher& watcher) { watcher.on_refused(subject, why); });
    }
    if (!ours) return;  // a subscription: its start fails
    const Error why{
        Errc::unauthorized,
        fmt::format("the server lets this user not receive answers on {}: let the user subscribe to \"{}.>\", "
                    "or set BrokerOptions::inbox_prefix to one that it may use",
                    quoted(subject), options_.inbox_prefix)};
    {
        const std::lock_guard lock{inbox_mutex_};
        inbox_refused_ = why;
        inbox_open_.store(false, std::memory_order_release);
    }
    mux_.cancel_all(why);
}

void Link::forget_refusal() noexcept {
    const std::lock_guard lock{inbox_mutex_};
    if (!inbox_refused_) return;
    inbox_refused_.reset();
    inbox_open_.store(inbox_ != nullptr, std::memory_order_release);  // the connection has subscribed again
}

void Link::log(const ConnectionEvent& event) noexcept {
    using Kind = ConnectionEvent::Kind;
    if (event.kind == Kind::error) {  // one that publishes where it may not causes one for each message
        return report(FailureLog::Kind::connection,
                      event.subject.empty() ? to_string(event.kind)
                                            : fmt::format("{} {}", to_string(event.kind), event.subject),
                      {Errc::remote, event.detail}, LogLevel::warn);
    }
    // A connection that is refused as soon as it is made is lost many times a second.
    if (event.kind == Kind::disconnected || event.kind == Kind::waiting)
        return report(FailureLog::Kind::connection, to_string(event.kind), {Errc::disconnected, event.detail},
                      LogLevel::warn);
    const bool good = event.kind == Kind::connected || event.kind == Kind::reconnected || event.kind == Kind::closed;
    const auto& where = event.subject.empty() ? event.url : event.subject;
    logger_.log(good ? LogLevel::info : LogLevel::warn, "{}{}{}{}{}", to_string(event.kind), where.empty() ? "" : " ",
                where, event.detail.empty() ? "" : ": ", event.detail);
}

void Link::tell_change(ConnectionChange change) noexcept {
    tell_watchers([&](ConnectionWatcher& watcher) { watcher.on_connection(change); });
}

void Link::tell(const ConnectionEvent& event) noexcept {
    using Kind = ConnectionEvent::Kind;
    traffic_.note(event.kind);
    if (event.kind == Kind::error && !event.subject.empty()) on_refused(event);
    if (event.kind == Kind::reconnected) forget_refusal();
    if (event.kind == Kind::disconnected) tell_change(ConnectionChange::lost);
    if (event.kind == Kind::reconnected) tell_change(ConnectionChange::back);
    tell_listener(event);
}

void Link::tell_listener(const ConnectionEvent& event) noexcept {
    if (!has_listener_.load(std::memory_order_relaxed)) return;
    const auto self = std::this_thread::get_id();
    if (teller_.load(std::memory_order_relaxed) == self) return later_.push_back(event);
    const std::lock_guard lock{event_mutex_};
    teller_.store(self, std::memory_order_relaxed);
    call_listener(event);
    for (; !later_.empty(); later_.pop_front()) call_listener(later_.front());
    teller_.store({}, std::memory_order_relaxed);
}

void Link::call_listener(const ConnectionEvent& event) noexcept {
    if (!has_listener_.load(std::memory_order_relaxed)) return;  // the call before has destroyed the broker
    const CallbackScope scope;
    try {
        options_.on_event(event);
    } catch (...) { report(FailureLog::Kind::callback_threw, "on_event threw", exception_error()); }
}

void Link::watch(std::weak_ptr<ConnectionWatcher> watcher) {
    const std::lock_guard lock{watchers_mutex_};
    std::erase_if(watchers_, [](const auto& known) { return known.expired(); });
    watchers_.push_back(std::move(watcher));
}

}  // namespace freshet::detail
