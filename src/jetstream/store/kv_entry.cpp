// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/kv_entry.hpp"

#include <string>
#include <utility>

#include "base/quoted.hpp"
#include "jetstream/store/store_watch.hpp"

namespace freshet::kv {

const char* to_string(Operation operation) noexcept {
    switch (operation) {
        case Operation::erase: return "erase";
        case Operation::purge: return "purge";
        default: return "put";
    }
}

}  // namespace freshet::kv

namespace freshet::detail {
namespace {

std::string_view bucket_of_stream(std::string_view stream) noexcept {
    constexpr std::string_view prefix = "KV_";
    return stream.starts_with(prefix) ? stream.substr(prefix.size()) : stream;
}

/// Returns whether the server has left the payload out, because only headers were requested: it gives the size then.
bool left_out(const Message& message) { return message.payload().empty() && message.header("Nats-Msg-Size"); }

}  // namespace

std::string entry_text(std::string_view key, kv::Operation operation, std::uint64_t revision) {
    return std::string{key} + " (" + kv::to_string(operation) + ", revision " + std::to_string(revision) + ")";
}

kv::Operation operation_of(const Message& message) {
    if (const auto operation = message.header("KV-Operation")) {
        if (*operation == "DEL") return kv::Operation::erase;
        if (*operation == "PURGE") return kv::Operation::purge;
        return kv::Operation::put;
    }
    const auto reason = message.header("Nats-Marker-Reason");
    if (!reason) return kv::Operation::put;
    return *reason == "Remove" ? kv::Operation::erase : kv::Operation::purge;
}

std::string_view key_of(std::string_view subject) noexcept {
    for (int token = 0; token < 2; ++token) {
        const auto dot = subject.find('.');
        if (dot == std::string_view::npos) return {};
        subject.remove_prefix(dot + 1);
    }
    return subject;
}

KvRecord delivered_record(Message message, const Metadata& metadata) {
    KvRecord record{.bucket = std::string{bucket_of_stream(metadata.stream)},
                    .key = std::string{key_of(message.subject())},
                    .revision = metadata.stream_sequence,
                    .delta = metadata.pending,
                    .created = metadata.time,
                    .operation = operation_of(message),
                    .has_value = !left_out(message)};
    record.message = std::move(message);
    return record;
}

KvRecord stored_record(std::string_view bucket, js::StoredMessage stored) {
    const auto operation = operation_of(stored.message());
    return {.bucket = std::string{bucket},
            .key = std::string{key_of(stored.subject())},
            .message = stored.take_message(),
            .revision = stored.sequence(),
            .created = stored.time(),
            .operation = operation};
}

Error bad_value(const KvRecord& record, const Error& error) {
    return {error.code(), "the value of key " + detail::quoted(record.key) + " in bucket " +
                              detail::quoted(record.bucket) + " (revision " + std::to_string(record.revision) +
                              ") cannot be decoded: " + std::string{error.message()}};
}

KvRecord read_watched(const Message& message) {
    KvRecord record{.key = std::string{message.subject()},
                    .operation = operation_of(message),
                    .initial = is_initial(message),
                    .has_value = !left_out(message)};
    if (const auto metadata = message.metadata()) {
        record.bucket = bucket_of_stream(metadata->stream);
        record.revision = metadata->stream_sequence;
        record.delta = metadata->pending;
        record.created = metadata->time;
    }
    return record;
}

}  // namespace freshet::detail
