// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/memory_hub.hpp"

#include <algorithm>
#include <utility>

#include "base/random_id.hpp"
#include "testing/memory/memory_subscription.hpp"
#include "testing/memory/memory_transport.hpp"

namespace freshet::detail {

Parcel::Parcel(const Publication& publication)
    : subject{publication.subject}, reply_to{publication.reply_to}, payload{as_text(publication.payload)} {
    if (publication.headers != nullptr) headers = *publication.headers;
}

std::size_t Parcel::size() const noexcept {
    constexpr std::string_view line = "NATS/1.0\r\n";
    constexpr std::size_t separators = 4;  // ": " and the line break
    std::size_t size = payload.size();
    if (!headers.empty()) size += line.size() + 2;
    for (const auto& [name, value] : headers) size += name.size() + value.size() + separators;
    return size;
}

Message Parcel::message() const { return Message::make(subject, as_bytes(payload), headers, reply_to); }

MemoryHub::MemoryHub(testing::MemoryServerOptions options)
    : options_{std::move(options)}, id_{"MEMORY" + random_id() + random_id() + "MEMORY"} {
    if (options_.clock == nullptr) options_.clock = std::make_shared<testing::VirtualClock>();
}

MemoryHub::~MemoryHub() = default;

void MemoryHub::intercept(testing::MemoryServer::Intercept intercept) {
    const std::lock_guard lock{mutex};
    intercept_ = std::move(intercept);
}

void MemoryHub::set_running(bool on) {
    {
        const std::lock_guard lock{mutex};
        if (std::exchange(running, on) == on) return;
        const auto all = connections;  // one that does not reconnect removes itself
        for (auto* connection : all) {
            if (on) connection->on_server_back();
            else connection->on_server_gone();
        }
        changed.notify_all();
    }
    // Sends only after all connections are back, so that no publication misses the subscriptions of a later one.
    while (const auto kept = next_kept()) route(kept->from, kept->parcel);
}

std::optional<MemoryHub::Kept> MemoryHub::next_kept() {
    const std::lock_guard lock{mutex};
    for (auto* connection : connections)
        if (auto parcel = connection->next_kept()) return Kept{connection->sender(), std::move(parcel)};
    return std::nullopt;
}

void MemoryHub::lame_duck() {
    const std::lock_guard lock{mutex};
    for (auto* connection : connections) connection->on_lame_duck();
}

void MemoryHub::add(const std::shared_ptr<MemorySubscription>& subscription) {
    subscription->id = ++last_id_;
    trie_.insert(subscription->spec().subject, subscription->id);
    subscriptions_.emplace(subscription->id, subscription);
    if (service_ == nullptr || !service_->pushes()) return;
    clock().schedule(clock().now(), [weak = weak_from_this()] {
        if (const auto hub = weak.lock()) hub->service_->on_subscribed();
    });
}

void MemoryHub::remove(MemorySubscription& subscription) {
    if (subscription.id == 0) return;
    trie_.erase(subscription.spec().subject, subscription.id);
    subscriptions_.erase(std::exchange(subscription.id, 0));
}

void MemoryHub::route(const Sender& from, const SharedParcel& parcel) {
    const auto receivers = receivers_of(from, parcel->subject);
    for (const auto& receiver : receivers) pass(receiver, parcel);
    const bool stored = serve(parcel);
    if (receivers.empty() && !stored && !parcel->reply_to.empty()) tell_no_responders(from, *parcel);
}

bool MemoryHub::serve(const SharedParcel& parcel) {
    constexpr std::string_view acks = "$JS.ACK.";
    if (service_ == nullptr) return false;
    if (!parcel->subject.starts_with(acks)) return service_->on_publish(parcel);
    const auto fate = fate_of("$JS.ACK.>", *parcel);
    for (std::size_t i = 0; i < fate.copies; ++i) {
        if (fate.delay.count() <= 0) service_->on_publish(parcel);
        else
            clock().schedule(clock().now() + fate.delay, [weak = weak_from_this(), parcel] {
                if (const auto hub = weak.lock()) hub->service_->on_publish(parcel);
            });
    }
    return true;
}

void MemoryHub::deliver(std::string_view to, const SharedParcel& parcel) {
    for (const auto& receiver : receivers_of({}, to)) pass(receiver, parcel);
}

bool MemoryHub::has_interest(std::string_view subject, std::string_view queue) {
    const std::lock_guard lock{mutex};
    const auto found = trie_.match(subject).ids;
    return std::ranges::any_of(found, [&](PatternId id) {
        return queue.empty() || subscriptions_.at(id)->spec().queue == queue;
    });
}

/// Returns the receivers of a subject in the order in which they subscribed, with one member of each queue group, in
/// turns. A group is known by its name alone, whatever the patterns of its members are, as in nats-server.
MemoryHub::Receivers MemoryHub::receivers_of(const Sender& from, std::string_view subject) {
    Receivers receivers;
    std::map<std::string_view, Receivers> groups;
    const std::lock_guard lock{mutex};
    for (const auto id : trie_.match(subject).ids) {
        const auto& subscription = subscriptions_.at(id);
        if (from.no_echo && &subscription->owner() == from.connection) continue;
        const auto& queue = subscription->spec().queue;
        (queue.empty() ? receivers : groups[queue]).push_back(subscription);
    }
    for (const auto& [queue, members] : groups) {
        const auto turn = turns_[std::string{queue}]++;
        receivers.push_back(members[turn % members.size()]);
    }
    return receivers;
}

/// Answers "no responders", as a server does: only to a subscription of the connection that asked.
void MemoryHub::tell_no_responders(const Sender& from, const Parcel& request) {
    std::shared_ptr<MemorySubscription> inbox;
    {
        const std::lock_guard lock{mutex};
        for (const auto id : trie_.match(request.reply_to).ids) {
            const auto& candidate = subscriptions_.at(id);
            const bool replies = from.no_echo || candidate->spec().lane == Lane::replies;
            if (&candidate->owner() == from.connection && replies && candidate->spec().queue.empty()) {
                inbox = candidate;
                break;
            }
        }
    }
    if (inbox == nullptr) return;
    auto status = std::make_shared<Parcel>();
    status->subject = request.reply_to;
    status->headers = {{"Status", "503"}, {"Nats-Subject", request.subject}};
    pass(inbox, status);
}

testing::Fate MemoryHub::fate_of(std::string_view subscription, const Parcel& parcel) {
    testing::MemoryServer::Intercept intercept;
    {
        const std::lock_guard lock{mutex};
        intercept = intercept_;
    }
    if (!intercept) return {};
    return intercept({.subject = parcel.subject, .subscription = subscription, .payload = as_bytes(parcel.payload)});
}

void MemoryHub::pass(const std::shared_ptr<MemorySubscription>& to, const SharedParcel& parcel) {
    const auto fate = fate_of(to->spec().subject, *parcel);
    for (std::size_t i = 0; i < fate.copies; ++i) {
        if (fate.delay.count() <= 0) to->take(parcel);
        else
            clock().schedule(clock().now() + fate.delay, [weak = std::weak_ptr{to}, parcel] {
                if (const auto late = weak.lock()) late->take(parcel);
            });
    }
}

}  // namespace freshet::detail
