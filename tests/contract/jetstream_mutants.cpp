// SPDX-License-Identifier: Apache-2.0
#include "jetstream_mutants.hpp"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <freshet/error.hpp>

namespace freshet::testing {
namespace {

using Json = nlohmann::json;

constexpr std::string_view forgets = "forgets ";
constexpr std::string_view loses = "loses ";
constexpr std::string_view asks_without = "asks without ";
constexpr std::string_view turns = "turns ";
constexpr std::string_view hides = "hides ";
constexpr std::string_view sorts = "sorts acknowledgements";
constexpr std::string_view empties = "answers nothing to ";

/// What is behind the prefix; empty: it is another kind of mutation.
std::string_view after(std::string_view mutation, std::string_view prefix) {
    return mutation.starts_with(prefix) ? mutation.substr(prefix.size()) : std::string_view{};
}

bool configures(std::string_view subject) {
    return subject.find(".CREATE.") != std::string_view::npos || subject.find(".UPDATE.") != std::string_view::npos;
}

std::string without(std::string_view text, std::string_view key) {
    auto json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return std::string{text};
    json.erase(std::string{key});
    if (json.contains("config")) json["config"].erase(std::string{key});
    return json.dump();
}

class MutantSink final : public MessageSink {
public:
    MutantSink(std::shared_ptr<MessageSink> inner, std::string_view mutation) : inner_{std::move(inner)} {
        if (const auto status = after(mutation, hides); !status.empty()) hidden_ = std::stoi(std::string{status});
        sorts_ = mutation == sorts;
    }

    void on_message(Message message) noexcept override {
        if (sorts_ && message.text().starts_with("{\"stream\""))
            message = Message::make(message.subject(), as_bytes(without(message.text(), "")));
        if (message.status() == 0 || message.status() != hidden_) inner_->on_message(std::move(message));
    }
    void on_end() noexcept override { inner_->on_end(); }

private:
    std::shared_ptr<MessageSink> inner_;
    int hidden_ = 0;
    bool sorts_ = false;
};

class Mutant final : public Transport {
public:
    Mutant(std::unique_ptr<Transport> inner, std::string_view mutation)
        : inner_{std::move(inner)}, mutation_{mutation} {}

    Expected<void> open(std::chrono::milliseconds wait, EventSink events) override {
        return inner_->open(wait, std::move(events));
    }

    void on_loss(std::function<void()> lost) override { inner_->on_loss(std::move(lost)); }

    Expected<void> publish(const Publication& publication) override {
        auto other = publication;
        std::string text{as_text(publication.payload)};
        Headers headers;
        if (publication.headers != nullptr) headers = *publication.headers;
        if (const auto key = after(mutation_, forgets); !key.empty() && configures(publication.subject))
            text = without(text, key);
        if (const auto key = after(mutation_, asks_without);
            !key.empty() && !publication.subject.starts_with("$JS.ACK.") && !configures(publication.subject))
            text = without(text, key);
        if (const auto name = after(mutation_, loses); !name.empty()) headers.erase(name);
        if (const auto subject = after(mutation_, empties);
            !subject.empty() && publication.subject.starts_with(subject))
            return {};
        if (const auto words = after(mutation_, turns); !words.empty() && publication.subject.starts_with("$JS.ACK.")) {
            const auto into = words.find(" into ");
            if (text.starts_with(words.substr(0, into))) text = words.substr(into + 6);
        }
        other.payload = as_bytes(text);
        other.headers = headers.empty() ? nullptr : &headers;
        return inner_->publish(other);
    }

    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink) override {
        if (mutation_ == sorts || mutation_.starts_with(hides))
            sink = std::make_shared<MutantSink>(std::move(sink), mutation_);
        auto changed = spec;
        if (mutation_ == "knows no queue groups") changed.queue.clear();
        return inner_->subscribe(changed, std::move(sink));
    }

    Expected<void> flush(std::chrono::milliseconds timeout) override { return inner_->flush(timeout); }
    bool drain_deliveries(std::chrono::milliseconds timeout) override { return inner_->drain_deliveries(timeout); }
    void close(std::chrono::milliseconds timeout) override { inner_->close(timeout); }
    ServerInfo server() const override { return inner_->server(); }
    TransportStats stats() const override { return inner_->stats(); }

private:
    std::unique_ptr<Transport> inner_;
    std::string_view mutation_;
};

}  // namespace

