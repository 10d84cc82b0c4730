// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/jetstream/stream.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <freshet/detail/subject_tokens.hpp>

#include "jetstream/api/rfc3339.hpp"
#include "testing/memory/jetstream/settings.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;
using Json = nlohmann::json;

/// Returns the TTL in `Nats-TTL`; nothing if the message never expires.
std::optional<nanoseconds> ttl_of(const Parcel& parcel) {
    const auto text = parcel.headers.get("Nats-TTL");
    return text && *text != "never" ? parse_duration(*text) : std::nullopt;
}

/// Returns whether a message is a marker. It says that its subject has no message any more, so nobody is told when it
/// expires.
bool is_marker(const Parcel& parcel) {
    return parcel.headers.contains("Nats-Marker-Reason") || parcel.headers.get("KV-Operation") == "PURGE";
}

std::optional<SubjectTransform> transform_in(const Json& config, const char* key) {
    if (!config.contains(key)) return std::nullopt;
    return *SubjectTransform::make(config[key]);
}

}  // namespace

bool wire_matches(std::string_view pattern, std::string_view subject) {
    TokenReader wanted{pattern};
    TokenReader found{subject};
    while (wanted.next()) {
        if (!found.next()) return false;
        if (wanted.token() == ">" && wanted.is_last()) return true;
        if (wanted.token() != "*" && wanted.token() != found.token()) return false;
    }
    return !found.next();
}

bool wire_overlaps(std::string_view a, std::string_view b) {
    TokenReader left{a};
    TokenReader right{b};
    while (true) {
        const bool more_left = left.next();
        const bool more_right = right.next();
        if (!more_left || !more_right) return more_left == more_right;
        if (left.token() == ">" || right.token() == ">") return true;
        if (left.token() != "*" && right.token() != "*" && left.token() != right.token()) return false;
    }
}

MemoryStream::MemoryStream(JetStreamContext& context, Json config)
    : context_{context}, created_{context.now()}, creation_date_{context.creation_date()}, last_time_{context.now()} {
    if (const auto first = config.value("first_seq", std::uint64_t{0}); first > 1) last_ = first - 1;
    update(std::move(config));
}

void MemoryStream::update(Json config) {
    config_ = std::move(config);
    transform_ = transform_in(config_, "subject_transform");
    republish_ = transform_in(config_, "republish");
    std::vector<std::string> subjects;
    for (const auto& [subject, sequences] : by_subject_) subjects.push_back(subject);
    for (const auto& subject : subjects) trim(by_subject_.at(subject));
    apply_limits();
}

bool MemoryStream::takes(std::string_view subject) const {
    return std::ranges::any_of(config_.value("subjects", Json::array()), [&](const Json& pattern) {
        return wire_matches(pattern.get_ref<const std::string&>(), subject);
    });
}

bool MemoryStream::overlaps(const MemoryStream& other) const {
    for (const auto& mine : config_.value("subjects", Json::array()))
        for (const auto& theirs : other.config_.value("subjects", Json::array()))
            if (wire_overlaps(mine.get_ref<const std::string&>(), theirs.get_ref<const std::string&>())) return true;
    return false;
}

void MemoryStream::append(SharedParcel parcel, std::uint64_t sequence) {
    const auto now = context_.now();
    auto& of_subject = by_subject_[parcel->subject];
    const auto previous = of_subject.empty() ? 0 : *of_subject.rbegin();
    StoredParcel stored{.parcel = std::move(parcel), .sequence = sequence, .time = now};
    if (const auto ttl = ttl_of(*stored.parcel); ttl && ttl->count() > 0) stored.expires = now + *ttl;
    if (const auto age = time_in(config_, "max_age"); age.count() > 0)
        stored.expires = std::min(stored.expires, now + age);
    last_ = sequence;
    last_time_ = now;
    bytes_ += stored.bytes();
    of_subject.insert(sequence);
    if (stored.expires != TimePoint::max()) expiries_.emplace(stored.expires, sequence);
    const auto& kept = messages_.emplace(sequence, std::move(stored)).first->second;
    const auto& headers = kept.parcel->headers;
    const auto rollup = headers.get("Nats-Rollup");
    if (rollup == "all") remove_all("", sequence, 0);
    else if (rollup || headers.contains("Nats-Schedule")) remove_all(kept.parcel->subject, sequence, 0);
    schedules_.add(kept);
    republish(kept, previous);
    context_.stored.emplace_back(name(), sequence);
    remember_id(kept);
    for (const auto& [unused, consumer] : consumers) consumer->on_stored(kept);  // the last one may have removed it
}

void MemoryStream::republish(const StoredParcel& stored, std::uint64_t previous) {
    const auto subject = republish_ ? republish_->apply(stored.parcel->subject) : std::nullopt;
    if (!subject) return;
    Parcel copy = *stored.parcel;
    copy.subject = *subject;
    copy.reply_to.clear();
    copy.headers.set("Nats-Stream", name())
        .set("Nats-Subject", stored.parcel->subject)
        .set("Nats-Sequence", std::to_string(stored.sequence))
        .set("Nats-Time-Stamp", format_rfc3339(context_.date(stored.time)))
        .set("Nats-Last-Sequence", std::to_string(previous));
    if (config_["republish"].value("headers_only", false)) {
        copy.headers.set("Nats-Msg-Size", std::to_string(copy.payload.size()));
        copy.payload.clear();
    }
    context_.publish(std::move(copy));
}

