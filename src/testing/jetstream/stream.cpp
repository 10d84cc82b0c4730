// SPDX-License-Identifier: Apache-2.0
#include "stream.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <freshet/subject.hpp>

#include "../../jetstream/rfc3339.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;
using Json = nlohmann::json;

constexpr nanoseconds default_duplicate_window = std::chrono::minutes{2};

std::optional<std::uint64_t> number_in(const Parcel& parcel, std::string_view header) {
    const auto text = parcel.headers.get(header);
    std::uint64_t value = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{}) return {};
    return value;
}

/// Of `Nats-TTL`: seconds, or a number with a unit as Go writes it; zero: never expires.
std::optional<nanoseconds> ttl_of(const Parcel& parcel) {
    const auto text = parcel.headers.get("Nats-TTL");
    if (!text || *text == "never") return std::nullopt;
    std::int64_t value = 0;
    const auto* const end = text->data() + text->size();
    const auto unit = std::from_chars(text->data(), end, value).ptr;
    const std::string_view rest{unit, end};
    if (rest == "ns") return nanoseconds{value};
    if (rest == "ms") return std::chrono::milliseconds{value};
    if (rest == "m") return std::chrono::minutes{value};
    if (rest == "h") return std::chrono::hours{value};
    return std::chrono::seconds{value};
}

ApiError wrong_last(std::uint64_t last) { return {400, 10071, fmt::format("wrong last sequence: {}", last)}; }

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

std::expected<Json, ApiError> MemoryStream::complete(std::string name, Json config) {
    for (const auto* key : {"mirror", "sources", "republish", "subject_transform", "allow_atomic", "allow_msg_counter",
                            "allow_msg_schedules"}) {
        if (config.contains(key) && !config[key].empty() && config[key] != false)
            return std::unexpected{ApiError{400, 10052, fmt::format("the memory server does not know {}", key)}};
    }
    const auto fill = [&](const char* key, const Json& value) {
        if (!config.contains(key)) config[key] = value;
    };
    config["name"] = name;
    fill("subjects", Json::array({name}));
    fill("retention", "limits");
    fill("storage", "file");
    fill("discard", "old");
    fill("compression", "none");
    fill("num_replicas", 1);
    for (const auto* key : {"max_msgs", "max_bytes", "max_consumers", "max_msgs_per_subject", "max_msg_size"})
        if (config.value(key, std::int64_t{0}) == 0) config[key] = -1;
    fill("max_age", 0);
    const auto age = config["max_age"].get<std::int64_t>();
    const auto window = default_duplicate_window.count();
    if (config.value("duplicate_window", std::int64_t{0}) == 0)
        config["duplicate_window"] = age > 0 ? std::min(age, window) : window;
    for (const auto* key :
         {"sealed", "deny_delete", "deny_purge", "allow_rollup_hdrs", "allow_direct", "mirror_direct", "allow_msg_ttl"})
        fill(key, false);
    fill("consumer_limits", Json::object());
    return config;
}

MemoryStream::MemoryStream(JetStreamContext& context, Json config)
    : context_{context}, config_(std::move(config)), created_{context.now()}, last_time_{context.now()} {
    if (const auto first = config_.value("first_seq", std::uint64_t{0}); first > 1) {
        first_ = first;
        last_ = first - 1;
    }
}

void MemoryStream::update(Json config) {
    config_ = std::move(config);
    apply_limits();
}

bool MemoryStream::takes(std::string_view subject) const {
    return std::ranges::any_of(config_.at("subjects"), [&](const Json& pattern) {
        return wire_matches(pattern.get_ref<const std::string&>(), subject);
    });
}

bool MemoryStream::overlaps(const MemoryStream& other) const {
    for (const auto& mine : config_.at("subjects"))
        for (const auto& theirs : other.config_.at("subjects"))
            if (wire_overlaps(mine.get_ref<const std::string&>(), theirs.get_ref<const std::string&>())) return true;
    return false;
}

