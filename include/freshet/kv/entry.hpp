// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/codec.hpp>
#include <freshet/context.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/extract.hpp>
#include <freshet/message.hpp>

namespace freshet::kv {

/// What happened to a key.
enum class Operation : std::uint8_t {
    put,    ///< it got a value
    erase,  ///< it was deleted; its history stays
    purge,  ///< it was deleted, and its history with it; or its time was over (ADR-48)
};

/// "put", "erase", "purge".
const char* to_string(Operation operation) noexcept;

/// The time of the server that took an entry.
using Time = std::chrono::system_clock::time_point;

/// One revision of a key. Owns everything it holds.
template <class T>
struct Entry {
    std::string bucket = {};
    std::string key = {};
    T value = {};                          ///< of a put; T{} for an erase or a purge, and when a watch says meta_only
    std::uint64_t revision = 0;            ///< grows with each write to the bucket, whatever the key
    std::uint64_t delta = 0;               ///< how many entries of a watch or a history follow; 0: the latest
    Time created = {};                     ///< when the server took it
    Operation operation = Operation::put;  ///< what happened
    bool initial = false;                  ///< of a watch: it was there before, it is no change
};

}  // namespace freshet::kv

namespace freshet::detail {

/// An entry before its value is decoded.
struct KvRecord {
    std::string bucket = {};
    std::string key = {};
    Message message = {};  ///< payload and content type
    std::uint64_t revision = 0;
    std::uint64_t delta = 0;
    kv::Time created = {};
    kv::Operation operation = kv::Operation::put;
    bool initial = false;
    bool has_value = true;  ///< false: only headers were asked for
};

/// Says which entry it was that could not be decoded.
Error bad_value(const KvRecord& record, const Error& error);

/// The record that a watch feeds as this message. The record's own message stays empty: it is this one.
KvRecord read_watched(const Message& message);

template <class T>
Expected<kv::Entry<T>> decode_entry(KvRecord record, const Message& message) {
    static_assert(!RawView<T>, "freshet: a view of a value would outlive it; a bucket's values are std::string, "
                               "std::vector<std::byte>, or a type with a codec. See docs/kv.md");
    static_assert(Decodable<T>, "freshet: the type of a bucket's values has no codec: add FRESHET_JSON(Type, "
                                "fields...), link freshet::glaze, or specialise freshet::Codec<T>. See docs/codecs.md");
    kv::Entry<T> entry{.bucket = std::move(record.bucket),
                       .key = std::move(record.key),
                       .revision = record.revision,
                       .delta = record.delta,
                       .created = record.created,
                       .operation = record.operation,
                       .initial = record.initial};
    if (record.operation != kv::Operation::put || !record.has_value) return entry;
    if (auto decoded = decode_body(body_of(message), content_type_of(message), entry.value); !decoded) {
        record.key = std::move(entry.key);
        record.bucket = std::move(entry.bucket);
        return std::unexpected{bad_value(record, decoded.error())};
    }
    return entry;
}

template <class T>
Expected<kv::Entry<T>> decode_entry(KvRecord record) {
    const Message message = std::move(record.message);
    return decode_entry<T>(std::move(record), message);
}

}  // namespace freshet::detail

/// What a handler of a `kv::Watch` takes: `[](const kv::Entry<Flag>& entry) { ... }`.
template <class T>
struct freshet::Extractor<freshet::kv::Entry<T>> {
    static Expected<kv::Entry<T>> extract(Context& context) {
        const auto& message = context.message();
        return detail::decode_entry<T>(detail::read_watched(message), message);
    }
};