void MemoryStream::trim(const std::set<std::uint64_t>& of_subject) {
    const auto most = limit("max_msgs_per_subject");
    if (most <= 0) return;
    for (auto over = static_cast<std::int64_t>(of_subject.size()) - most; over > 0; --over) remove(*of_subject.begin());
}

void MemoryStream::apply_limits() {
    if (!messages_.empty()) trim(by_subject_.at(messages_.rbegin()->second.parcel->subject));
    const auto over = [&] {
        return (limit("max_msgs") > 0 && static_cast<std::int64_t>(messages_.size()) > limit("max_msgs")) ||
               (limit("max_bytes") > 0 && static_cast<std::int64_t>(bytes_) > limit("max_bytes"));
    };
    while (!messages_.empty() && over()) remove(messages_.begin()->first);
}

void MemoryStream::remove(std::uint64_t sequence) {
    auto node = messages_.extract(sequence);
    if (node.empty()) return;
    const auto& stored = node.mapped();
    bytes_ -= stored.bytes();
    expiries_.erase({stored.expires, sequence});
    schedules_.remove(sequence);
    if (const auto of_subject = by_subject_.find(stored.parcel->subject); of_subject != by_subject_.end()) {
        of_subject->second.erase(sequence);
        if (of_subject->second.empty()) by_subject_.erase(of_subject);
    }
    for (const auto& [unused, consumer] : consumers) consumer->on_removed(stored);
}

std::size_t MemoryStream::remove_all(std::string_view filter, std::uint64_t below, std::uint64_t keep) {
    std::vector<std::uint64_t> gone;
    for (const auto& [sequence, stored] : messages_) {
        if (below != 0 && sequence >= below) break;
        if (filter.empty() || wire_matches(filter, stored.parcel->subject)) gone.push_back(sequence);
    }
    if (keep != 0) gone.resize(gone.size() > keep ? gone.size() - keep : 0);
    for (const auto sequence : gone) remove(sequence);
    return gone.size();
}

void MemoryStream::acknowledged(std::uint64_t sequence) {
    const auto retention = config_.value("retention", "limits");
    const auto found = messages_.find(sequence);
    if (retention == "limits" || found == messages_.end()) return;
    const bool needed = retention == "interest" && std::ranges::any_of(consumers, [&](const auto& entry) {
                            return entry.second->needs(found->second);
                        });
    if (!needed) remove(sequence);
}

Json MemoryStream::info(const Json& request) const {
    const auto empty_first = last_ == 0 ? 0 : last_ + 1;
    const auto first = messages_.empty() ? empty_first : messages_.begin()->first;
    Json state{
        {"messages", messages_.size()},
        {"bytes", bytes_},
        {"first_seq", first},
        {"last_seq", last_},
        {"first_ts", format_rfc3339(context_.date(messages_.empty() ? created_ : messages_.begin()->second.time))},
        {"last_ts", format_rfc3339(context_.date(last_time_))},
        {"num_subjects", by_subject_.size()},
        {"consumer_count", consumers.size()}};
    const auto between = messages_.empty() ? 0 : last_ - messages_.begin()->first + 1;
    if (between > messages_.size()) state["num_deleted"] = between - messages_.size();
    if (request.is_object() && request.value("deleted_details", false)) {
        auto& deleted = state["deleted"] = Json::array();
        for (auto i = messages_.empty() ? last_ + 1 : messages_.begin()->first; i <= last_; ++i)
            if (!messages_.contains(i)) deleted.push_back(i);
    }
    Json answer{{"config", config_}, {"created", format_rfc3339(creation_date_)}};
    if (const auto filter = request.is_object() ? request.value("subjects_filter", "") : ""; !filter.empty()) {
        auto& subjects = state["subjects"] = Json::object();
        for (const auto& [subject, sequences] : by_subject_)
            if (wire_matches(filter, subject)) subjects[subject] = sequences.size();
        answer["total"] = subjects.size();
    }
    answer["state"] = std::move(state);
    if (config_.contains("mirror")) answer["mirror"] = source_info(config_["mirror"]);
    for (const auto& source : config_.value("sources", Json::array())) answer["sources"].push_back(source_info(source));
    return answer;
}

Json MemoryStream::source_info(const Json& source) const {
    return {
        {"name", source.value("name", "")}, {"lag", 0}, {"active", nanoseconds{context_.now() - last_time_}.count()}};
}

Json MemoryStream::purge(const Json& request) {
    if (config_.value("deny_purge", false)) return ApiError{400, 10110, "stream purge not permitted"}.json();
    const auto purged = remove_all(request.value("filter", ""), request.value("seq", std::uint64_t{0}),
                                   request.value("keep", std::uint64_t{0}));
    return {{"success", true}, {"purged", purged}};
}

