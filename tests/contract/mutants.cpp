// SPDX-License-Identifier: Apache-2.0
#include "mutants.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>

#include <freshet/error.hpp>

namespace freshet::testing {
namespace {

/// Spoils messages on their way to a sink.
class MutantSink final : public MessageSink {
public:
    MutantSink(std::shared_ptr<MessageSink> inner, std::string_view mutation, Lane lane)
        : inner_{std::move(inner)}, mutation_{mutation}, lane_{lane} {}

    void on_message(Message message) noexcept override {
        const auto number = ++count_;
        if (is("loses one") && number == 3) return;
        if (is("empty body lost") && message.text().empty() && message.status() == 0) return;
        if (is("holds one back") && number == 10) {
            held_ = std::move(message);
            return;
        }
        if (is("no 503") && message.status() == 503) return;
        const auto copy = copy_of(message);
        inner_->on_message(spoiled(std::move(message)));
        if (is("twice") && number == 1) inner_->on_message(copy_of(copy));
        if (is("again inside") && lane_ == Lane::deliveries && number == 7) inner_->on_message(copy_of(copy));
        if (held_) inner_->on_message(std::exchange(held_, {}));
    }

    void on_end() noexcept override {
        if (is("no end")) return;
        inner_->on_end();
        if (is("two ends")) inner_->on_end();
        if (is("after the end")) inner_->on_message(Message::make("x", as_bytes("late")));
    }

private:
    bool is(std::string_view mutation) const noexcept { return mutation_ == mutation; }

    static Message copy_of(const Message& message) {
        return Message::make(message.subject(), message.payload(), message.headers(), message.reply_to());
    }

    Message spoiled(Message message) const {
        if (is("other subject"))
            return Message::make("other", message.payload(), message.headers(), message.reply_to());
        if (is("no reply subject")) return Message::make(message.subject(), message.payload(), message.headers());
        if (is("no headers")) return Message::make(message.subject(), message.payload(), {}, message.reply_to());
        if (is("one value of a header")) {
            Headers headers;
            for (const auto& [name, value] : message.headers()) headers.set(name, value);
            return Message::make(message.subject(), message.payload(), headers, message.reply_to());
        }
        if (is("ends at NUL"))
            return Message::make(message.subject(), as_bytes(message.text().substr(0, message.text().find('\0'))),
                                 message.headers(), message.reply_to());
        return message;
    }

    std::shared_ptr<MessageSink> inner_;
    std::string_view mutation_;
    Lane lane_;
    std::size_t count_ = 0;
    Message held_ = {};
};

class MutantSubscription final : public TransportSubscription {
public:
    MutantSubscription(std::unique_ptr<TransportSubscription> inner, std::string_view mutation)
        : inner_{std::move(inner)}, mutation_{mutation} {}
    ~MutantSubscription() override {
        if (is("never unsubscribes")) kept().push_back(std::move(inner_));
    }

