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

/// Messages that the server publishes later (ADR-51): `@at` a time, or `@every` so often. Guarded by who owns it.
class MemorySchedules {
public:
    explicit MemorySchedules(JetStreamContext& context) : context_{context} {}

    /// Why the stream with this configuration cannot keep this schedule.
    static std::optional<ApiError> check(const Parcel& parcel, const nlohmann::json& config);

    void add(const StoredParcel& stored);
    void remove(std::uint64_t sequence) { due_.erase(sequence); }
    TimePoint next_due() const;

    struct Due {
        std::uint64_t sequence = 0;
        bool last = false;
    };
    /// Those whose time has come, each armed for its next time.
    std::vector<Due> take_due();
    /// What is published for the schedule, with the content of `source` if it is said.
    static Parcel made_of(const Parcel& schedule, const Parcel* source, bool last);

private:
    struct Entry {
        TimePoint at;
        std::chrono::nanoseconds every = {};  // 0: once
    };

    JetStreamContext& context_;
    std::map<std::uint64_t, Entry> due_ = {};
};

}  // namespace freshet::detail
