// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/memory_transport.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include <freshet/subject_grammar.hpp>

#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "testing/memory/memory_subscription.hpp"

namespace freshet::detail {
namespace {

using Kind = ConnectionEvent::Kind;

/// Returns whether a server accepts the subject of a subscription. Braces are ordinary characters.
bool may_subscribe(std::string_view subject) {
    for (TokenReader tokens{subject}; tokens.next();) {
        const auto token = tokens.token();
        if (token.empty() || std::ranges::any_of(token, is_space_or_control)) return false;
        if (token == ">" && !tokens.is_last()) return false;
    }
    return !subject.empty();
}

/// Returns the bytes that a publication uses of ReconnectOptions::buffer_bytes.
std::size_t kept_size(const Parcel& parcel) {
    constexpr std::size_t line = 16;  // the words of the protocol and the sizes
    return parcel.size() + parcel.subject.size() + parcel.reply_to.size() + line;
}

/// The handle of a subscription: its destruction ends the subscription.
class MemorySubscriptionHandle final : public TransportSubscription {
public:
    explicit MemorySubscriptionHandle(std::shared_ptr<MemorySubscription> subscription)
        : subscription_{std::move(subscription)} {}
    ~MemorySubscriptionHandle() override { subscription_->drain(std::chrono::milliseconds{0}); }

