// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/jetstream/consumer.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "jetstream/api/rfc3339.hpp"
#include "testing/memory/jetstream/stream.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;
using Json = nlohmann::json;

constexpr nanoseconds default_ack_wait = std::chrono::seconds{30};
// The inactive_threshold of an ephemeral consumer that sets none.
constexpr nanoseconds default_inactive_threshold = std::chrono::seconds{5};
constexpr std::int64_t default_max_ack_pending = 1'000;

}  // namespace

MemoryConsumer::MemoryConsumer(JetStreamContext& context, MemoryStream& stream, Json config)
    : context_{context}, stream_{stream}, created_{context.creation_date()}, active_{context.now()} {
    if (!config.value("deliver_subject", "").empty())
        push_.emplace(context, fmt::format("$JS.FC.{}.{}.", stream.name(), config.value("name", "")));
    update(std::move(config));
    begin();
    count_new();
}

void MemoryConsumer::update(Json config) {
    config_ = std::move(config);
    filters_ = config_.value("filter_subjects", std::vector<std::string>{});
    if (const auto one = config_.value("filter_subject", ""); !one.empty()) filters_.push_back(one);
    pulls_.configure(config_);
    if (push_) push_->configure(config_);
    const auto until = parse_rfc3339(config_.value("pause_until", ""));
    paused_until_ = until ? context_.time_of(*until) : TimePoint{};
    count_new();
}

/// Sets the cursor to where the deliver policy says.
void MemoryConsumer::begin() {
    const auto policy = config_.value("deliver_policy", "all");
    const auto& messages = stream_.messages();
    cursor_ = messages.empty() ? stream_.last_sequence() + 1 : messages.begin()->first;
    if (policy == "new") {
        cursor_ = stream_.last_sequence() + 1;
    } else if (policy == "by_start_sequence") {
        cursor_ = std::max(cursor_, config_.value("opt_start_seq", std::uint64_t{1}));
    } else if (policy == "by_start_time") {
        const auto date = parse_rfc3339(config_.value("opt_start_time", "")).value_or(context_.date(TimePoint{}));
        const auto from =
            std::ranges::find_if(messages, [&](const auto& entry) { return context_.date(entry.second.time) >= date; });
        cursor_ = from == messages.end() ? stream_.last_sequence() + 1 : from->first;
    } else if (policy == "last" || policy == "last_per_subject") {
        std::map<std::string, std::uint64_t> last;
        for (const auto& [sequence, stored] : messages)
            if (matches(stored.parcel->subject)) last[policy == "last" ? "" : stored.parcel->subject] = sequence;
        for (const auto& [subject, sequence] : last) only_.insert(sequence);
        only_until_ = stream_.last_sequence();
    }
}

void MemoryConsumer::count_new() {
    const auto& messages = stream_.messages();
    pending_new_ = static_cast<std::uint64_t>(std::count_if(messages.lower_bound(cursor_), messages.end(),
                                                            [&](const auto& entry) { return wants(entry.second); }));
}

bool MemoryConsumer::matches(std::string_view subject) const {
    return filters_.empty() ||
           std::ranges::any_of(filters_, [&](const auto& filter) { return wire_matches(filter, subject); });
}

bool MemoryConsumer::wants(const StoredParcel& stored) const {
    const bool left_out = stored.sequence <= only_until_ && !only_.contains(stored.sequence);
    return !left_out && matches(stored.parcel->subject);
}

Json MemoryConsumer::info() const {
    std::uint64_t redelivered = 0;
    for (const auto& [sequence, count] : deliveries_) redelivered += count > 1 ? 1 : 0;
    Json info{{"stream_name", stream_.name()},
              {"name", config_.value("name", "")},
              {"created", format_rfc3339(created_)},
              {"config", config_},
              {"delivered", {{"consumer_seq", delivered_}, {"stream_seq", delivered_stream_}}},
              {"ack_floor", {{"consumer_seq", floor_}, {"stream_seq", floor_stream_}}},
              {"num_ack_pending", pending_.size()},
              {"num_redelivered", redelivered},
              {"num_waiting", pulls_.size()},
              {"num_pending", pending_new_}};
    if (push_) info["push_bound"] = push_->bound();
    if (config_.contains("priority_groups")) info["priority_groups"] = pulls_.groups();
    if (paused()) {
        info["paused"] = true;
        info["pause_remaining"] = nanoseconds{paused_until_ - context_.now()}.count();
    }
    return info;
}

