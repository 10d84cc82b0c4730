// SPDX-License-Identifier: Apache-2.0
#include "consumer.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "../../jetstream/rfc3339.hpp"
#include "stream.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;
using Json = nlohmann::json;

constexpr nanoseconds default_ack_wait = std::chrono::seconds{30};
constexpr std::int64_t default_max_ack_pending = 1'000;

nanoseconds time_in(const Json& json, const char* key) { return nanoseconds{json.value(key, std::int64_t{0})}; }

}  // namespace

std::optional<ApiError> MemoryConsumer::complete(Json& config) {
    if (!config.value("deliver_subject", "").empty())
        return ApiError{400, 10012, "the memory server has pull consumers only"};
    const auto fill = [&](const char* key, const Json& value) {
        if (!config.contains(key)) config[key] = value;
    };
    fill("deliver_policy", "all");
    fill("ack_policy", "none");
    fill("replay_policy", "instant");
    fill("max_deliver", -1);
    fill("num_replicas", 0);
    if (config["ack_policy"] != "none") {
        fill("ack_wait", default_ack_wait.count());
        fill("max_ack_pending", default_max_ack_pending);
    }
    fill("max_waiting", 512);
    if (config.contains("backoff") && !config["backoff"].empty()) config["ack_wait"] = config["backoff"].front();
    return std::nullopt;
}

MemoryConsumer::MemoryConsumer(JetStreamContext& context, MemoryStream& stream, Json config)
    : context_{context}, stream_{stream}, created_{context.now()}, active_{context.now()} {
    update(std::move(config));
    begin();
}

void MemoryConsumer::update(Json config) {
    config_ = std::move(config);
    filters_ = config_.value("filter_subjects", std::vector<std::string>{});
    if (const auto one = config_.value("filter_subject", ""); !one.empty()) filters_.push_back(one);
}

/// Where the deliver policy says to begin.
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
            if (wants(stored.parcel->subject)) last[policy == "last" ? "" : stored.parcel->subject] = sequence;
        for (const auto& [subject, sequence] : last) only_.insert(sequence);
        only_until_ = stream_.last_sequence();
    }
    for (auto entry = messages.lower_bound(cursor_); entry != messages.end(); ++entry) {
        const bool left_out = entry->first <= only_until_ && !only_.contains(entry->first);
        if (!left_out && wants(entry->second.parcel->subject)) ++pending_new_;
    }
}

bool MemoryConsumer::wants(std::string_view subject) const {
    return filters_.empty() ||
           std::ranges::any_of(filters_, [&](const auto& filter) { return wire_matches(filter, subject); });
}

Json MemoryConsumer::info() const {
    std::uint64_t redelivered = 0;
    for (const auto& [sequence, count] : deliveries_) redelivered += count > 1 ? 1 : 0;
    return {{"stream_name", stream_.name()},
            {"name", config_.value("name", "")},
            {"created", format_rfc3339(context_.date(created_))},
            {"config", config_},
            {"delivered", {{"consumer_seq", delivered_}, {"stream_seq", delivered_stream_}}},
            {"ack_floor", {{"consumer_seq", floor_}, {"stream_seq", floor_stream_}}},
            {"num_ack_pending", pending_.size()},
            {"num_redelivered", redelivered},
            {"num_waiting", requests_.size()},
            {"num_pending", pending_new_}};
}

void MemoryConsumer::pull(const std::string& reply_to, const Json& request) {
    active_ = context_.now();
    Request asked{.reply_to = reply_to,
                  .left = std::max<std::uint64_t>(request.value("batch", std::uint64_t{1}), 1),
                  .bytes_left = request.value("max_bytes", std::uint64_t{0}),
                  .heartbeat = time_in(request, "idle_heartbeat"),
                  .no_wait = request.value("no_wait", false)};
    const auto most = config_.value("max_batch", std::uint64_t{0});
    if (most != 0 && asked.left > most)
        return context_.send_status(reply_to, 409, fmt::format("Exceeded MaxRequestBatch of {}", most));
    if (requests_.size() >= config_.value("max_waiting", std::size_t{512}))
        return context_.send_status(reply_to, 409, "Exceeded MaxWaiting");
    if (const auto expires = time_in(request, "expires"); expires.count() > 0) asked.expires = active_ + expires;
    if (asked.heartbeat.count() > 0) asked.beat = active_ + asked.heartbeat;
    requests_.push_back(std::move(asked));
    pump();
    for (auto i = requests_.begin(); i != requests_.end();) {
        if (!i->no_wait) {
            ++i;
            continue;
        }
        end_request(i, 404, "No Messages");
        i = requests_.erase(i);
    }
}

void MemoryConsumer::pump() {
    while (!requests_.empty()) {
        if (!context_.hub.has_interest(requests_.front().reply_to)) {  // nobody listens for it any more
            requests_.pop_front();
            continue;
        }
        const auto* stored = next();
        if (stored == nullptr) return;
        deliver(*stored);
    }
}

