// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/jetstream/pull_queue.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/random_id.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;
using Json = nlohmann::json;

constexpr nanoseconds default_pin_time = std::chrono::minutes{2};

/// Writes a duration of whole seconds or milliseconds as Go prints it.
std::string shown(nanoseconds time) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    return milliseconds % 1'000 == 0 ? fmt::format("{}s", milliseconds / 1'000) : fmt::format("{}ms", milliseconds);
}

}  // namespace

void PullQueue::configure(const Json& config) {
    max_waiting_ = config.value("max_waiting", std::uint64_t{512});
    max_batch_ = config.value("max_batch", std::uint64_t{0});
    max_bytes_ = config.value("max_bytes", std::uint64_t{0});
    max_expires_ = time_in(config, "max_expires");
    policy_ = config.value("priority_policy", "none");
    groups_ = config.value("priority_groups", std::vector<std::string>{});
    const auto timeout = time_in(config, "priority_timeout");
    pin_time_ = timeout.count() > 0 ? timeout : default_pin_time;
}

std::string PullQueue::fault_of(const Request& request, nanoseconds expires) const {
    if (max_batch_ != 0 && request.left > max_batch_) return fmt::format("Exceeded MaxRequestBatch of {}", max_batch_);
    if (max_expires_.count() != 0 && expires > max_expires_)
        return fmt::format("Exceeded MaxRequestExpires of {}", shown(max_expires_));
    if (max_bytes_ != 0 && request.bytes_left > max_bytes_)
        return fmt::format("Exceeded MaxRequestMaxBytes of {}", max_bytes_);
    return requests_.size() >= max_waiting_ ? "Exceeded MaxWaiting" : "";
}

bool PullQueue::add(const std::string& reply_to, const Json& json) {
    Request request{.reply_to = reply_to,
                    .left = std::max<std::uint64_t>(json.value("batch", std::uint64_t{1}), 1),
                    .bytes_left = json.value("max_bytes", std::uint64_t{0}),
                    .limits_bytes = json.value("max_bytes", std::uint64_t{0}) != 0,
                    .heartbeat = time_in(json, "idle_heartbeat"),
                    .no_wait = json.value("no_wait", false),
                    .group = json.value("group", ""),
                    .pin = json.value("id", ""),
                    .min_pending = json.value("min_pending", std::uint64_t{0}),
                    .min_ack_pending = json.value("min_ack_pending", std::uint64_t{0}),
                    .priority = json.value("priority", 0)};
    const auto refuse = [&](int status, std::string_view text) {
        context_.send_status(reply_to, status, text);
        return false;
    };
    const auto expires = time_in(json, "expires");
    if (const auto fault = fault_of(request, expires); !fault.empty()) return refuse(409, fault);
    if (!groups_.empty() && request.group.empty()) return refuse(400, "Bad Request - Priority Group missing");
    if (!groups_.empty() && std::ranges::find(groups_, request.group) == groups_.end())
        return refuse(400, "Bad Request - Invalid Priority Group");
    if (const auto pinned = pins_.find(request.group); policy_ == "pinned_client" && !request.pin.empty()) {
        if (pinned == pins_.end() || pinned->second.id != request.pin) return refuse(423, "Nats-Wrong-Pin-Id");
        pinned->second.until = context_.now() + pin_time_;
    }
    if (expires.count() > 0) request.expires = context_.now() + expires;
    if (request.heartbeat.count() > 0) request.beat = context_.now() + request.heartbeat;
    requests_.push_back(std::move(request));
    return true;
}

bool PullQueue::may_have(const Request& request, const Backlog& backlog) const {
    if (policy_ == "overflow")
        return request.min_pending <= backlog.pending && request.min_ack_pending <= backlog.ack_pending;
    if (policy_ != "pinned_client") return true;
    const auto pinned = pins_.find(request.group);
    return pinned == pins_.end() || pinned->second.id == request.pin;
}