Json MemoryStream::store(const SharedParcel& parcel) {
    if (const auto first = duplicate_of(*parcel)) return {{"stream", name()}, {"seq", *first}, {"duplicate", true}};
    if (const auto error = check(*parcel)) {
        auto answer = error->json();
        answer["stream"] = name();
        answer["seq"] = 0;
        return answer;
    }
    const auto rollup = parcel->headers.get("Nats-Rollup");
    const auto now = context_.now();
    StoredParcel stored{.parcel = parcel, .sequence = ++last_, .time = now};
    if (const auto ttl = ttl_of(*parcel); ttl && ttl->count() > 0) stored.expires = now + *ttl;
    if (time("max_age").count() > 0) stored.expires = std::min(stored.expires, now + time("max_age"));
    if (const auto id = parcel->headers.get("Nats-Msg-Id")) {
        ids_[std::string{*id}] = {last_, now};
        last_id_ = *id;
    } else {
        last_id_.clear();
    }
    last_time_ = now;
    bytes_ += parcel->size();
    by_subject_[parcel->subject].insert(last_);
    const auto& kept = messages_.emplace(last_, std::move(stored)).first->second;
    if (rollup) purge(*rollup == "sub" ? Json{{"filter", parcel->subject}, {"seq", last_}} : Json{{"seq", last_}});
    for (const auto& [unused, consumer] : consumers) consumer->on_stored(kept);
    const auto sequence = last_;
    apply_limits();
    // With no consumer that is interested there is nothing to keep it for.
    if (config_.value("retention", "") == "interest") acknowledged(sequence);
    return {{"stream", name()}, {"seq", sequence}};
}

std::optional<std::uint64_t> MemoryStream::duplicate_of(const Parcel& parcel) {
    const auto oldest = context_.now() - time("duplicate_window");
    std::erase_if(ids_, [&](const auto& entry) { return entry.second.second < oldest; });
    const auto id = parcel.headers.get("Nats-Msg-Id");
    const auto found = id ? ids_.find(*id) : ids_.end();
    return found == ids_.end() ? std::nullopt : std::optional{found->second.first};
}

std::optional<ApiError> MemoryStream::check(const Parcel& parcel) const {
    if (config_.value("sealed", false)) return ApiError{400, 10109, "invalid operation on sealed stream"};
    if (parcel.headers.contains("Nats-TTL") && !config_.value("allow_msg_ttl", false))
        return ApiError{400, 10166, "per-message TTL is disabled"};
    if (parcel.headers.contains("Nats-Rollup") && !config_.value("allow_rollup_hdrs", false))
        return ApiError{400, 10111, "rollup not permitted"};
    if (auto error = check_expectations(parcel)) return error;
    return check_limits(parcel);
}

std::optional<ApiError> MemoryStream::check_expectations(const Parcel& parcel) const {
    if (const auto stream = parcel.headers.get("Nats-Expected-Stream"); stream && *stream != name())
        return ApiError{400, 10060, "expected stream does not match"};
    if (const auto last = number_in(parcel, "Nats-Expected-Last-Sequence"); last && *last != last_)
        return wrong_last(last_);
    if (const auto last = number_in(parcel, "Nats-Expected-Last-Subject-Sequence")) {
        const auto subject = parcel.headers.get("Nats-Expected-Last-Subject-Sequence-Subject").value_or(parcel.subject);
        const auto* found = last_of(subject);
        const auto actual = found == nullptr ? 0 : found->sequence;
        if (*last != actual) return wrong_last(actual);
    }
    if (const auto id = parcel.headers.get("Nats-Expected-Last-Msg-Id"); id && *id != last_id_)
        return ApiError{400, 10070, fmt::format("wrong last msg ID: {}", last_id_)};
    return std::nullopt;
}

