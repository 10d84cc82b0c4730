// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/jetstream/batches.hpp"

#include <set>
#include <utility>

#include "testing/memory/jetstream/parcel_headers.hpp"

namespace freshet::detail {
namespace {

constexpr std::size_t longest_id = 64;
constexpr std::size_t most_messages = 1'000;
constexpr std::chrono::seconds patience{10};

const ApiError incomplete{400, 10176, "atomic publish batch is incomplete"};

bool has_duplicate_id(const std::vector<SharedParcel>& parcels) {
    std::set<std::string_view> ids;
    for (const auto& parcel : parcels)
        if (const auto id = parcel->headers.get("Nats-Msg-Id"); id && !ids.insert(*id).second) return true;
    return false;
}

}  // namespace

std::expected<MemoryBatches::Committed, ApiError> MemoryBatches::take(const SharedParcel& parcel) {
    const auto now = context_.now();
    std::erase_if(batches_, [&](const auto& entry) { return entry.second.last + patience <= now; });
    const std::string id{parcel->headers.get("Nats-Batch-Id").value_or("")};
    if (id.empty() || id.size() > longest_id)
        return std::unexpected{ApiError{400, 10179, "atomic publish batch ID is invalid"}};
    const auto sequence = number_in(*parcel, "Nats-Batch-Sequence");
    if (!sequence) return std::unexpected{ApiError{400, 10175, "atomic publish sequence is missing"}};
    if (*sequence == 1) batches_[id] = {};
    const auto found = batches_.find(id);
    if (found == batches_.end()) return std::unexpected{incomplete};
    auto& batch = found->second;
    const auto refuse = [&](ApiError error) {
        batches_.erase(found);
        return std::unexpected{std::move(error)};
    };
    if (*sequence != batch.parcels.size() + 1) return refuse(incomplete);
    if (*sequence > most_messages) return refuse({400, 10199, "atomic publish batch is too large: 1000"});
    if (*sequence > 1 && parcel->headers.contains("Nats-Expected-Last-Sequence"))
        return refuse({400, 10177, "atomic publish unsupported header used: Nats-Expected-Last-Sequence"});
    if (parcel->headers.contains("Nats-Expected-Last-Msg-Id"))
        return refuse({400, 10177, "atomic publish unsupported header used: Nats-Expected-Last-Msg-Id"});
    batch.parcels.push_back(parcel);
    batch.last = now;
    const auto commit = parcel->headers.get("Nats-Batch-Commit");
    if (!commit) return Committed{.id = id};
    if (*commit != "1") return refuse({400, 10200, "atomic publish batch commit is invalid"});
    if (has_duplicate_id(batch.parcels))
        return refuse({400, 10201, "atomic publish batch contains duplicate message id"});
    Committed committed{.id = id, .parcels = std::move(batch.parcels)};
    batches_.erase(found);
    return committed;
}

}  // namespace freshet::detail
