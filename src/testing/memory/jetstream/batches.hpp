// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {

/// Atomic batches that are not complete yet (ADR-50). The owner guards it.
class MemoryBatches {
public:
    struct Committed {
        std::string id = {};
        std::vector<SharedParcel> parcels = {};  // empty: more messages are to come
    };

    explicit MemoryBatches(JetStreamContext& context) : context_{context} {}

    /// Adds a message to the batch that it names. Returns the batch if the message commits it.
    std::expected<Committed, ApiError> take(const SharedParcel& parcel);

private:
    struct Batch {
        std::vector<SharedParcel> parcels = {};
        TimePoint last = {};
    };

    JetStreamContext& context_;
    std::map<std::string, Batch, std::less<>> batches_ = {};
};

}  // namespace freshet::detail
