// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {

struct StoredParcel;

/// The messages that the server publishes later (ADR-51): `@at` a time, or `@every` interval. The owner guards it.
class MemorySchedules {
public:
    explicit MemorySchedules(JetStreamContext& context) : context_{context} {}

    /// Returns why a stream with this configuration cannot keep this schedule; nothing if it can.
    static std::optional<ApiError> check(const Parcel& parcel, const nlohmann::json& config);

    void add(const StoredParcel& stored);
    void remove(std::uint64_t sequence) { due_.erase(sequence); }
    TimePoint next_due() const;

    enum class Round : std::uint8_t { another_follows, last };
    struct Due {
        std::uint64_t sequence = 0;
        Round round = Round::another_follows;
    };
    /// Returns the schedules whose time has come, and sets each to its next time.
    std::vector<Due> take_due();
    /// Returns the message to publish for a schedule, with the content of `source` if that is not null.
    static Parcel made_of(const Parcel& schedule, const Parcel* source, Round round);

private:
    struct Entry {
        TimePoint at;
        std::chrono::nanoseconds every = {};  // 0: once
    };

    JetStreamContext& context_;
    std::map<std::uint64_t, Entry> due_ = {};
};

}  // namespace freshet::detail