PullQueue::Requests::iterator PullQueue::turn(const Backlog& backlog) {
    auto best = requests_.end();
    for (auto i = requests_.begin(); i != requests_.end(); ++i) {
        if (!may_have(*i, backlog)) continue;
        if (best == requests_.end() || (policy_ == "prioritized" && i->priority < best->priority)) best = i;
        if (policy_ != "prioritized") break;
    }
    return best;
}

bool PullQueue::ready(const Backlog& backlog) {
    std::erase_if(requests_, [&](const Request& request) { return !context_.hub.has_interest(request.reply_to); });
    return turn(backlog) != requests_.end();
}

bool PullQueue::send(Parcel& parcel, const Backlog& backlog) {
    const auto size = parcel.size() + parcel.subject.size() + parcel.reply_to.size();
    auto request = turn(backlog);
    while (request != requests_.end() && request->limits_bytes && size > request->bytes_left) {
        end(request, 409, "Message Size Exceeds MaxBytes");
        request = turn(backlog);
    }
    if (request == requests_.end()) return false;
    if (policy_ == "pinned_client") {
        const auto [pin, fresh] = pins_.try_emplace(request->group, Pin{random_id(), context_.now() + pin_time_});
        request->pin = pin->second.id;
        parcel.headers.set("Nats-Pin-Id", pin->second.id);
    }
    context_.send(request->reply_to, std::move(parcel));
    if (request->limits_bytes) request->bytes_left -= size;
    if (request->heartbeat.count() > 0) request->beat = context_.now() + request->heartbeat;
    if (--request->left > 0) return true;
    // As servers do, so that the bytes it has left can be asked for again.
    if (request->limits_bytes && request->bytes_left > 0) end(request, 409, "Batch Completed");
    else requests_.erase(request);
    return true;
}

PullQueue::Requests::iterator PullQueue::end(Requests::iterator request, int status, std::string_view text) {
    context_.send_status(request->reply_to, status, text,
                         {{"Nats-Pending-Messages", std::to_string(request->left)},
                          {"Nats-Pending-Bytes", std::to_string(request->bytes_left)}});
    return requests_.erase(request);
}

void PullQueue::end_impatient() {
    for (auto i = requests_.begin(); i != requests_.end();) i = i->no_wait ? end(i, 404, "No Messages") : i + 1;
}

void PullQueue::unpin(std::string_view group) {
    if (const auto pinned = pins_.find(group); pinned != pins_.end()) pins_.erase(pinned);
    for (auto& request : requests_)
        if (request.group == group) request.pin.clear();
}

void PullQueue::close() {
    while (!requests_.empty()) end(requests_.begin(), 409, "Consumer Deleted");
}

TimePoint PullQueue::next_due() const {
    auto due = TimePoint::max();
    for (const auto& request : requests_) due = std::min({due, request.expires, request.beat});
    for (const auto& [group, pin] : pins_) due = std::min(due, pin.until);
    return due;
}

bool PullQueue::run_due(std::uint64_t last_consumer, std::uint64_t last_stream) {
    const auto now = context_.now();
    const auto before = requests_.size();
    for (auto i = requests_.begin(); i != requests_.end();) {
        if (i->expires <= now) {
            i = end(i, 408, "Request Timeout");
            continue;
        }
        if (i->beat <= now) {
            i->beat = now + i->heartbeat;
            context_.send_status(i->reply_to, 100, "Idle Heartbeat",
                                 {{"Nats-Last-Consumer", std::to_string(last_consumer)},
                                  {"Nats-Last-Stream", std::to_string(last_stream)}});
        }
        ++i;
    }
    std::erase_if(pins_, [&](const auto& entry) { return entry.second.until <= now; });
    return requests_.size() != before;
}

Json PullQueue::groups() const {
    auto groups = Json::array();
    for (const auto& name : groups_) {
        groups.push_back({{"group", name}});
        if (const auto pinned = pins_.find(name); pinned != pins_.end())
            groups.back()["pinned_client_id"] = pinned->second.id;
    }
    return groups;
}

}  // namespace freshet::detail
