// SPDX-License-Identifier: Apache-2.0
// Answers requests about streams and consumers under $JS.API.
#include <algorithm>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "jetstream/api/rfc3339.hpp"
#include "testing/memory/jetstream/jetstream.hpp"
#include "testing/memory/jetstream/settings.hpp"

namespace freshet::detail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t api_prefix_size = std::string_view{"$JS.API."}.size();
// The API level of nats-server 2.14.
constexpr int api_level = 4;

std::string base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size =
        ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                          reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::string header_block(const Headers& headers) {
    std::string text = "NATS/1.0\r\n";
    for (const auto& [name, value] : headers) text.append(name).append(": ").append(value).append("\r\n");
    return text + "\r\n";
}

Json success() { return {{"success", true}}; }

ApiError unknown_request(std::string_view what) {
    return {400, 10003, fmt::format("the memory server does not know $JS.API.{}", what)};
}

}  // namespace

void MemoryJetStream::request(const Parcel& parcel) {
    std::string_view operation = parcel.subject;
    operation.remove_prefix(api_prefix_size);
    if (operation.starts_with("CONSUMER.MSG.NEXT.")) return pull(operation.substr(18), parcel);
    const auto body = parcel.payload.empty() ? Json::object() : Json::parse(parcel.payload, nullptr, false);
    if (operation.starts_with("DIRECT.GET.")) return get_direct(operation.substr(11), body, parcel);
    const auto answered = [&] {
        try {
            if (body.is_object()) return answer(operation, body);
        } catch (const Json::exception&) {}  // a member of another type
        return ApiError{400, 10025, "invalid JSON"}.json();
    }();
    if (!parcel.reply_to.empty()) send_json(parcel.reply_to, answered);
}

Json MemoryJetStream::answer(std::string_view operation, const Json& body) {
    const auto whole = operation;
    const auto kind = take_token(operation);
    if (kind == "INFO")
        return {{"api", {{"level", api_level}, {"total", 0}, {"errors", 0}}}, {"streams", streams_.size()}};
    const auto verb = take_token(operation);
    if (kind == "STREAM" && verb == "NAMES") return list_streams(body, Listing::names);
    if (kind == "STREAM" && verb == "LIST") return list_streams(body, Listing::infos);
    if (kind == "STREAM" && verb == "MSG") {
        const auto what = take_token(operation);
        auto* const stream = find(operation);
        if (stream == nullptr) return no_stream.json();
        if (what == "GET") return get_message(*stream, body);
        if (what != "DELETE") return unknown_request(whole).json();
        const auto erased = stream->erase_message(body.value("seq", std::uint64_t{0}));
        return erased ? success() : erased.error().json();
    }
    auto answered = kind == "STREAM"     ? answer_stream(verb, operation, body)
                    : kind == "CONSUMER" ? answer_consumer(verb, operation, body)
                                         : Json{};
    return answered.is_null() ? unknown_request(whole).json() : answered;
}

Json MemoryJetStream::answer_stream(std::string_view verb, std::string_view name, const Json& body) {
    if (verb == "CREATE") return create_stream(name, body);
    if (verb == "UPDATE") return update_stream(name, body);
    if (verb != "INFO" && verb != "PURGE" && verb != "DELETE") return {};
    auto* const stream = find(name);
    if (stream == nullptr) return no_stream.json();
    if (verb == "INFO") return stream->info(body);
    if (verb == "PURGE") return stream->purge(body);
    for (const auto& [unused, consumer] : stream->consumers) consumer->close();
    streams_.erase(streams_.find(name));
    return success();
}

/// Returns an error if the stream cannot exist beside the others.
std::optional<ApiError> MemoryJetStream::check_streams(const MemoryStream& stream) const {
    for (const auto& [name, other] : streams_)
        if (name != stream.name() && stream.overlaps(*other))
            return ApiError{400, 10065, "subjects overlap with an existing stream"};
    if (gathers_from(stream.config(), stream.name()))
        return ApiError{400, 10049, fmt::format("the sources of {} go in a circle", stream.name())};
    return std::nullopt;
}

bool MemoryJetStream::gathers_from(const Json& config, std::string_view name) const {
    auto sources = config.value("sources", Json::array());
    if (config.contains("mirror")) sources.push_back(config["mirror"]);
    return std::ranges::any_of(sources, [&](const Json& source) {
        const auto from = source.value("name", "");
        const auto found = streams_.find(from);
        return from == name || (found != streams_.end() && gathers_from(found->second->config(), name));
    });
}

