// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "testing/memory/memory_hub.hpp"

namespace freshet::detail {

/// An error of the API: an HTTP status, the server's own code, a text (errors.json of nats-server).
struct ApiError {
    int code;
    int err_code;
    std::string description;

    nlohmann::json json() const {
        return {{"error", {{"code", code}, {"err_code", err_code}, {"description", description}}}};
    }
};

inline const ApiError no_stream{404, 10059, "stream not found"};
inline const ApiError no_consumer{404, 10014, "consumer not found"};

/// A message that JetStream sends to the subscribers of `to`, which is not always the parcel's subject.
struct Outgoing {
    std::string to;
    SharedParcel parcel;
    bool published = false;  ///< streams may store it too
};

/// The state that streams and consumers share: the time, the messages to send once the lock is released, and those
/// stored meanwhile.
struct JetStreamContext {
    explicit JetStreamContext(MemoryHub& memory) : hub{memory} {}

    MemoryHub& hub;
    std::vector<Outgoing> outbox = {};
    std::vector<std::pair<std::string, std::uint64_t>> stored = {};  // stream and sequence, for mirrors and sources

    TimePoint now() const { return hub.clock().now(); }
    /// Returns the virtual time as a date, which begins with the real date.
    std::chrono::system_clock::time_point date(TimePoint at) const {
        return begin_date + std::chrono::duration_cast<std::chrono::system_clock::duration>(at - begin);
    }
    /// Returns the date of something that is made now, which is later than each date that this function returned
    /// before.
    std::chrono::system_clock::time_point creation_date() {
        last_creation_ = std::max(date(now()), last_creation_ + std::chrono::microseconds{1});
        return last_creation_;
    }
    TimePoint time_of(std::chrono::system_clock::time_point date) const { return begin + (date - begin_date); }

    void send(std::string to, Parcel parcel) {
        outbox.push_back({std::move(to), std::make_shared<const Parcel>(std::move(parcel))});
    }
    /// Publishes a message, as a client would.
    void publish(Parcel parcel) {
        auto to = parcel.subject;
        outbox.push_back({std::move(to), std::make_shared<const Parcel>(std::move(parcel)), true});
    }
    /// Sends a message that has only a header line.
    void send_status(const std::string& to, int status, std::string_view text, Headers headers = {}) {
        headers.set("Status", std::to_string(status));
        headers.set("Description", text);
        Parcel parcel;
        parcel.subject = to;
        parcel.headers = std::move(headers);
        send(to, std::move(parcel));
    }

private:
    TimePoint begin = hub.clock().now();
    std::chrono::system_clock::time_point begin_date = std::chrono::system_clock::now();
    std::chrono::system_clock::time_point last_creation_ = {};
};

/// Removes the first token from `text` and returns it.
inline std::string_view take_token(std::string_view& text) {
    const auto end = text.find('.');
    const auto token = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return token;
}

/// Returns a setting or option that is a time.
inline std::chrono::nanoseconds time_in(const nlohmann::json& json, const char* key) {
    return std::chrono::nanoseconds{json.value(key, std::int64_t{0})};
}

/// Returns whether a pattern as on the wire matches a subject.
bool wire_matches(std::string_view pattern, std::string_view subject);
/// Returns whether a subject exists that both patterns match.
bool wire_overlaps(std::string_view a, std::string_view b);

}  // namespace freshet::detail
