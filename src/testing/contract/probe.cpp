// SPDX-License-Identifier: Apache-2.0
#include "testing/contract/probe.hpp"

#include <algorithm>

namespace freshet::contract::detail {

std::string shown(const Texts& texts) {
    constexpr std::size_t most = 10;
    std::string text = "[";
    for (std::size_t i = 0; i < std::min(texts.size(), most); ++i) text += (i == 0 ? "" : ", ") + shown(texts[i]);
    if (texts.size() > most) text += fmt::format(", ... {} in all", texts.size());
    return text + "]";
}

void Probe::on_message(Message message) noexcept {
    if (inside_.exchange(true)) blame("on_message was called while it ran");
    if (ends_ > 0) blame("on_message was called after on_end");
    Seen seen{.subject = std::string{message.subject()},
              .reply_to = std::string{message.reply_to()},
              .text = std::string{message.text()},
              .headers = message.headers(),
              .status = message.status()};
    {
        const std::lock_guard lock{mutex_};
        seen_.push_back(seen);
    }
    if (on_each_) {
        try {
            on_each_(seen);
        } catch (const std::exception& error) { blame(error.what()); }
    }
    inside_ = false;
}

void Probe::on_end() noexcept {
    if (inside_) blame("on_end was called while on_message ran");
    if (ends_++ > 0) blame("on_end was called twice");
}

void Probe::blame(std::string_view fault) {
    const std::lock_guard lock{mutex_};
    if (fault_.empty()) fault_ = fault;
}

std::string Probe::fault() const {
    const std::lock_guard lock{mutex_};
    return fault_;
}

std::vector<Probe::Seen> Probe::seen() const {
    const std::lock_guard lock{mutex_};
    return seen_;
}

Texts Probe::texts() const {
    Texts texts;
    for (const auto& one : seen()) texts.push_back(one.text);
    return texts;
}

std::size_t Probe::size() const {
    const std::lock_guard lock{mutex_};
    return seen_.size();
}

Peer::Peer(Environment& environment, const BrokerOptions& options) : transport_{environment.connect(options)} {
    value_or_raise(transport_->open(patience, [log = log_](const ConnectionEvent& event) {
        const std::lock_guard lock{log->mutex};
        log->events.push_back(event);
    }));
}

void Peer::verify() const {
    for (const auto& line : lines_) require(line.probe->fault().empty(), line.probe->fault());
}

Probe& Peer::subscribe(const SubscriptionSpec& spec, Probe::OnEach on_each) {
    auto probe = std::make_shared<Probe>(std::move(on_each));
    auto subscription = value_or_raise(transport_->subscribe(spec, probe));
    flush();
    return *lines_.emplace_back(std::move(probe), std::move(subscription)).probe;
}

TransportSubscription& Peer::subscription(const Probe& probe) const {
    return *std::ranges::find_if(lines_, [&](const Line& line) { return line.probe.get() == &probe; })->subscription;
}

void Peer::unsubscribe(const Probe& probe) {
    std::ranges::find_if(lines_, [&](const Line& line) { return line.probe.get() == &probe; })->subscription.reset();
}

void Peer::publish(std::string_view subject, std::string_view text, std::string_view reply_to, const Headers* headers) {
    value_or_raise(
        transport_->publish({.subject = subject, .reply_to = reply_to, .payload = as_bytes(text), .headers = headers}));
}

void Peer::flush() { value_or_raise(transport_->flush(patience)); }

std::vector<ConnectionEvent> Peer::events() const {
    const std::lock_guard lock{log_->mutex};
    return log_->events;
}

std::size_t Peer::count(ConnectionEvent::Kind kind) const {
    const auto all = events();
    return static_cast<std::size_t>(std::ranges::count(all, kind, &ConnectionEvent::kind));
}

std::size_t Peer::pending() const {
    std::size_t pending = 0;
    for (const auto& line : lines_)
        if (line.subscription != nullptr) pending += line.subscription->pending();
    return pending;
}

void settle(Environment& environment, std::initializer_list<Peer*> peers) {
    for (auto* peer : peers) peer->flush();  // the server has everything
    for (auto* peer : peers) peer->flush();  // and has sent it to everybody
    const auto idle = [&] { return std::ranges::all_of(peers, [](auto* peer) { return peer->pending() == 0; }); };
    require(environment.eventually(idle), "what had arrived was not delivered");
}

void wait_for(Environment& environment, const Probe& probe, std::size_t messages) {
    if (environment.eventually([&] { return probe.size() >= messages; })) return;
    throw Violation{
        fmt::format("{} messages were awaited, and {} came: {}", messages, probe.size(), shown(probe.texts()))};
}

void wait_for_end(Environment& environment, const Probe& probe) {
    require(environment.eventually([&] { return probe.ends() > 0; }), "on_end was not called");
}

}  // namespace freshet::contract::detail
