// SPDX-License-Identifier: Apache-2.0
// Stores messages as publishers ask: once by id, with expectations, as counters, in batches, from another stream.
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <openssl/bn.h>

#include "jetstream/api/rfc3339.hpp"
#include "testing/memory/jetstream/parcel_headers.hpp"
#include "testing/memory/jetstream/stream.hpp"

namespace freshet::detail {
namespace {

using Json = nlohmann::json;

ApiError wrong_last(std::uint64_t last) { return {400, 10071, fmt::format("wrong last sequence: {}", last)}; }

using BigNumber = std::unique_ptr<BIGNUM, decltype(&::BN_free)>;

/// Parses a whole number of any size; null if it is not a number.
BigNumber parse_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    const std::string digits{text};
    BIGNUM* number = nullptr;
    const auto read = ::BN_dec2bn(&number, digits.c_str());
    BigNumber owned{number, &::BN_free};
    const bool whole = read > 0 && static_cast<std::size_t>(read) == digits.size();
    return whole ? std::move(owned) : BigNumber{nullptr, &::BN_free};
}

std::string sum_of(std::string_view a, std::string_view b) {
    const auto left = parse_number(a);
    const auto right = parse_number(b);
    if (left == nullptr || right == nullptr || ::BN_add(left.get(), left.get(), right.get()) != 1) return {};
    const std::unique_ptr<char, void (*)(char*)> text{::BN_bn2dec(left.get()), [](char* t) { OPENSSL_free(t); }};
    return text == nullptr ? std::string{} : std::string{text.get()};
}

}  // namespace

Json MemoryStream::store(const SharedParcel& parcel) {
    if (parcel->headers.contains("Nats-Batch-Id")) return store_batch(parcel);
    const auto refusal = [&](const ApiError& error) {
        auto answer = error.json();
        answer["stream"] = name();
        answer["seq"] = 0;
        return answer;
    };
    // As a server does that keeps a stream alone: it looks at these expectations before it looks at the id.
    if (const auto error = check_sequences(*parcel)) return refusal(*error);
    if (const auto first = duplicate_of(*parcel)) return {{"stream", name()}, {"seq", *first}, {"duplicate", true}};
    if (const auto error = check(*parcel)) return refusal(*error);
    return keep(parcel);
}

/// Stores all messages of a batch or none. Checks them against the messages stored before the batch.
Json MemoryStream::store_batch(const SharedParcel& parcel) {
    if (!config_.value("allow_atomic", false)) return ApiError{400, 10174, "atomic publish is disabled"}.json();
    const auto committed = batches_.take(parcel);
    if (!committed) return committed.error().json();
    for (const auto& one : committed->parcels) {
        if (const auto error = check(*one)) return error->json();
        if (duplicate_of(*one))
            return ApiError{400, 10201, "atomic publish batch contains duplicate message id"}.json();
    }
    Json answer;
    for (const auto& one : committed->parcels) answer = keep(one);
    if (answer.is_null()) return answer;
    answer["batch"] = committed->id;
    answer["count"] = committed->parcels.size();
    return answer;
}

std::optional<std::uint64_t> MemoryStream::duplicate_of(const Parcel& parcel) {
    const auto oldest = context_.now() - time_in(config_, "duplicate_window");
    while (!id_order_.empty()) {
        const auto known = ids_.find(id_order_.front());
        if (known != ids_.end() && known->second.time >= oldest) break;
        if (known != ids_.end()) ids_.erase(known);
        id_order_.pop_front();
    }
    const auto id = parcel.headers.get("Nats-Msg-Id");
    const auto found = id ? ids_.find(*id) : ids_.end();
    return found == ids_.end() ? std::nullopt : std::optional{found->second.sequence};
}

void MemoryStream::remember_id(const StoredParcel& stored) {
    last_id_ = stored.parcel->headers.get("Nats-Msg-Id").value_or("");
    if (last_id_.empty()) return;
    ids_[last_id_] = {stored.sequence, stored.time};
    id_order_.push_back(last_id_);
}

std::optional<ApiError> MemoryStream::check(const Parcel& parcel) const {
    if (auto error = check_allowed(parcel)) return error;
    if (auto error = MemorySchedules::check(parcel, config_)) return error;
    if (auto error = check_counter(parcel)) return error;
    if (auto error = check_expectations(parcel)) return error;
    return check_limits(parcel);
}

std::optional<ApiError> MemoryStream::check_allowed(const Parcel& parcel) const {
    if (config_.value("sealed", false)) return ApiError{400, 10109, "invalid operation on sealed stream"};
    if (parcel.headers.contains("Nats-TTL") && !config_.value("allow_msg_ttl", false))
        return ApiError{400, 10166, "per-message TTL is disabled"};
    if (parcel.headers.contains("Nats-Rollup") && !config_.value("allow_rollup_hdrs", false))
        return ApiError{500, 10111, "rollup not permitted"};
    if (const auto rollup = parcel.headers.get("Nats-Rollup"); rollup && *rollup != "sub" && *rollup != "all")
        return ApiError{500, 10111, fmt::format("rollup value invalid: \"{}\"", *rollup)};
    return std::nullopt;
}