    void drain(std::chrono::milliseconds timeout) override { subscription_->drain(timeout); }
    Expected<void> auto_unsubscribe(std::uint64_t count) override { return subscription_->auto_unsubscribe(count); }
    std::size_t pending() const override { return subscription_->pending(); }
    std::uint64_t dropped() const override { return subscription_->dropped(); }

private:
    std::shared_ptr<MemorySubscription> subscription_;
};

}  // namespace

MemoryTransport::MemoryTransport(std::shared_ptr<MemoryHub> hub, const BrokerOptions& options)
    : hub_{std::move(hub)}, no_echo_{options.no_echo}, reconnect_{options.reconnect} {}

MemoryTransport::~MemoryTransport() { close(std::chrono::milliseconds{0}); }

Expected<void> MemoryTransport::open(std::chrono::milliseconds wait, EventSink events) {
    bool waits = wait.count() > 0;
    {
        const std::lock_guard lock{events_->mutex};
        events_->sink = std::move(events);
    }
    {
        const std::lock_guard lock{hub_->mutex};
        waits = waits && !hub_->running;
    }
    if (waits)
        emit({.kind = Kind::waiting,
              .detail = fmt::format("cannot connect to {}: it was interrupted; trying again for {} ms", MemoryHub::url,
                                    wait.count())});
    {
        std::unique_lock lock{hub_->mutex};
        const auto deadline = hub_->clock().now() + wait;
        const bool tried =
            wait_until(hub_->clock(), lock, hub_->changed, deadline, [this] { return hub_->running || closing_; });
        if (closing_) {
            lock.unlock();
            const std::lock_guard guard{events_->mutex};
            events_->sink = nullptr;  // close() may have come before it was set
            return failure(Errc::closed, "the connection was closed while it was made");
        }
        if (!tried)
            return failure(Errc::disconnected,
                           fmt::format("cannot connect to {}{}: it was interrupted", MemoryHub::url,
                                       wait.count() > 0 ? fmt::format(" (tried for {} ms)", wait.count()) : ""));
        stage_ = Stage::connected;
        hub_->connections.push_back(this);
    }
    emit({.kind = Kind::connected, .url = std::string{MemoryHub::url}});
    return {};
}

/// Call it with the lock held.
Expected<void> MemoryTransport::check_usable(std::string_view what) const {
    if (stage_ == Stage::fresh) return failure(Errc::closed, fmt::format("{}: the broker was not started", what));
    if (stage_ == Stage::closed) return failure(Errc::closed, fmt::format("{}: the connection is closed", what));
    return {};
}

Expected<void> MemoryTransport::publish(const Publication& publication) {
    const auto what = fmt::format("cannot publish to {}", quoted(publication.subject));
    const auto parcel = std::make_shared<const Parcel>(publication);
    {
        const std::lock_guard lock{hub_->mutex};
        if (auto usable = check_usable(what); !usable) return usable;
        if (publication.subject.empty()) return failure(Errc::bad_subject, what + ": the subject is empty");
        if (parcel->size() > hub_->max_payload())
            return failure(Errc::payload_too_large,
                           fmt::format("{}: the payload of {} bytes{} is over the server's max_payload of {} bytes",
                                       what, publication.payload.size(),
                                       parcel->headers.empty() ? "" : " with its headers", hub_->max_payload()));
        if (stage_ == Stage::lost) return keep_for_later(parcel);
        ++stats_.out_messages;
        stats_.out_bytes += parcel->size();
    }
    hub_->route(sender(), parcel);
    return {};
}

Expected<void> MemoryTransport::keep_for_later(const SharedParcel& parcel) {
    const auto size = kept_size(*parcel);
    if (kept_bytes_ + size > reconnect_.buffer_bytes)
        return failure(Errc::buffer_full,
                       fmt::format("cannot publish to {}: the connection is lost, and the {} bytes of "
                                   "ReconnectOptions::buffer_bytes have no room for it; publish it again when the "
                                   "connection is back",
                                   quoted(parcel->subject), reconnect_.buffer_bytes));
    kept_bytes_ += size;
    kept_.push_back(parcel);
    ++stats_.out_messages;
    stats_.out_bytes += parcel->size();
    return {};
}

Expected<std::unique_ptr<TransportSubscription>> MemoryTransport::subscribe(const SubscriptionSpec& spec,
                                                                            std::shared_ptr<MessageSink> sink) {
    const auto what = fmt::format("cannot subscribe to {}", quoted(spec.subject));
    const std::lock_guard lock{hub_->mutex};
    if (auto usable = check_usable(what); !usable) return std::unexpected{std::move(usable).error()};
    if (!may_subscribe(spec.subject)) return failure(Errc::bad_subject, what + ": Invalid Subject");
    auto subscription = std::make_shared<MemorySubscription>(hub_, *this, spec, std::move(sink));
    subscriptions_.push_back(subscription);
    if (stage_ == Stage::connected) hub_->add(subscription);
    return std::make_unique<MemorySubscriptionHandle>(std::move(subscription));
}

Expected<void> MemoryTransport::flush(std::chrono::milliseconds timeout) {
    std::unique_lock lock{hub_->mutex};
    if (auto usable = check_usable("cannot flush"); !usable) return usable;
    const bool answered = wait_until(hub_->clock(), lock, hub_->changed, hub_->clock().now() + timeout,
                                     [this] { return stage_ != Stage::lost; });
    if (auto usable = check_usable("cannot flush"); !usable) return usable;
    if (answered) return {};
    return failure(Errc::timeout, fmt::format("cannot flush: no answer from the server within {} ms", timeout.count()));
}

bool MemoryTransport::all_ended(Lane lane) const {
    return std::ranges::all_of(subscriptions_, [&](const auto& one) {
        return one->spec().lane != lane || (one->ended() && !one->delivering());
    });
}

bool MemoryTransport::drain_deliveries(std::chrono::milliseconds timeout) {
    std::unique_lock lock{hub_->mutex};
    Subscriptions draining;
    for (const auto& one : subscriptions_) {
        if (one->spec().lane != Lane::deliveries) continue;
        one->finish(MemorySubscription::Waiting::deliver);
        draining.push_back(one);
    }
    const bool ended = wait_until(hub_->clock(), lock, hub_->changed, hub_->clock().now() + timeout,
                                  [this] { return all_ended(Lane::deliveries); });
    for (const auto& one : draining) one->finish(MemorySubscription::Waiting::drop);
    return ended && std::ranges::none_of(draining, [](const auto& one) { return one->cut_off(); });
}

void MemoryTransport::close(std::chrono::milliseconds) {
    Subscriptions ending;
    bool opened = false;
    {
        const std::lock_guard lock{hub_->mutex};
        closing_ = true;
        opened = stage_ == Stage::connected || stage_ == Stage::lost;
        stage_ = Stage::closed;
        std::erase(hub_->connections, this);
        kept_.clear();
        ending = subscriptions_;
        hub_->changed.notify_all();
    }
    for (const auto& one : ending) one->end_now();
    wait_for_ends(ending);
    const std::lock_guard lock{events_->mutex};
    if (opened) emit({.kind = Kind::closed});
    events_->sink = nullptr;
}

void MemoryTransport::wait_for_ends(const Subscriptions& ending) {
    std::unique_lock lock{hub_->mutex};
    wait(hub_->clock(), lock, hub_->changed, [&] {
        return std::ranges::all_of(ending, [](const auto& one) { return one->ended() && !one->delivering(); });
    });
}

ServerInfo MemoryTransport::server() const {
    const std::lock_guard lock{hub_->mutex};
    if (stage_ == Stage::fresh) return {};
    return {.url = std::string{MemoryHub::url}, .id = hub_->id(), .max_payload = hub_->max_payload()};
}

TransportStats MemoryTransport::stats() const {
    const std::lock_guard lock{hub_->mutex};
    return stats_;
}

void MemoryTransport::on_server_gone() {
    if (stage_ != Stage::connected) return;
    stage_ = Stage::lost;
    for (const auto& one : subscriptions_) hub_->remove(*one);
    emit_later({.kind = Kind::disconnected,
                .detail =
                    fmt::format("the connection to {} was lost; {}", MemoryHub::url,
                                reconnect_.enabled ? "reconnecting" : "closing, since reconnecting is disabled")});
    if (reconnect_.enabled) return;
    stage_ = Stage::closed;
    std::erase(hub_->connections, this);
    for (const auto& one : subscriptions_) one->finish(MemorySubscription::Waiting::drop);
    emit_later({.kind = Kind::closed, .detail = "the connection was lost"});
}

void MemoryTransport::on_server_back() {
    if (stage_ != Stage::lost) return;
    stage_ = Stage::connected;
    ++stats_.reconnects;
    for (const auto& one : subscriptions_)
        if (one->taking()) hub_->add(one);
    emit_later({.kind = Kind::reconnected, .url = std::string{MemoryHub::url}});
}

SharedParcel MemoryTransport::next_kept() {
    if (stage_ != Stage::connected || kept_.empty()) return nullptr;
    auto parcel = std::move(kept_.front());
    kept_.pop_front();
    kept_bytes_ -= kept_size(*parcel);
    return parcel;
}

void MemoryTransport::on_lame_duck() {
    emit_later({.kind = Kind::lame_duck,
                .detail = "the server will shut down; moving to another",
                .url = std::string{MemoryHub::url}});
}

void MemoryTransport::count_in(const Parcel& parcel) noexcept {
    ++stats_.in_messages;
    stats_.in_bytes += parcel.size();
}

void MemoryTransport::tell_slow_consumer(std::weak_ptr<MessageSink> slow, const std::string& subject,
                                         std::uint64_t dropped) {
    emit_later({.kind = Kind::slow_consumer,
                .detail = fmt::format("{} messages dropped so far: more waited than the subscription's limits allow",
                                      dropped),
                .subject = subject,
                .dropped = dropped},
               std::move(slow));
}

void MemoryTransport::forget(const MemorySubscription& subscription) {
    if (stage_ == Stage::closed) return;  // close() waits for the subscriptions in the list
    std::erase_if(subscriptions_, [&](const auto& one) { return one.get() == &subscription; });
}

/// Emits an event as a task of the clock, one at a time; none after close(). An event of a subscription goes to its
/// sink first.
void MemoryTransport::emit_later(ConnectionEvent event, std::weak_ptr<MessageSink> concerned) {
    auto task = [events = events_, event = std::move(event), concerned = std::move(concerned)] {
        const std::lock_guard lock{events->mutex};
        const auto sink = concerned.lock();
        if (events->sink && (sink == nullptr || !sink->on_dropped(event.dropped))) events->sink(event);
    };
    hub_->clock().schedule(hub_->clock().now(), std::move(task));
}

void MemoryTransport::emit(const ConnectionEvent& event) noexcept {
    const std::lock_guard lock{events_->mutex};
    if (events_->sink) events_->sink(event);
}

}  // namespace freshet::detail
