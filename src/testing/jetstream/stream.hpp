// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "common.hpp"
#include "consumer.hpp"

namespace freshet::detail {

struct StoredParcel {
    SharedParcel parcel;
    std::uint64_t sequence = 0;
    TimePoint time = {};
    TimePoint expires = TimePoint::max();
};

/// A stream: messages by sequence, its limits, its consumers. Guarded by who owns it.
class MemoryStream {
public:
    MemoryStream(JetStreamContext& context, nlohmann::json config);

    /// The configuration with the server's defaults, or what is wrong with it.
    static std::expected<nlohmann::json, ApiError> complete(std::string name, nlohmann::json config);

    const nlohmann::json& config() const noexcept { return config_; }
    void update(nlohmann::json config);
    std::string name() const { return config_.at("name"); }
    bool takes(std::string_view subject) const;
    bool overlaps(const MemoryStream& other) const;

    /// What a publisher is answered.
    nlohmann::json store(const SharedParcel& parcel);
    nlohmann::json info(const nlohmann::json& request) const;
    nlohmann::json purge(const nlohmann::json& request);
    std::expected<void, ApiError> erase_message(std::uint64_t sequence);
    /// As STREAM.MSG.GET asks.
    const StoredParcel* find(const nlohmann::json& request) const;
    std::vector<const StoredParcel*> batch(const nlohmann::json& request) const;

    using Messages = std::map<std::uint64_t, StoredParcel>;
    const Messages& messages() const noexcept { return messages_; }
    const StoredParcel* last_of(std::string_view subject) const;
    std::uint64_t last_sequence() const noexcept { return last_; }
    /// A consumer needs it no longer.
    void acknowledged(std::uint64_t sequence);

    using Consumers = std::map<std::string, std::unique_ptr<MemoryConsumer>, std::less<>>;
    Consumers consumers = {};

    /// When the next message expires.
    TimePoint next_expiry() const;
    void expire();

private:
    std::optional<ApiError> check(const Parcel& parcel) const;
    std::optional<ApiError> check_expectations(const Parcel& parcel) const;
    std::optional<ApiError> check_limits(const Parcel& parcel) const;
    std::optional<std::uint64_t> duplicate_of(const Parcel& parcel);
    void apply_limits();
    void remove(std::uint64_t sequence);
    std::int64_t limit(const char* name) const { return config_.value(name, std::int64_t{-1}); }
    std::chrono::nanoseconds time(const char* name) const {
        return std::chrono::nanoseconds{config_.value(name, std::int64_t{0})};
    }

    JetStreamContext& context_;
    nlohmann::json config_;
    Messages messages_ = {};
    std::map<std::string, std::set<std::uint64_t>, std::less<>> by_subject_ = {};
    std::uint64_t last_ = 0;
    std::uint64_t first_ = 1;  // of an empty stream: the next
    std::size_t bytes_ = 0;
    TimePoint created_ = {};
    TimePoint last_time_ = {};
    std::map<std::string, std::pair<std::uint64_t, TimePoint>, std::less<>> ids_ = {};
    std::string last_id_ = {};
};

}  // namespace freshet::detail
