// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "../memory_hub.hpp"

namespace freshet::detail {

/// A refusal as the API tells it: an HTTP status, the server's own code, a text (errors.json of nats-server).
struct ApiError {
    int code;
    int err_code;
    std::string description;

    nlohmann::json json() const {
        return {{"error", {{"code", code}, {"err_code", err_code}, {"description", description}}}};
    }
};

/// What JetStream has to send: to who subscribed to `to`, which is not always the parcel's subject.
struct Outgoing {
    std::string to;
    SharedParcel parcel;
};

/// What streams and consumers share: the time, and what is to be sent once the lock is released.
struct JetStreamContext {
    explicit JetStreamContext(MemoryHub& memory) : hub{memory} {}

    MemoryHub& hub;
    std::vector<Outgoing> outbox = {};

    TimePoint now() const { return hub.clock().now(); }
    /// The virtual time as a date: it begins with the real one.
    std::chrono::system_clock::time_point date(TimePoint at) const {
        return begin_date + std::chrono::duration_cast<std::chrono::system_clock::duration>(at - begin);
    }
    TimePoint time_of(std::chrono::system_clock::time_point date) const { return begin + (date - begin_date); }

    void send(std::string to, Parcel parcel) {
        outbox.push_back({std::move(to), std::make_shared<const Parcel>(std::move(parcel))});
    }
    /// A message that is a header line only.
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
};

/// `subject` as a pattern on the wire matches the literal one.
bool wire_matches(std::string_view pattern, std::string_view subject);
/// A subject that both match exists.
bool wire_overlaps(std::string_view a, std::string_view b);

}  // namespace freshet::detail