const StoredParcel* MemoryConsumer::next() {
    if (const auto* again = next_again()) return again;
    const auto most = config_.value("max_ack_pending", default_max_ack_pending);
    if (acks() && most > 0 && pending_.size() >= static_cast<std::size_t>(most)) return nullptr;
    return next_new();
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
        pending_.erase(sequence);  // it stays in the stream, and is not delivered any more
        move_ack_floor();
    }
    return nullptr;
}

const StoredParcel* MemoryConsumer::next_new() {
    const auto& messages = stream_.messages();
    for (auto entry = messages.lower_bound(cursor_); entry != messages.end(); ++entry) {
        cursor_ = entry->first + 1;
        if (entry->first <= only_until_ && !only_.contains(entry->first)) continue;
        if (!wants(entry->second.parcel->subject)) continue;
        --pending_new_;
        return &entry->second;
    }
    return nullptr;
}

void MemoryConsumer::deliver(const StoredParcel& stored) {
    auto& request = requests_.front();
    const auto sequence = stored.sequence;
    const auto count = ++deliveries_[sequence];
    ++delivered_;
    delivered_stream_ = std::max(delivered_stream_, sequence);
    if (acks()) pending_[sequence] = {.consumer_sequence = delivered_, .due = context_.now() + wait_after(count)};
    const auto time = std::chrono::duration_cast<nanoseconds>(context_.date(stored.time).time_since_epoch());
    Parcel parcel = *stored.parcel;
    if (config_.value("headers_only", false)) {
        parcel.headers.set("Nats-Msg-Size", std::to_string(parcel.payload.size()));
        parcel.payload.clear();
    }
    parcel.reply_to = fmt::format("$JS.ACK.{}.{}.{}.{}.{}.{}.{}", stream_.name(), config_.value("name", ""), count,
                                  sequence, delivered_, time.count(), pending_new_);
    const auto size = parcel.size();
    context_.send(request.reply_to, std::move(parcel));
    if (request.heartbeat.count() > 0) request.beat = context_.now() + request.heartbeat;
    if (!acks()) deliveries_.erase(sequence);
    --request.left;
    const bool full = request.bytes_left != 0 && request.bytes_left <= size;
    if (request.bytes_left != 0 && !full) request.bytes_left -= size;
    if (full && request.left > 0) end_request(requests_.begin(), 409, "Message Size Exceeds MaxBytes");
    if (full || request.left == 0) requests_.pop_front();
}

void MemoryConsumer::end_request(std::deque<Request>::iterator request, int status, std::string_view text) {
    context_.send_status(request->reply_to, status, text,
                         {{"Nats-Pending-Messages", std::to_string(request->left)},
                          {"Nats-Pending-Bytes", std::to_string(request->bytes_left)}});
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
            found->second.due = TimePoint::max();  // it is in the queue
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
    if (!wants(stored.parcel->subject)) return;
    ++pending_new_;
    pump();
}

void MemoryConsumer::on_removed(const StoredParcel& stored) {
    const auto sequence = stored.sequence;
    const bool left_out = sequence <= only_until_ && !only_.contains(sequence);
    if (sequence >= cursor_ && !left_out && wants(stored.parcel->subject)) --pending_new_;
    pending_.erase(sequence);
    deliveries_.erase(sequence);
    std::erase(again_, sequence);
    move_ack_floor();
}

bool MemoryConsumer::needs(const StoredParcel& stored) const {
    if (!wants(stored.parcel->subject)) return false;
    return stored.sequence >= cursor_ || pending_.contains(stored.sequence);
}

TimePoint MemoryConsumer::next_due() const {
    auto due = TimePoint::max();
    for (const auto& [sequence, pending] : pending_) due = std::min(due, pending.due);
    for (const auto& request : requests_) due = std::min({due, request.expires, request.beat});
    if (const auto threshold = time_in(config_, "inactive_threshold"); threshold.count() > 0 && requests_.empty())
        due = std::min(due, active_ + threshold);
    return due;
}

void MemoryConsumer::run_due() {
    const auto now = context_.now();
    for (auto& [sequence, pending] : pending_) {
        if (pending.due > now) continue;
        pending.due = TimePoint::max();
        again_.push_back(sequence);
    }
    for (auto i = requests_.begin(); i != requests_.end();) {
        if (i->expires <= now) {
            end_request(i, 408, "Request Timeout");
            i = requests_.erase(i);
            active_ = now;
            continue;
        }
        if (i->beat <= now) {
            i->beat = now + i->heartbeat;
            context_.send_status(i->reply_to, 100, "Idle Heartbeat",
                                 {{"Nats-Last-Consumer", std::to_string(delivered_)},
                                  {"Nats-Last-Stream", std::to_string(delivered_stream_)}});
        }
        ++i;
    }
    pump();
}

bool MemoryConsumer::inactive() const {
    const auto threshold = time_in(config_, "inactive_threshold");
    return threshold.count() > 0 && requests_.empty() && active_ + threshold <= context_.now();
}

void MemoryConsumer::close() {
    for (auto i = requests_.begin(); i != requests_.end(); ++i) end_request(i, 409, "Consumer Deleted");
    requests_.clear();
}

}  // namespace freshet::detail