std::vector<Mutation> jetstream_mutations() {
    return {
        {"forgets first_seq", "stream.first_seq"},
        {"forgets subjects", "stream.subjects"},
        {"answers nothing to $JS.API.STREAM.DELETE", "stream.exists"},
        {"forgets max_msgs", "stream.max_msgs"},
        {"forgets max_bytes", "stream.max_bytes"},
        {"forgets max_age", "stream.max_age"},
        {"forgets max_msgs_per_subject", "stream.max_msgs_per_subject"},
        {"forgets max_msg_size", "stream.max_msg_size"},
        {"forgets discard", "stream.discard_new"},
        {"forgets retention", "stream.workqueue"},
        {"forgets retention", "stream.interest"},
        {"asks without keep", "stream.purge"},
        {"asks without filter", "stream.purge"},
        {"asks without next_by_subj", "stream.get"},
        {"asks without batch", "stream.direct"},
        {"forgets allow_direct", "stream.direct"},
        {"hides 503", "stream.no_direct"},
        {"loses Nats-Rollup", "stream.rollup"},
        {"forgets sealed", "stream.sealed"},
        {"forgets subject_transform", "stream.transform"},
        {"forgets republish", "stream.republish"},
        {"forgets mirror", "stream.mirror"},
        {"forgets sources", "stream.sources"},
        {sorts, "publish.ack"},
        {"forgets duplicate_window", "publish.dedupe"},
        {"loses Nats-Msg-Id", "publish.dedupe"},
        {"loses Nats-Expected-Last-Sequence", "publish.last_sequence"},
        {"loses Nats-Expected-Last-Subject-Sequence", "publish.last_subject_sequence"},
        {"loses Nats-Expected-Last-Subject-Sequence-Subject", "publish.last_subject_sequence"},
        {"loses Nats-Expected-Last-Msg-Id", "publish.last_id"},
        {"loses Nats-Expected-Stream", "publish.stream"},
        {"loses Nats-TTL", "publish.ttl"},
        {"forgets subject_delete_marker_ttl", "publish.marker"},
        {"forgets allow_msg_counter", "publish.counter"},
        {"loses Nats-Batch-Id", "publish.batch"},
        {"loses Nats-Batch-Commit", "publish.batch"},
        {"loses Nats-Schedule", "publish.schedule_at"},
        {"loses Nats-Schedule-Target", "publish.schedule_every"},
        {"answers nothing to $JS.API.STREAM.PURGE", "publish.schedule_every"},
        {"asks without batch", "pull.batch"},
        {"forgets filter_subject", "pull.metadata"},
        {"asks without no_wait", "pull.no_wait"},
        {"hides 404", "pull.no_wait"},
        {"asks without expires", "pull.expires"},
        {"hides 408", "pull.expires"},
        {"asks without idle_heartbeat", "pull.heartbeat"},
        {"asks without max_bytes", "pull.max_bytes"},
        {"forgets max_batch", "pull.limits"},
        {"forgets max_expires", "pull.limits"},
        {"forgets max_waiting", "pull.limits"},
        {"forgets deliver_policy", "consumer.deliver"},
        {"forgets opt_start_seq", "consumer.deliver"},
        {"forgets opt_start_time", "consumer.deliver"},
        {"forgets filter_subjects", "consumer.filters"},
        {"forgets headers_only", "consumer.headers_only"},
        {"forgets inactive_threshold", "consumer.inactive"},
        {"forgets action", "consumer.exists"},
        {"hides 409", "consumer.exists"},
        {"forgets pause_until", "consumer.pause"},
        {"answers nothing to $JS.API.CONSUMER.PAUSE", "consumer.pause"},
        {"forgets priority_groups", "consumer.overflow"},
        {"asks without min_pending", "consumer.overflow"},
        {"forgets priority_policy", "consumer.pinned"},
        {"answers nothing to $JS.API.CONSUMER.UNPIN", "consumer.pinned"},
        {"forgets deliver_subject", "push.delivers"},
        {"knows no queue groups", "push.queue"},
        {"forgets idle_heartbeat", "push.heartbeat"},
        {"forgets flow_control", "push.flow_control"},
        {"answers nothing to $JS.FC.", "push.flow_control"},
        {"answers nothing to $JS.ACK.", "ack.ack"},
        {"answers nothing to $JS.ACK.", "ack.confirmed"},
        {"forgets ack_wait", "ack.wait"},
        {"turns -NAK into +WPI", "ack.nak"},
        {"turns -NAK into -NAK", "ack.nak_delay"},
        {"turns +TERM into -NAK", "ack.term"},
        {"turns +WPI into ", "ack.progress"},
        {"forgets max_deliver", "ack.max_deliver"},
        {"forgets backoff", "ack.backoff"},
        {"forgets max_ack_pending", "ack.max_pending"},
        {"forgets ack_policy", "ack.all"},
        {"turns -NAK into +TERM", "ack.order"},
    };
}

std::unique_ptr<Transport> mutate_jetstream(std::unique_ptr<Transport> transport, std::string_view mutation) {
    return std::make_unique<Mutant>(std::move(transport), mutation);
}

}  // namespace freshet::testing
