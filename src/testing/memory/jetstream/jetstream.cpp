// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/jetstream/jetstream.hpp"

#include <algorithm>

#include <freshet/metadata.hpp>

namespace freshet::detail {
namespace {

using Json = nlohmann::json;

constexpr std::string_view api_prefix = "$JS.API.";
constexpr std::string_view ack_prefix = "$JS.ACK.";
constexpr std::string_view flow_prefix = "$JS.FC.";

std::string text_of(const Json& json) { return json.is_null() ? std::string{} : json.dump(); }

/// Returns the text of a publication's answer. Its first member is "stream" or "error", as a server writes it: clients
/// tell it by that from the answer of a service.
std::string acknowledgement(const Json& answer) {
    if (!answer.contains("stream") || answer.contains("error")) return text_of(answer);
    nlohmann::ordered_json ordered;
    ordered["stream"] = answer["stream"].get<std::string>();
    ordered.update(answer);
    return ordered.dump();
}

}  // namespace

bool MemoryJetStream::on_publish(const SharedParcel& parcel) {
    std::unique_lock lock{mutex_};
    const std::string_view subject = parcel->subject;
    bool taken = true;
    if (subject.starts_with(api_prefix)) request(*parcel);
    else if (subject.starts_with(ack_prefix)) settle(*parcel);
    else if (subject.starts_with(flow_prefix)) confirm(subject);
    else taken = store(parcel);
    if (taken) finish(std::move(lock));
    return taken;
}

void MemoryJetStream::on_subscribed() {
    std::unique_lock lock{mutex_};
    for (const auto& [unused, stream] : streams_)
        for (const auto& [name, consumer] : stream->consumers)
            if (consumer->pushes()) consumer->pump();
    finish(std::move(lock));
}

void MemoryJetStream::finish(std::unique_lock<std::mutex> lock) {
    feed_followers();
    arm();
    const auto outbox = std::exchange(context_.outbox, {});
    lock.unlock();
    for (const auto& [to, parcel, published] : outbox) {
        context_.hub.deliver(to, parcel);
        if (published) on_publish(parcel);
    }
}

/// Passes stored messages on to the streams that mirror their stream or have it as a source, and from these on to
/// others.
void MemoryJetStream::feed_followers() {
    while (!context_.stored.empty()) {
        for (const auto& [name, sequence] : std::exchange(context_.stored, {})) {
            const auto* const origin = find(name);
            const auto found =
                origin == nullptr ? MemoryStream::Messages::const_iterator{} : origin->messages().find(sequence);
            if (origin == nullptr || found == origin->messages().end()) continue;
            const auto stored = found->second;  // copied, because following may remove it
            for (const auto& [unused, stream] : streams_) stream->follow(*origin, stored);
        }
    }
}

bool MemoryJetStream::store(const SharedParcel& parcel) {
    bool taken = false;
    for (const auto& [name, stream] : streams_) {
        if (!stream->takes(parcel->subject)) continue;
        taken = true;
        const auto answer = stream->store(parcel);
        if (!parcel->reply_to.empty() && !stream->config().value("no_ack", false))
            send_text(parcel->reply_to, acknowledgement(answer));
    }
    return taken;
}

void MemoryJetStream::settle(const Parcel& parcel) {
    const auto metadata = parse_ack_subject(parcel.subject);
    auto* const consumer = metadata ? find(metadata->stream, metadata->consumer) : nullptr;
    if (consumer == nullptr) return;
    consumer->settle(metadata->stream_sequence, parcel.payload);
    if (parcel.reply_to.empty()) return;
    Parcel confirmation;
    confirmation.subject = parcel.reply_to;
    context_.send(parcel.reply_to, std::move(confirmation));
}

void MemoryJetStream::confirm(std::string_view subject) {
    auto rest = subject.substr(flow_prefix.size());
    const auto stream = take_token(rest);
    if (auto* const consumer = find(stream, take_token(rest))) consumer->confirmed(subject);
}

/// Answers "no responders": a server listens only for objects that exist.
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

MemoryConsumer* MemoryJetStream::find(std::string_view stream_name, std::string_view name) {
    auto* const stream = find(stream_name);
    const auto found = stream == nullptr ? MemoryStream::Consumers::iterator{} : stream->consumers.find(name);
    return stream == nullptr || found == stream->consumers.end() ? nullptr : found->second.get();
}

void MemoryJetStream::send_json(const std::string& to, const Json& json) { send_text(to, text_of(json)); }

void MemoryJetStream::send_text(const std::string& to, std::string text) {
    Parcel parcel;
    parcel.subject = to;
    parcel.payload = std::move(text);
    context_.send(to, std::move(parcel));
}

/// Sets the one timer to the earliest time at which something is due by itself.
void MemoryJetStream::arm() {
    auto due = TimePoint::max();
    for (const auto& [unused, stream] : streams_) {
        due = std::min(due, stream->next_due());
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
        stream->run_due();
        for (const auto& [name, consumer] : stream->consumers) consumer->run_due();
        std::erase_if(stream->consumers, [](const auto& entry) { return entry.second->inactive(); });
    }
    finish(std::move(lock));
}

}  // namespace freshet::detail