Json MemoryConsumer::pause(std::string_view until) {
    auto config = config_;
    config.erase("pause_until");
    if (!until.empty()) config["pause_until"] = until;
    update(std::move(config));
    pump();
    Json answer{{"paused", paused()}};
    if (!paused()) return answer;
    answer["pause_until"] = until;
    answer["pause_remaining"] = nanoseconds{paused_until_ - context_.now()}.count();
    return answer;
}

Json MemoryConsumer::reset(std::uint64_t sequence) {
    const auto policy = config_.value("deliver_policy", "all");
    const bool may_choose = policy == "all" || policy == "by_start_sequence" || policy == "by_start_time";
    const auto earliest = config_.value("opt_start_seq", std::uint64_t{0});
    if (sequence > 0 && (!may_choose || sequence < earliest))
        return ApiError{400, 10204, "consumer reset is invalid"}.json();
    if (sequence > 0) floor_stream_ = sequence - 1;
    delivered_ = floor_ = 0;
    delivered_stream_ = floor_stream_;
    cursor_ = floor_stream_ + 1;
    pending_.clear();
    deliveries_.clear();
    again_.clear();
    count_new();
    auto answer = info();
    answer["reset_seq"] = cursor_;
    pump();
    return answer;
}

void MemoryConsumer::unpin(std::string_view group) {
    pulls_.unpin(group);
    pump();
}

void MemoryConsumer::confirmed(std::string_view subject) {
    if (push_) push_->confirmed(subject);
    pump();
}

void MemoryConsumer::pull(const std::string& reply_to, const Json& request) {
    active_ = context_.now();
    if (push_) return context_.send_status(reply_to, 409, "Consumer is push based");
    if (!pulls_.add(reply_to, request)) return;
    pump();
    pulls_.end_impatient();
}

void MemoryConsumer::pump() {
    while (!paused() && (push_ ? push_->ready() : pulls_.ready(backlog()))) {
        const auto found = next();
        if (found.stored == nullptr) return;
        if (!deliver(*found.stored)) return put_back(found);
    }
}

MemoryConsumer::Next MemoryConsumer::next() {
    if (const auto* again = next_again()) return {again, true};
    const auto most = config_.value("max_ack_pending", default_max_ack_pending);
    if (acks() && most > 0 && pending_.size() >= static_cast<std::size_t>(most)) return {};
    return {next_new(), false};
}

void MemoryConsumer::put_back(const Next& next) {
    const auto sequence = next.stored->sequence;
    if (next.again) {
        again_.push_front(sequence);
    } else {
        cursor_ = sequence;
        ++pending_new_;
    }
}

const StoredParcel* MemoryConsumer::next_again() {
    const auto most = config_.value("max_deliver", std::int64_t{-1});
    while (!again_.empty()) {
        const auto sequence = again_.front();
        again_.pop_front();
        const auto found = stream_.messages().find(sequence);
        const bool pending = pending_.contains(sequence);
        const bool exhausted = most > 0 && deliveries_[sequence] >= static_cast<std::uint64_t>(most);
        if (pending && !exhausted && found != stream_.messages().end()) return &found->second;
        pending_.erase(sequence);  // the message stays in the stream and is not delivered any more
        move_ack_floor();
    }
    return nullptr;
}

const StoredParcel* MemoryConsumer::next_new() {
    const auto& messages = stream_.messages();
    for (auto entry = messages.lower_bound(cursor_); entry != messages.end(); ++entry) {
        cursor_ = entry->first + 1;
        if (!wants(entry->second)) continue;
        --pending_new_;
        return &entry->second;
    }
    return nullptr;
}

Parcel MemoryConsumer::parcel_of(const StoredParcel& stored, std::uint64_t count) const {
    const auto time = std::chrono::duration_cast<nanoseconds>(context_.date(stored.time).time_since_epoch());
    Parcel parcel = *stored.parcel;
    if (config_.value("headers_only", false)) {
        parcel.headers.set("Nats-Msg-Size", std::to_string(parcel.payload.size()));
        parcel.payload.clear();
    }
    parcel.reply_to = fmt::format("$JS.ACK.{}.{}.{}.{}.{}.{}.{}", stream_.name(), config_.value("name", ""), count,
                                  stored.sequence, delivered_ + 1, time.count(), pending_new_);
    return parcel;
}

