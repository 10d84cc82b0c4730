// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "testing/memory/jetstream/batches.hpp"
#include "testing/memory/jetstream/common.hpp"
#include "testing/memory/jetstream/consumer.hpp"
#include "testing/memory/jetstream/schedules.hpp"
#include "testing/memory/jetstream/subject_transform.hpp"

namespace freshet::detail {

struct StoredParcel {
    SharedParcel parcel;
    std::uint64_t sequence = 0;
    TimePoint time = {};
    TimePoint expires = TimePoint::max();

    /// Returns the bytes of a message, counted as the server's store in memory counts them.
    static std::size_t bytes_of(const Parcel& parcel) noexcept { return parcel.subject.size() + parcel.size() + 16; }
    std::size_t bytes() const noexcept { return bytes_of(*parcel); }
};

/// A stream: messages by sequence, its limits, its consumers. The owner guards it.
class MemoryStream {
public:
    MemoryStream(JetStreamContext& context, nlohmann::json config);

    const nlohmann::json& config() const noexcept { return config_; }
    void update(nlohmann::json config);
    std::string name() const { return config_.at("name"); }
    bool takes(std::string_view subject) const;
    bool overlaps(const MemoryStream& other) const;

    /// Stores a message and returns the answer to the publisher; null: an empty message.
    nlohmann::json store(const SharedParcel& parcel);
    /// Stores a message of a stream that this one mirrors or has as a source.
    void follow(const MemoryStream& origin, const StoredParcel& stored);
    nlohmann::json info(const nlohmann::json& request) const;
    nlohmann::json purge(const nlohmann::json& request);
    std::expected<void, ApiError> erase_message(std::uint64_t sequence);
    /// Returns the message that STREAM.MSG.GET asks for; null if there is none.
    const StoredParcel* find(const nlohmann::json& request) const;
    std::vector<const StoredParcel*> batch(const nlohmann::json& request) const;

    using Messages = std::map<std::uint64_t, StoredParcel>;
    const Messages& messages() const noexcept { return messages_; }
    const StoredParcel* last_of(std::string_view subject) const;
    std::uint64_t last_sequence() const noexcept { return last_; }
    /// Called when a consumer does not need a message any more.
    void acknowledged(std::uint64_t sequence);

    using Consumers = std::map<std::string, std::unique_ptr<MemoryConsumer>, std::less<>>;
    Consumers consumers = {};

    /// Returns when something is due by itself: a message expires, or the time of a schedule comes.
    TimePoint next_due() const;
    void run_due();

private:
    // The steps of a publication in their order: stream_publish.cpp.
    nlohmann::json store_batch(const SharedParcel& parcel);
    std::optional<std::uint64_t> duplicate_of(const Parcel& parcel);
    std::optional<ApiError> check(const Parcel& parcel) const;
    std::optional<ApiError> check_allowed(const Parcel& parcel) const;
    std::optional<ApiError> check_expectations(const Parcel& parcel) const;
    /// Checks those about the stream and its last sequences.
    std::optional<ApiError> check_sequences(const Parcel& parcel) const;
    std::optional<ApiError> check_limits(const Parcel& parcel) const;
    std::optional<ApiError> check_counter(const Parcel& parcel) const;
    SharedParcel count(const SharedParcel& parcel, std::string& value) const;
    nlohmann::json keep(SharedParcel parcel);

    void append(SharedParcel parcel, std::uint64_t sequence);
    void remember_id(const StoredParcel& stored);
    void republish(const StoredParcel& stored, std::uint64_t previous);
    void expire();
    void publish_scheduled();
    void leave_marker(const std::string& subject);
    void apply_limits();
    void trim(const std::set<std::uint64_t>& of_subject);
    std::size_t remove_all(std::string_view filter, std::uint64_t below, std::uint64_t keep);
    void remove(std::uint64_t sequence);
    nlohmann::json source_info(const nlohmann::json& source) const;
    std::int64_t limit(const char* name) const { return config_.value(name, std::int64_t{-1}); }

    struct KnownId {
        std::uint64_t sequence;
        TimePoint time;
    };

    JetStreamContext& context_;
    nlohmann::json config_;
    std::optional<SubjectTransform> transform_ = {};
    std::optional<SubjectTransform> republish_ = {};
    Messages messages_ = {};
    std::map<std::string, std::set<std::uint64_t>, std::less<>> by_subject_ = {};
    std::set<std::pair<TimePoint, std::uint64_t>> expiries_ = {};
    std::uint64_t last_ = 0;
    std::size_t bytes_ = 0;
    TimePoint created_ = {};
    std::chrono::system_clock::time_point creation_date_ = {};
    TimePoint last_time_ = {};
    std::map<std::string, KnownId, std::less<>> ids_ = {};
    std::deque<std::string> id_order_ = {};
    std::string last_id_ = {};
    MemoryBatches batches_{context_};
    MemorySchedules schedules_{context_};
};

}  // namespace freshet::detail