std::expected<void, ApiError> MemoryStream::erase_message(std::uint64_t sequence) {
    if (config_.value("deny_delete", false))
        return std::unexpected{ApiError{400, 10057, "message delete not permitted"}};
    if (!messages_.contains(sequence))
        return std::unexpected{ApiError{400, 10043, fmt::format("sequence {} not found", sequence)}};
    remove(sequence);
    return {};
}

const StoredParcel* MemoryStream::last_of(std::string_view subject) const {
    if (const auto found = by_subject_.find(subject); found != by_subject_.end())
        return &messages_.at(*found->second.rbegin());
    const StoredParcel* last = nullptr;
    for (const auto& [one, sequences] : by_subject_) {
        if (!wire_matches(subject, one)) continue;
        const auto& candidate = messages_.at(*sequences.rbegin());
        if (last == nullptr || last->sequence < candidate.sequence) last = &candidate;
    }
    return last;
}

const StoredParcel* MemoryStream::find(const Json& request) const {
    if (const auto last = request.value("last_by_subj", ""); !last.empty()) return last_of(last);
    const auto sequence = request.value("seq", std::uint64_t{0});
    if (const auto next = request.value("next_by_subj", ""); !next.empty()) {
        for (auto entry = messages_.lower_bound(sequence); entry != messages_.end(); ++entry)
            if (wire_matches(next, entry->second.parcel->subject)) return &entry->second;
        return nullptr;
    }
    const auto found = messages_.find(sequence);
    return found == messages_.end() ? nullptr : &found->second;
}

/// Returns the messages of a batch request (ADR-31): of a subject from a sequence or time on, or the last of each
/// subject.
std::vector<const StoredParcel*> MemoryStream::batch(const Json& request) const {
    std::vector<const StoredParcel*> found;
    const auto from = request.value("seq", std::uint64_t{0});
    if (request.contains("multi_last")) {
        const auto up_to = request.value("up_to_seq", last_);
        std::map<std::string_view, const StoredParcel*> last;
        for (const auto& [sequence, stored] : messages_) {
            if (sequence > up_to) break;
            for (const auto& pattern : request["multi_last"])
                if (wire_matches(pattern.get_ref<const std::string&>(), stored.parcel->subject))
                    last[stored.parcel->subject] = &stored;
        }
        for (const auto& [subject, stored] : last)
            if (stored->sequence >= from) found.push_back(stored);
        std::ranges::sort(found, {}, &StoredParcel::sequence);
        return found;
    }
    const auto subject = request.value("next_by_subj", ">");
    const auto date = parse_rfc3339(request.value("start_time", ""));
    for (auto entry = messages_.lower_bound(from); entry != messages_.end(); ++entry) {
        if (date && context_.date(entry->second.time) < *date) continue;
        if (wire_matches(subject, entry->second.parcel->subject)) found.push_back(&entry->second);
    }
    return found;
}

TimePoint MemoryStream::next_due() const {
    const auto expiry = expiries_.empty() ? TimePoint::max() : expiries_.begin()->first;
    return std::min(expiry, schedules_.next_due());
}

void MemoryStream::run_due() {
    expire();
    publish_scheduled();
}

void MemoryStream::expire() {
    while (!expiries_.empty() && expiries_.begin()->first <= context_.now()) {
        const auto sequence = expiries_.begin()->second;
        const auto parcel = messages_.at(sequence).parcel;
        remove(sequence);
        if (!by_subject_.contains(parcel->subject) && !is_marker(*parcel)) leave_marker(parcel->subject);
    }
}

/// Stores a marker that says that the last message of a subject has expired (ADR-43).
void MemoryStream::leave_marker(const std::string& subject) {
    const auto ttl = time_in(config_, "subject_delete_marker_ttl");
    if (ttl.count() == 0) return;
    auto marker = std::make_shared<Parcel>();
    marker->subject = subject;
    marker->headers = {{"Nats-Marker-Reason", "MaxAge"}, {"Nats-Rollup", "sub"}};
    marker->headers.set("Nats-TTL", fmt::format("{}ns", ttl.count()));
    append(std::move(marker), last_ + 1);
}

void MemoryStream::publish_scheduled() {
    for (const auto& [sequence, round] : schedules_.take_due()) {
        const auto found = messages_.find(sequence);
        if (found == messages_.end()) continue;  // another schedule has replaced it
        const auto schedule = found->second.parcel;
        const auto subject = schedule->headers.get("Nats-Schedule-Source");
        const auto* const source = subject ? last_of(*subject) : nullptr;
        if (round == MemorySchedules::Round::last) remove(sequence);
        if (subject && source == nullptr) continue;
        const auto made = std::make_shared<const Parcel>(
            MemorySchedules::made_of(*schedule, source == nullptr ? nullptr : source->parcel.get(), round));
        if (!check(*made)) keep(made);
    }
}

}  // namespace freshet::detail