    void drain(std::chrono::milliseconds timeout) override {
        if (is("drain drops")) timeout = {};
        if (is("drain takes its time") && timeout.count() == 0) timeout = std::chrono::minutes{1};
        inner_->drain(timeout);
    }
    Expected<void> auto_unsubscribe(std::uint64_t count) override {
        if (is("any count") && (count == 0 || count > 2'000'000'000)) return {};
        if (is("one too many")) ++count;
        if (is("counts from now")) count += 2;
        return inner_->auto_unsubscribe(count);
    }
    std::size_t pending() const override { return is("nothing pending") ? 0 : inner_->pending(); }
    std::uint64_t dropped() const override { return is("nothing dropped") ? 0 : inner_->dropped(); }

private:
    bool is(std::string_view mutation) const noexcept { return mutation_ == mutation; }
    /// Until the process ends.
    static std::vector<std::unique_ptr<TransportSubscription>>& kept() {
        static auto& all = *new std::vector<std::unique_ptr<TransportSubscription>>;
        return all;
    }

    std::unique_ptr<TransportSubscription> inner_;
    std::string_view mutation_;
};

class Mutant final : public Transport {
public:
    Mutant(std::unique_ptr<Transport> inner, std::string_view mutation)
        : inner_{std::move(inner)}, mutation_{mutation} {}

    Expected<void> open(std::chrono::milliseconds wait, EventSink events) override {
        if (is("opens anyway")) std::ignore = inner_->open(wait, events);
        if (is("opens anyway")) return {};
        return inner_->open(wait, [this, events](const ConnectionEvent& event) { tell(events, event); });
    }

    void on_loss(std::function<void()> lost) override { inner_->on_loss(std::move(lost)); }

    Expected<void> publish(const Publication& publication) override {
        if (is("reply subjects mixed up") && !publication.reply_to.empty()) {
            auto other = publication;
            other.reply_to = "_INBOX.c.other";
            return inner_->publish(other);
        }
        if (is("headers without body lost") && publication.payload.empty() && publication.headers != nullptr) {
            auto other = publication;
            other.headers = nullptr;
            return inner_->publish(other);
        }
        if (is("cuts large bodies") && publication.payload.size() > 60'000) {
            auto other = publication;
            other.payload = publication.payload.first(60'000);
            return inner_->publish(other);
        }
        if (is("any subject") && publication.subject.empty()) return {};
        auto sent = inner_->publish(publication);
        if (!sent && is("forgets that it is too large") && sent.error().code() == Errc::payload_too_large) return {};
        if (!sent && is("endless buffer") && sent.error().code() == Errc::buffer_full) return {};
        if (!sent && is("published although closed") && sent.error().code() == Errc::closed) return {};
        return sent;
    }

    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink) override {
        auto changed = spec;
        if (is("no queue groups")) changed.queue.clear();
        if (is("groups by subject") && !spec.queue.empty()) changed.queue += "." + spec.subject;
        if (is("one group") && !spec.queue.empty()) changed.queue = "all";
        if (is("no limits")) changed.max_pending_messages = changed.max_pending_bytes = 0;
        if (is("star is the tail")) std::ranges::replace(changed.subject, '*', '>');
        if (is("star is the tail") && changed.subject.find('>') != std::string::npos)
            changed.subject.resize(changed.subject.find('>') + 1);
        if (is("inboxes are drained")) changed.lane = Lane::deliveries;
        auto wrapped = std::make_shared<MutantSink>(std::move(sink), mutation_, spec.lane);
        auto made = inner_->subscribe(changed, std::move(wrapped));
        if (!made) return made;
        return std::make_unique<MutantSubscription>(*std::move(made), mutation_);
    }

    Expected<void> flush(std::chrono::milliseconds timeout) override { return inner_->flush(timeout); }

    bool drain_deliveries(std::chrono::milliseconds timeout) override {
        if (is("drains nothing")) return true;
        const bool drained = inner_->drain_deliveries(timeout);
        return is("never drained") ? false : drained;
    }

    void close(std::chrono::milliseconds timeout) override {
        if (is("does not close")) return;
        inner_->close(timeout);
    }

    ServerInfo server() const override {
        auto info = inner_->server();
        if (is("no server id")) info.id.clear();
        return info;
    }
    TransportStats stats() const override {
        auto stats = inner_->stats();
        if (is("no count of bytes")) stats.in_bytes = stats.out_bytes = 0;
        if (is("no count of reconnects")) stats.reconnects = 0;
        return stats;
    }

private:
    bool is(std::string_view mutation) const noexcept { return mutation_ == mutation; }

    void tell(const EventSink& events, const ConnectionEvent& event) const {
        using Kind = ConnectionEvent::Kind;
        if (!events) return;
        if (is("no slow_consumer") && event.kind == Kind::slow_consumer) return;
        if (is("no closed") && event.kind == Kind::closed) return;
        if (is("no disconnected") && event.kind == Kind::disconnected) return;
        events(event);
        if (is("connected twice") && event.kind == Kind::connected) events(event);
    }

    std::unique_ptr<Transport> inner_;
    std::string_view mutation_;
};

}  // namespace

std::vector<Mutation> mutations() {
    return {
        {"loses one", "delivery.order"},
        {"empty body lost", "subject.literal"},
        {"holds one back", "delivery.order"},
        {"twice", "subject.literal"},
        {"again inside", "delivery.order"},
        {"other subject", "subject.literal"},
        {"no reply subject", "subject.literal"},
        {"star is the tail", "subject.wildcards"},
        {"no headers", "headers.values"},
        {"one value of a header", "headers.values"},
        {"headers without body lost", "headers.without_body"},
        {"ends at NUL", "payload.bytes"},
        {"cuts large bodies", "payload.bytes"},
        {"forgets that it is too large", "payload.max"},
        {"no queue groups", "queue.one_member"},
        {"groups by subject", "queue.by_name"},
        {"one group", "queue.beside_others"},
        {"never unsubscribes", "queue.member_left"},
        {"no 503", "request.no_responders"},
        {"reply subjects mixed up", "request.reply"},
        {"no end", "end.unsubscribe"},
        {"two ends", "end.unsubscribe"},
        {"after the end", "end.auto_unsubscribe"},
        {"one too many", "end.auto_unsubscribe"},
        {"counts from now", "end.auto_unsubscribe_counts"},
        {"any count", "end.auto_unsubscribe_bounds"},
        {"drain drops", "end.drain"},
        {"drain takes its time", "end.drain_at_once"},
        {"drains nothing", "end.drain_deliveries"},
        {"never drained", "end.drain_deliveries"},
        {"inboxes are drained", "end.drain_deliveries"},
        {"does not close", "end.close"},
        {"published although closed", "end.close"},
        {"no limits", "limit.messages"},
        {"nothing dropped", "limit.bytes"},
        {"no slow_consumer", "limit.messages"},
        {"opens anyway", "open.unreachable"},
        {"any subject", "subject.bad"},
        {"no server id", "info.server"},
        {"no count of bytes", "info.stats"},
        {"nothing pending", "info.pending"},
        {"connected twice", "events.connected_closed"},
        {"no closed", "events.connected_closed"},
        {"no disconnected", "reconnect.restores"},
        {"no count of reconnects", "reconnect.restores"},
        {"endless buffer", "reconnect.buffer"},
    };
}

std::unique_ptr<Transport> mutate(std::unique_ptr<Transport> transport, std::string_view mutation) {
    return std::make_unique<Mutant>(std::move(transport), mutation);
}

}  // namespace freshet::testing
