// SPDX-License-Identifier: Apache-2.0
// Answers requests under $JS.API.CONSUMER.
#include <algorithm>

#include <fmt/format.h>

#include <freshet/text.hpp>

#include "base/random_id.hpp"
#include "testing/memory/jetstream/jetstream.hpp"
#include "testing/memory/jetstream/settings.hpp"

namespace freshet::detail {
namespace {

using Json = nlohmann::json;

/// Returns an error if the stream's retention or limits do not allow this consumer.
std::optional<ApiError> check_new(const MemoryStream& stream, const Json& config) {
    const auto most = stream.config().value("max_consumers", std::int64_t{-1});
    if (most > 0 && static_cast<std::int64_t>(stream.consumers.size()) >= most)
        return ApiError{400, 10026, "maximum consumers limit reached"};
    if (stream.config().value("retention", "") != "workqueue") return std::nullopt;
    if (config["ack_policy"] != "explicit") return ApiError{400, 10098, "workqueue stream requires explicit ack"};
    if (config["deliver_policy"] != "all")
        return ApiError{400, 10101, "consumer must be deliver all on workqueue stream"};
    for (const auto& [unused, other] : stream.consumers) {
        if (!filters_overlap(config, other->config())) continue;
        const bool filtered = config.contains("filter_subject") || config.contains("filter_subjects");
        if (!filtered) return ApiError{400, 10099, "multiple non-filtered consumers not allowed on workqueue stream"};
        return ApiError{400, 10100, "filtered consumer not unique on workqueue stream"};
    }
    return std::nullopt;
}

}  // namespace

Json MemoryJetStream::answer_consumer(std::string_view verb, std::string_view rest, const Json& body) {
    auto* const stream = find(take_token(rest));
    if (stream == nullptr) return no_stream.json();
    if (verb == "NAMES") return list_consumers(*stream, Listing::names);
    if (verb == "LIST") return list_consumers(*stream, Listing::infos);
    if (verb == "CREATE") return create_consumer(*stream, take_token(rest), body);
    const auto found = stream->consumers.find(rest);
    if (found == stream->consumers.end()) return no_consumer.json();
    auto& consumer = *found->second;
    if (verb == "INFO") return consumer.info();
    if (verb == "PAUSE") return consumer.pause(body.value("pause_until", ""));
    if (verb == "RESET") return consumer.reset(body.value("seq", std::uint64_t{0}));
    if (verb == "UNPIN") {
        consumer.unpin(body.value("group", ""));
        return Json::object();
    }
    if (verb != "DELETE") return {};
    consumer.close();
    stream->consumers.erase(found);
    return {{"success", true}};
}

Json MemoryJetStream::create_consumer(MemoryStream& stream, std::string_view given, const Json& body) {
    auto wanted = body.value("config", Json::object());
    std::string name{given};
    for (const auto* key : {"name", "durable_name"})
        if (name.empty()) name = wanted.value(key, "");
    if (name.empty()) name = random_id();
    wanted["name"] = name;
    auto config = complete_consumer(std::move(wanted), stream.config());
    if (!config) return config.error().json();
    const auto action = body.value("action", "");
    const auto existing = stream.consumers.find(name);
    if (existing == stream.consumers.end()) {
        if (action == "update") return ApiError{400, 10149, "consumer does not exist"}.json();
        if (auto error = check_new(stream, *config)) return error->json();
        auto made = std::make_unique<MemoryConsumer>(context_, stream, *std::move(config));
        auto& consumer = *stream.consumers.emplace(name, std::move(made)).first->second;
        auto info = consumer.info();  // taken before it delivers, so that num_pending counts all messages
        if (consumer.pushes()) {
            pushes_ = true;
            consumer.pump();
        }
        return info;
    }
    auto& consumer = *existing->second;
    if (consumer.config() == *config) return consumer.info();
    if (action == "create") return ApiError{400, 10148, "consumer already exists"}.json();
    if (auto error = check_consumer_update(consumer.config(), *config)) return error->json();
    consumer.update(*std::move(config));
    consumer.pump();
    return consumer.info();
}

Json MemoryJetStream::list_consumers(const MemoryStream& stream, Listing listing) const {
    auto found = Json::array();
    for (const auto& [name, consumer] : stream.consumers)
        found.push_back(listing == Listing::names ? Json(name) : consumer->info());
    const auto total = found.size();
    return {{"total", total}, {"offset", 0}, {"limit", 1024}, {"consumers", std::move(found)}};
}

void MemoryJetStream::pull(std::string_view rest, const Parcel& parcel) {
    auto* const stream = find(take_token(rest));
    if (parcel.reply_to.empty()) return;
    if (stream == nullptr || !stream->consumers.contains(rest)) return send_no_responders(parcel);
    // The body is a number, or an object.
    auto body = Json::object();
    if (const auto batch = FromText<std::uint64_t>::parse(parcel.payload)) body["batch"] = *batch;
    else if (!parcel.payload.empty()) body = Json::parse(parcel.payload, nullptr, false);
    if (!body.is_object()) return context_.send_status(parcel.reply_to, 400, "Bad Request");
    try {
        stream->consumers.find(rest)->second->pull(parcel.reply_to, body);
    } catch (const Json::exception&) { context_.send_status(parcel.reply_to, 400, "Bad Request"); }
}

}  // namespace freshet::detail