std::optional<ApiError> MemoryStream::check_counter(const Parcel& parcel) const {
    const bool counts = config_.value("allow_msg_counter", false);
    const auto by = parcel.headers.get("Nats-Incr");
    if (by && !counts) return ApiError{400, 10168, "message counters is disabled"};
    if (!counts) return std::nullopt;
    if (!by) return ApiError{400, 10169, "message counter increment is missing"};
    if (!parcel.payload.empty()) return ApiError{400, 10170, "message counter has payload"};
    if (parse_number(*by) == nullptr) return ApiError{400, 10171, "message counter increment is invalid"};
    return std::nullopt;
}

std::optional<ApiError> MemoryStream::check_expectations(const Parcel& parcel) const {
    if (auto error = check_sequences(parcel)) return error;
    if (const auto id = parcel.headers.get("Nats-Expected-Last-Msg-Id"); id && *id != last_id_)
        return ApiError{400, 10070, fmt::format("wrong last msg ID: {}", last_id_)};
    return std::nullopt;
}

std::optional<ApiError> MemoryStream::check_sequences(const Parcel& parcel) const {
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
    return std::nullopt;
}

std::optional<ApiError> MemoryStream::check_limits(const Parcel& parcel) const {
    const auto size = static_cast<std::int64_t>(parcel.size());
    if (limit("max_msg_size") > 0 && size > limit("max_msg_size"))
        return ApiError{400, 10054, "message size exceeds maximum allowed"};
    if (config_.value("discard", "old") != "new") return std::nullopt;
    const auto of_subject = by_subject_.find(parcel.subject);
    const auto per_subject = limit("max_msgs_per_subject");
    const bool replaces = per_subject > 0 && of_subject != by_subject_.end() &&
                          static_cast<std::int64_t>(of_subject->second.size()) >= per_subject;
    if (replaces && config_.value("discard_new_per_subject", false))
        return ApiError{503, 10077, "maximum messages per subject exceeded"};
    if (!replaces && limit("max_msgs") > 0 && static_cast<std::int64_t>(messages_.size()) >= limit("max_msgs"))
        return ApiError{503, 10077, "maximum messages exceeded"};
    const auto goes = replaces ? messages_.at(*of_subject->second.begin()).bytes() : 0;
    const auto bytes = static_cast<std::int64_t>(bytes_ - goes + StoredParcel::bytes_of(parcel));
    if (limit("max_bytes") > 0 && bytes > limit("max_bytes")) return ApiError{503, 10077, "maximum bytes exceeded"};
    return std::nullopt;
}

/// Adds the increment to the counter and sets `value` to the sum (ADR-49). Returns the message to store.
SharedParcel MemoryStream::count(const SharedParcel& parcel, std::string& value) const {
    const auto* const last = last_of(parcel->subject);
    const auto before = last == nullptr ? Json{} : Json::parse(last->parcel->payload, nullptr, false);
    value = sum_of(before.is_object() ? before.value("val", "0") : "0", *parcel->headers.get("Nats-Incr"));
    auto counted = std::make_shared<Parcel>(*parcel);
    counted->payload = Json{{"val", value}}.dump();
    return counted;
}

Json MemoryStream::keep(SharedParcel parcel) {
    if (transform_) {
        auto moved = std::make_shared<Parcel>(*parcel);
        moved->subject = transform_->apply(parcel->subject).value_or(parcel->subject);
        parcel = std::move(moved);
    }
    std::string value;
    if (config_.value("allow_msg_counter", false)) parcel = count(parcel, value);
    const auto sequence = last_ + 1;
    append(std::move(parcel), sequence);
    apply_limits();
    // Removes the message if no consumer is interested in it.
    if (config_.value("retention", "") == "interest") acknowledged(sequence);
    Json answer{{"stream", name()}, {"seq", sequence}};
    if (!value.empty()) answer["val"] = value;
    return answer;
}

void MemoryStream::follow(const MemoryStream& origin, const StoredParcel& stored) {
    const auto wants = [&](const Json& source) {
        const auto since = parse_rfc3339(source.value("opt_start_time", ""));
        const auto filter = source.value("filter_subject", "");
        return source.value("name", "") == origin.name() &&
               stored.sequence >= source.value("opt_start_seq", std::uint64_t{0}) &&
               (!since || context_.date(stored.time) >= *since) &&
               (filter.empty() || wire_matches(filter, stored.parcel->subject));
    };
    const auto moved = [&](const Json& source) -> std::optional<std::string> {
        const auto transforms = source.value("subject_transforms", Json::array());
        for (const auto& transform : transforms)
            if (auto subject = SubjectTransform::make(transform)->apply(stored.parcel->subject)) return subject;
        return transforms.empty() ? std::optional{stored.parcel->subject} : std::nullopt;
    };
    if (config_.contains("mirror") && wants(config_["mirror"]) && stored.sequence > last_) {
        const auto subject = moved(config_["mirror"]);
        if (!subject) return;
        auto copy = std::make_shared<Parcel>(*stored.parcel);
        copy->subject = *subject;
        append(std::move(copy), stored.sequence);
        apply_limits();
    }
    for (const auto& source : config_.value("sources", Json::array())) {
        const auto subject = wants(source) ? moved(source) : std::nullopt;
        if (!subject) continue;
        auto copy = std::make_shared<Parcel>(*stored.parcel);
        copy->subject = *subject;
        copy->headers.set("Nats-Stream-Source",
                          fmt::format("{} {} {} > {}", origin.name(), stored.sequence,
                                      source.value("filter_subject", ">"), stored.parcel->subject));
        std::ignore = keep(std::move(copy));
    }
}

}  // namespace freshet::detail