std::optional<ApiError> MemoryStream::check_limits(const Parcel& parcel) const {
    const auto size = static_cast<std::int64_t>(parcel.size());
    if (limit("max_msg_size") > 0 && size > limit("max_msg_size"))
        return ApiError{400, 10054, "message size exceeds maximum allowed"};
    if (config_.value("discard", "old") != "new") return std::nullopt;
    const auto count = static_cast<std::int64_t>(messages_.size());
    if (limit("max_msgs") > 0 && count >= limit("max_msgs")) return ApiError{503, 10077, "maximum messages exceeded"};
    if (limit("max_bytes") > 0 && static_cast<std::int64_t>(bytes_) + size > limit("max_bytes"))
        return ApiError{503, 10077, "maximum bytes exceeded"};
    const auto of_subject = by_subject_.find(parcel.subject);
    const auto per_subject = limit("max_msgs_per_subject");
    if (config_.value("discard_new_per_subject", false) && per_subject > 0 && of_subject != by_subject_.end() &&
        static_cast<std::int64_t>(of_subject->second.size()) >= per_subject)
        return ApiError{503, 10077, "maximum messages per subject exceeded"};
    return std::nullopt;
}

void MemoryStream::apply_limits() {
    if (const auto most = limit("max_msgs_per_subject"); most > 0) {
        std::vector<std::uint64_t> gone;
        for (const auto& [subject, sequences] : by_subject_) {
            auto left = static_cast<std::int64_t>(sequences.size());
            for (auto i = sequences.begin(); left > most; ++i, --left) gone.push_back(*i);
        }
        for (const auto sequence : gone) remove(sequence);
    }
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
    bytes_ -= stored.parcel->size();
    if (const auto of_subject = by_subject_.find(stored.parcel->subject); of_subject != by_subject_.end()) {
        of_subject->second.erase(sequence);
        if (of_subject->second.empty()) by_subject_.erase(of_subject);
    }
    first_ = messages_.empty() ? last_ + 1 : messages_.begin()->first;
    for (const auto& [unused, consumer] : consumers) consumer->on_removed(stored);
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
    Json state{
        {"messages", messages_.size()},
        {"bytes", bytes_},
        {"first_seq", messages_.empty() ? first_ : messages_.begin()->first},
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
    Json answer{{"config", config_}, {"created", format_rfc3339(context_.date(created_))}};
    if (const auto filter = request.is_object() ? request.value("subjects_filter", "") : ""; !filter.empty()) {
        auto& subjects = state["subjects"] = Json::object();
        for (const auto& [subject, sequences] : by_subject_)
            if (wire_matches(filter, subject)) subjects[subject] = sequences.size();
        answer["total"] = subjects.size();
    }
    answer["state"] = std::move(state);
    return answer;
}

Json MemoryStream::purge(const Json& request) {
    if (config_.value("deny_purge", false)) return ApiError{400, 10110, "purge not permitted"}.json();
    const auto filter = request.is_object() ? request.value("filter", "") : "";
    const auto below = request.is_object() ? request.value("seq", std::uint64_t{0}) : 0;
    const auto keep = request.is_object() ? request.value("keep", std::uint64_t{0}) : 0;
    std::vector<std::uint64_t> gone;
    for (const auto& [sequence, stored] : messages_) {
        if (below != 0 && sequence >= below) break;
        if (filter.empty() || wire_matches(filter, stored.parcel->subject)) gone.push_back(sequence);
    }
    if (keep != 0) gone.resize(gone.size() > keep ? gone.size() - keep : 0);
    for (const auto sequence : gone) remove(sequence);
    return {{"success", true}, {"purged", gone.size()}};
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

/// ADR-31: those of a subject from a sequence or time on, or the last of each subject.
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

TimePoint MemoryStream::next_expiry() const {
    auto next = TimePoint::max();
    for (const auto& [sequence, stored] : messages_) next = std::min(next, stored.expires);
    return next;
}

void MemoryStream::expire() {
    std::vector<std::uint64_t> gone;
    for (const auto& [sequence, stored] : messages_)
        if (stored.expires <= context_.now()) gone.push_back(sequence);
    for (const auto sequence : gone) remove(sequence);
}

}  // namespace freshet::detail