Json MemoryJetStream::create_stream(std::string_view name, const Json& body) {
    auto config = complete_stream(name, body);
    if (!config) return config.error().json();
    if (auto* const existing = find(name)) {
        if (existing->config() != *config) return ApiError{400, 10058, "stream name already in use"}.json();
        return existing->info({});
    }
    auto stream = std::make_unique<MemoryStream>(context_, *std::move(config));
    if (auto error = check_streams(*stream)) return error->json();
    auto& created = *streams_.emplace(name, std::move(stream)).first->second;
    for (const auto& [unused, origin] : streams_)
        for (const auto& [sequence, stored] : origin->messages()) created.follow(*origin, stored);
    auto info = created.info({});
    info["did_create"] = true;
    return info;
}

Json MemoryJetStream::update_stream(std::string_view name, const Json& body) {
    auto* const stream = find(name);
    if (stream == nullptr) return no_stream.json();
    auto config = complete_stream(name, body);
    if (!config) return config.error().json();
    if (auto error = check_stream_update(stream->config(), *config)) return error->json();
    if (auto error = check_streams(MemoryStream{context_, *config})) return error->json();
    stream->update(*std::move(config));
    return stream->info({});
}

Json MemoryJetStream::list_streams(const Json& body, Listing listing) const {
    const auto filter = body.value("subject", "");
    auto found = Json::array();
    for (const auto& [name, stream] : streams_) {
        const auto subjects = stream->config().value("subjects", Json::array());
        const bool wanted = filter.empty() || std::ranges::any_of(subjects, [&](const Json& subject) {
                                return wire_overlaps(filter, subject.get_ref<const std::string&>());
                            });
        if (wanted) found.push_back(listing == Listing::names ? Json(name) : stream->info({}));
    }
    const auto total = found.size();
    return {{"total", total}, {"offset", 0}, {"limit", 1024}, {"streams", std::move(found)}};
}

Json MemoryJetStream::get_message(const MemoryStream& stream, const Json& body) const {
    const auto* const stored = stream.find(body);
    if (stored == nullptr) return ApiError{404, 10037, "no message found"}.json();
    Json message{{"subject", stored->parcel->subject},
                 {"seq", stored->sequence},
                 {"time", format_rfc3339(context_.date(stored->time))}};
    if (!stored->parcel->payload.empty()) message["data"] = base64(stored->parcel->payload);
    if (!stored->parcel->headers.empty()) message["hdrs"] = base64(header_block(stored->parcel->headers));
    return {{"message", std::move(message)}};
}

void MemoryJetStream::get_direct(std::string_view rest, const Json& given, const Parcel& parcel) {
    auto body = given.is_object() ? given : Json::object();
    auto* const stream = find(take_token(rest));
    if (parcel.reply_to.empty()) return;
    const auto allows = [&](const char* key) { return stream->config().value(key, false); };
    if (stream == nullptr || !(allows("allow_direct") || allows("mirror_direct"))) return send_no_responders(parcel);
    if (!rest.empty()) body["last_by_subj"] = rest;
    if (!body.contains("batch")) {
        const auto* const stored = stream->find(body);
        if (stored == nullptr) return context_.send_status(parcel.reply_to, 404, "Message Not Found");
        return send_stored(parcel.reply_to, *stream, *stored, {});
    }
    const auto found = stream->batch(body);
    if (found.empty()) return context_.send_status(parcel.reply_to, 404, "No Results");
    const auto count = std::min<std::size_t>(found.size(), body["batch"].get<std::size_t>());
    const auto up_to = std::to_string(body.value("up_to_seq", stream->last_sequence()));
    std::uint64_t previous = 0;
    for (std::size_t i = 0; i < count; ++i) {
        send_stored(parcel.reply_to, *stream, *found[i],
                    {{"Nats-Num-Pending", std::to_string(found.size() - i - 1)},
                     {"Nats-Last-Sequence", std::to_string(previous)}});
        previous = found[i]->sequence;
    }
    context_.send_status(parcel.reply_to, 204, "EOB",
                         {{"Nats-Num-Pending", std::to_string(found.size() - count)},
                          {"Nats-Last-Sequence", std::to_string(previous)},
                          {"Nats-UpTo-Sequence", up_to}});
}

void MemoryJetStream::send_stored(const std::string& to, const MemoryStream& stream, const StoredParcel& stored,
                                  Headers more) {
    Parcel parcel = *stored.parcel;
    parcel.subject = to;
    parcel.reply_to.clear();
    parcel.headers.set("Nats-Stream", stream.name());
    parcel.headers.set("Nats-Subject", stored.parcel->subject);
    parcel.headers.set("Nats-Sequence", std::to_string(stored.sequence));
    parcel.headers.set("Nats-Time-Stamp", format_rfc3339(context_.date(stored.time)));
    for (const auto& [name, value] : more) parcel.headers.set(name, value);
    context_.send(to, std::move(parcel));
}

}  // namespace freshet::detail
