// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string_view>

#include "testing/memory/jetstream/stream.hpp"

namespace freshet::detail {

/// JetStream of a MemoryServer, behind `$JS.API`, in the server's own words (ADR-1, 8, 13, 31, 37, 42, 43, 49, 50, 51).
/// It has API level 4, like nats-server 2.14, and refuses by name what it does not support. Thread-safe.
class MemoryJetStream final : public MemoryService {
public:
    explicit MemoryJetStream(MemoryHub& hub) : context_{hub} {}

    bool on_publish(const SharedParcel& parcel) override;
    bool pushes() const noexcept override { return pushes_; }
    void on_subscribed() override;

private:
    using Json = nlohmann::json;

    void request(const Parcel& parcel);
    Json answer(std::string_view operation, const Json& body);
    Json answer_stream(std::string_view verb, std::string_view name, const Json& body);
    Json answer_consumer(std::string_view verb, std::string_view rest, const Json& body);
    Json create_stream(std::string_view name, const Json& body);
    Json update_stream(std::string_view name, const Json& body);
    std::optional<ApiError> check_streams(const MemoryStream& stream) const;
    bool gathers_from(const Json& config, std::string_view name) const;
    Json list_streams(const Json& body, bool names_only) const;
    Json create_consumer(MemoryStream& stream, std::string_view name, const Json& body);
    Json list_consumers(const MemoryStream& stream, bool names_only) const;
    Json get_message(const MemoryStream& stream, const Json& body) const;
    void get_direct(std::string_view rest, const Json& body, const Parcel& parcel);
    void send_stored(const std::string& to, const MemoryStream& stream, const StoredParcel& stored, Headers more);
    void pull(std::string_view rest, const Parcel& parcel);
    void settle(const Parcel& parcel);
    void confirm(std::string_view subject);
    bool store(const SharedParcel& parcel);
    void feed_followers();

    void send_no_responders(const Parcel& request);
    MemoryStream* find(std::string_view name);
    MemoryConsumer* find(std::string_view stream, std::string_view name);
    void send_json(const std::string& to, const Json& json);
    void send_text(const std::string& to, std::string text);
    void arm();
    void run_due();
    /// Sends the gathered messages. Takes the lock and releases it.
    void finish(std::unique_lock<std::mutex> lock);

    std::mutex mutex_ = {};
    JetStreamContext context_;
    std::map<std::string, std::unique_ptr<MemoryStream>, std::less<>> streams_ = {};
    TimerId timer_ = {};
    std::atomic<bool> pushes_ = false;
};

}  // namespace freshet::detail
