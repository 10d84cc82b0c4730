// SPDX-License-Identifier: Apache-2.0
#include "jetstream.hpp"

#include <algorithm>
#include <charconv>

#include <openssl/evp.h>

#include <freshet/metadata.hpp>

#include "../../jetstream/rfc3339.hpp"
#include "../../random_id.hpp"

namespace freshet::detail {
namespace {

using Json = nlohmann::json;

constexpr std::string_view api_prefix = "$JS.API.";
constexpr std::string_view ack_prefix = "$JS.ACK.";
constexpr int api_level = 1;

const ApiError no_stream{404, 10059, "stream not found"};
const ApiError no_consumer{404, 10014, "consumer not found"};

/// The first token, which `text` loses.
std::string_view take_token(std::string_view& text) {
    const auto end = text.find('.');
    const auto token = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return token;
}

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

}  // namespace

bool MemoryJetStream::on_publish(const SharedParcel& parcel) {
    std::unique_lock lock{mutex_};
    const std::string_view subject = parcel->subject;
    bool taken = true;
    if (subject.starts_with(api_prefix)) request(*parcel);
    else if (subject.starts_with(ack_prefix)) settle(*parcel);
    else taken = store(parcel);
    if (taken) finish(std::move(lock));
    return taken;
}

void MemoryJetStream::finish(std::unique_lock<std::mutex> lock) {
    arm();
    const auto outbox = std::exchange(context_.outbox, {});
    lock.unlock();
    for (const auto& [to, parcel] : outbox) context_.hub.deliver(to, parcel);
}

bool MemoryJetStream::store(const SharedParcel& parcel) {
    bool taken = false;
    for (const auto& [name, stream] : streams_) {
        if (!stream->takes(parcel->subject)) continue;
        taken = true;
        const auto answer = stream->store(parcel);
        if (!parcel->reply_to.empty() && !stream->config().value("no_ack", false)) send_json(parcel->reply_to, answer);
    }
    return taken;
}

void MemoryJetStream::settle(const Parcel& parcel) {
    const auto metadata = parse_ack_subject(parcel.subject);
    auto* const stream = metadata ? find(metadata->stream) : nullptr;
    if (stream == nullptr) return;
    const auto consumer = stream->consumers.find(metadata->consumer);
    if (consumer == stream->consumers.end()) return;
    consumer->second->settle(metadata->stream_sequence, parcel.payload);
    if (parcel.reply_to.empty()) return;
    Parcel confirmation;
    confirmation.subject = parcel.reply_to;
    context_.send(parcel.reply_to, std::move(confirmation));
}

void MemoryJetStream::request(const Parcel& parcel) {
    std::string_view operation = parcel.subject;
    operation.remove_prefix(api_prefix.size());
    if (operation.starts_with("CONSUMER.MSG.NEXT.")) return pull(operation.substr(18), parcel);
    const auto body = parcel.payload.empty() ? Json::object() : Json::parse(parcel.payload, nullptr, false);
    if (operation.starts_with("DIRECT.GET.")) return get_direct(operation.substr(11), body, parcel);
    const auto answered = body.is_object() ? answer(operation, body) : ApiError{400, 10025, "invalid JSON"}.json();
    if (!parcel.reply_to.empty()) send_json(parcel.reply_to, answered);
}

Json MemoryJetStream::answer(std::string_view operation, const Json& body) {
    const auto kind = take_token(operation);
    if (kind == "INFO")
        return {{"api", {{"level", api_level}, {"total", 0}, {"errors", 0}}}, {"streams", streams_.size()}};
    const auto verb = take_token(operation);
    if (kind == "STREAM" && verb == "NAMES") return list_streams(body, true);
    if (kind == "STREAM" && verb == "LIST") return list_streams(body, false);
    if (kind == "STREAM" && verb == "MSG") {
        const auto what = take_token(operation);
        auto* const stream = find(operation);
        if (stream == nullptr) return no_stream.json();
        if (what == "GET") return get_message(*stream, body);
        const auto erased = stream->erase_message(body.value("seq", std::uint64_t{0}));
        return erased ? success() : erased.error().json();
    }
    if (kind == "STREAM") return answer_stream(verb, operation, body);
    if (kind == "CONSUMER") return answer_consumer(verb, operation, body);
    return ApiError{400, 10003, "bad request"}.json();
}

Json MemoryJetStream::answer_stream(std::string_view verb, std::string_view name, const Json& body) {
    if (verb == "CREATE") return create_stream(name, body);
    if (verb == "UPDATE") return update_stream(name, body);
    auto* const stream = find(name);
    if (stream == nullptr) return no_stream.json();
    if (verb == "INFO") return stream->info(body);
    if (verb == "PURGE") return stream->purge(body);
    if (verb != "DELETE") return ApiError{400, 10003, "bad request"}.json();
    for (const auto& [unused, consumer] : stream->consumers) consumer->close();
    streams_.erase(streams_.find(name));
    return success();
}

Json MemoryJetStream::create_stream(std::string_view name, const Json& body) {
    const auto config = MemoryStream::complete(std::string{name}, body);
    if (!config) return config.error().json();
    if (auto* const existing = find(name)) {
        if (existing->config() != *config) return ApiError{400, 10058, "stream name already in use"}.json();
        return existing->info({});
    }
    auto stream = std::make_unique<MemoryStream>(context_, *config);
    for (const auto& [unused, other] : streams_)
        if (stream->overlaps(*other)) return ApiError{400, 10065, "subjects overlap with an existing stream"}.json();
    auto info = stream->info({});
    info["did_create"] = true;
    streams_.emplace(name, std::move(stream));
    return info;
}

Json MemoryJetStream::update_stream(std::string_view name, const Json& body) {
    auto* const stream = find(name);
    if (stream == nullptr) return no_stream.json();
    const auto config = MemoryStream::complete(std::string{name}, body);
    if (!config) return config.error().json();
    for (const auto* key : {"retention", "storage"})
        if (config->at(key) != stream->config().at(key))
            return ApiError{500, 10052, std::string{"stream configuration update can not change "} + key}.json();
    stream->update(*config);
    return stream->info({});
}

Json MemoryJetStream::list_streams(const Json& body, bool names_only) const {
    const auto filter = body.value("subject", "");
    auto found = Json::array();
    for (const auto& [name, stream] : streams_) {
        const auto& subjects = stream->config().at("subjects");
        const bool wanted = filter.empty() || std::ranges::any_of(subjects, [&](const Json& subject) {
                                return wire_overlaps(filter, subject.get_ref<const std::string&>());
                            });
        if (wanted) found.push_back(names_only ? Json(name) : stream->info({}));
    }
    const auto total = found.size();
    return {{"total", total}, {"offset", 0}, {"limit", 1024}, {"streams", std::move(found)}};
}

Json MemoryJetStream::answer_consumer(std::string_view verb, std::string_view rest, const Json& body) {
    auto* const stream = find(take_token(rest));
    if (stream == nullptr) return no_stream.json();
    if (verb == "NAMES" || verb == "LIST") return list_consumers(*stream, verb == "NAMES");
    if (verb == "CREATE") return create_consumer(*stream, take_token(rest), body);
    const auto consumer = stream->consumers.find(rest);
    if (consumer == stream->consumers.end()) return no_consumer.json();
    if (verb == "INFO") return consumer->second->info();
    if (verb != "DELETE") return ApiError{400, 10003, "bad request"}.json();
    consumer->second->close();
    stream->consumers.erase(consumer);
    return success();
}

Json MemoryJetStream::create_consumer(MemoryStream& stream, std::string_view given, const Json& body) {
    auto config = body.value("config", Json::object());
    std::string name{given};
    for (const auto* key : {"name", "durable_name"})
        if (name.empty()) name = config.value(key, "");
    if (name.empty()) name = random_id();
    config["name"] = name;
    if (auto error = MemoryConsumer::complete(config)) return error->json();
    const auto action = body.value("action", "");
    const auto existing = stream.consumers.find(name);
    if (existing == stream.consumers.end()) {
        if (action == "update") return ApiError{400, 10149, "consumer does not exist"}.json();
        const bool workqueue = stream.config().value("retention", "") == "workqueue";
        if (workqueue && config["ack_policy"] != "explicit")
            return ApiError{400, 10098, "workqueue stream requires explicit ack"}.json();
        auto made = std::make_unique<MemoryConsumer>(context_, stream, std::move(config));
        return stream.consumers.emplace(name, std::move(made)).first->second->info();
    }
    if (existing->second->config() == config) return existing->second->info();
    if (action == "create") return ApiError{400, 10148, "consumer already exists"}.json();
    existing->second->update(std::move(config));
    return existing->second->info();
}

Json MemoryJetStream::list_consumers(const MemoryStream& stream, bool names_only) const {
    auto found = Json::array();
    for (const auto& [name, consumer] : stream.consumers) found.push_back(names_only ? Json(name) : consumer->info());
    const auto total = found.size();
    return {{"total", total}, {"offset", 0}, {"limit", 1024}, {"consumers", std::move(found)}};
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
    if (stream == nullptr || !stream->config().value("allow_direct", false)) return send_no_responders(parcel);
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

void MemoryJetStream::pull(std::string_view rest, const Parcel& parcel) {
    auto* const stream = find(take_token(rest));
    if (parcel.reply_to.empty()) return;
    if (stream == nullptr || !stream->consumers.contains(rest)) return send_no_responders(parcel);
    // The body is a number, or an object.
    auto body = Json::object();
    std::uint64_t batch = 0;
    const auto* const end = parcel.payload.data() + parcel.payload.size();
    if (std::from_chars(parcel.payload.data(), end, batch).ec == std::errc{}) body["batch"] = batch;
    else if (!parcel.payload.empty()) body = Json::parse(parcel.payload, nullptr, false);
    if (!body.is_object()) return context_.send_status(parcel.reply_to, 400, "Bad Request");
    stream->consumers.find(rest)->second->pull(parcel.reply_to, body);
}

/// A server listens for what exists only.
void MemoryJetStream::send_no_responders(const Parcel& request) {
    Parcel nobody;
    nobody.subject = request.reply_to;
    nobody.headers = {{"Status", "503"}};
    context_.send(request.reply_to, std::move(nobody));
}

MemoryStream* MemoryJetStream::find(std::string_view name) {
    const auto found = streams_.find(name);
    return found == streams_.end() ? nullptr : found->second.get();
}

void MemoryJetStream::send_json(const std::string& to, const Json& json) {
    Parcel parcel;
    parcel.subject = to;
    parcel.payload = json.dump();
    context_.send(to, std::move(parcel));
}

/// One timer, at the earliest of what is due by itself.
void MemoryJetStream::arm() {
    auto due = TimePoint::max();
    for (const auto& [unused, stream] : streams_) {
        due = std::min(due, stream->next_expiry());
        for (const auto& [name, consumer] : stream->consumers) due = std::min(due, consumer->next_due());
    }
    if (timer_.number != 0 && timer_.when == due) return;
    context_.hub.clock().cancel(timer_);
    timer_ = {};
    if (due == TimePoint::max()) return;
    timer_ = context_.hub.clock().schedule(due, [weak = context_.hub.weak_from_this(), this] {
        if (const auto hub = weak.lock()) run_due();
    });
}

void MemoryJetStream::run_due() {
    std::unique_lock lock{mutex_};
    timer_ = {};
    for (const auto& [unused, stream] : streams_) {
        stream->expire();
        for (const auto& [name, consumer] : stream->consumers) consumer->run_due();
        std::erase_if(stream->consumers, [](const auto& entry) { return entry.second->inactive(); });
    }
    finish(std::move(lock));
}

}  // namespace freshet::detail