bool MemoryConsumer::deliver(const StoredParcel& stored) {
    const auto sequence = stored.sequence;
    const auto before = deliveries_.find(sequence);
    const auto count = (before == deliveries_.end() ? 0 : before->second) + 1;
    auto parcel = parcel_of(stored, count);
    if (push_) push_->send(parcel);
    // Counts the message at hand as pending, because a request may need a number of pending messages.
    else if (!pulls_.send(parcel, {.pending = pending_new_ + 1, .ack_pending = pending_.size()})) return false;
    ++delivered_;
    delivered_stream_ = std::max(delivered_stream_, sequence);
    if (acks()) {
        deliveries_[sequence] = count;
        pending_[sequence] = {.consumer_sequence = delivered_, .due = context_.now() + wait_after(count)};
    } else {
        move_ack_floor();
        stream_.acknowledged(sequence);
    }
    return true;
}

nanoseconds MemoryConsumer::wait_after(std::uint64_t deliveries) const {
    const auto backoff = config_.value("backoff", std::vector<std::int64_t>{});
    if (backoff.empty()) return nanoseconds{config_.value("ack_wait", default_ack_wait.count())};
    return nanoseconds{backoff[std::min<std::size_t>(deliveries - 1, backoff.size() - 1)]};
}

void MemoryConsumer::settle(std::uint64_t sequence, std::string_view word) {
    active_ = context_.now();
    const auto found = pending_.find(sequence);
    if (found == pending_.end()) return;
    if (word.starts_with("+WPI")) {
        found->second.due = context_.now() + wait_after(deliveries_[sequence]);
    } else if (word.starts_with("-NAK")) {
        const auto options = Json::parse(word.substr(4), nullptr, false);
        const auto delay = options.is_object() ? time_in(options, "delay") : nanoseconds{0};
        found->second.due = context_.now() + delay;
        std::erase(again_, sequence);
        if (delay.count() <= 0) {
            found->second.due = TimePoint::max();  // it is in the queue for redelivery
            again_.push_back(sequence);
        }
    } else if (config_.value("ack_policy", "") == "all" && !word.starts_with("+TERM")) {
        while (!pending_.empty() && pending_.begin()->first <= sequence) done_with(pending_.begin()->first);
    } else {
        done_with(sequence);
    }
    pump();
}

void MemoryConsumer::done_with(std::uint64_t sequence) {
    pending_.erase(sequence);
    deliveries_.erase(sequence);
    std::erase(again_, sequence);
    move_ack_floor();
    stream_.acknowledged(sequence);
}

void MemoryConsumer::move_ack_floor() {
    floor_stream_ = pending_.empty() ? delivered_stream_ : pending_.begin()->first - 1;
    floor_ = pending_.empty() ? delivered_ : pending_.begin()->second.consumer_sequence - 1;
}

void MemoryConsumer::on_stored(const StoredParcel& stored) {
    if (!wants(stored)) return;
    ++pending_new_;
    pump();
}

void MemoryConsumer::on_removed(const StoredParcel& stored) {
    const auto sequence = stored.sequence;
    if (sequence >= cursor_ && wants(stored)) --pending_new_;
    deliveries_.erase(sequence);
    std::erase(again_, sequence);
    if (pending_.erase(sequence) > 0) move_ack_floor();
}

bool MemoryConsumer::needs(const StoredParcel& stored) const {
    return wants(stored) && (stored.sequence >= cursor_ || pending_.contains(stored.sequence));
}

nanoseconds MemoryConsumer::threshold() const {
    const auto threshold = time_in(config_, "inactive_threshold");
    const bool ephemeral = config_.value("durable_name", "").empty();
    return threshold.count() > 0 || !ephemeral ? threshold : default_inactive_threshold;
}

TimePoint MemoryConsumer::next_due() const {
    auto due = pulls_.next_due();
    for (const auto& [sequence, pending] : pending_) due = std::min(due, pending.due);
    if (push_) due = std::min(due, push_->next_due());
    if (paused()) due = std::min(due, paused_until_);
    if (threshold().count() > 0 && (push_ || !used())) due = std::min(due, active_ + threshold());
    return due;
}

void MemoryConsumer::run_due() {
    const auto now = context_.now();
    for (auto& [sequence, pending] : pending_) {
        if (pending.due > now) continue;
        pending.due = TimePoint::max();
        again_.push_back(sequence);
    }
    if (pulls_.run_due(delivered_, delivered_stream_) || (push_ && push_->bound())) active_ = now;
    if (push_) push_->run_due(delivered_, delivered_stream_);
    pump();
}

bool MemoryConsumer::inactive() const {
    return threshold().count() > 0 && !used() && active_ + threshold() <= context_.now();
}

void MemoryConsumer::close() { pulls_.close(); }

}  // namespace freshet::detail
