// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/codec.hpp>
#include <freshet/context.hpp>
#include <freshet/describer.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/extract.hpp>
#include <freshet/format.hpp>
#include <freshet/message.hpp>

namespace freshet::kv {

/// What happened to a key.
enum class Operation : std::uint8_t {
    put,    ///< the key got a value
    erase,  ///< the key was deleted; its history stays
    purge,  ///< the key was deleted with its history, or its TTL has passed (ADR-48)
};

/// Returns "put", "erase" or "purge".
const char* to_string(Operation operation) noexcept;

/// A time by the clock of the server that stored an entry.
using Time = std::chrono::system_clock::time_point;

/// One revision of a key. Owns all its data.
template <class T>
struct Entry {
    std::string bucket = {};
    std::string key = {};
    T value = {};                          ///< value of a put; T{} for an erase, a purge, and a watch with meta_only
    std::uint64_t revision = 0;            ///< grows with each write to the bucket, for any key
    std::uint64_t delta = 0;               ///< entries of this watch or history that follow; 0: this is the latest
    Time created = {};                     ///< when the server stored it
    Operation operation = Operation::put;  ///< what happened
    bool initial = false;                  ///< in a watch: the entry existed before; it is not a change
};

/// Entries of a bucket.
template <class T>
struct Entries : std::vector<Entry<T>> {
    std::vector<Error> errors = {};  ///< one for each entry whose value is no T; the others are there
};

}  // namespace freshet::kv

namespace freshet::detail {

/// An entry before its value is decoded.
struct KvRecord {
    std::string bucket = {};
    std::string key = {};
    Message message = {};  ///< has the payload and the content type
    std::uint64_t revision = 0;
    std::uint64_t delta = 0;
    kv::Time created = {};
    kv::Operation operation = kv::Operation::put;
    bool initial = false;
    bool has_value = true;            ///< false: only headers were asked for
    std::optional<Error> fault = {};  ///< the bucket's codecs could not read it
};

struct EntryPlan {};
/// Reports a subscriber that no kv::Watch feeds.
EntryPlan bind_entry(Binder& binder);

/// Returns `error` with the bucket, key and revision of the entry that could not be decoded.
Error bad_value(const KvRecord& record, const Error& error);

/// Returns the record that a watch has turned into `message`. The record's own message stays empty.
KvRecord read_watched(const Message& message);

/// Returns the text of an entry for log lines.
std::string entry_text(std::string_view key, kv::Operation operation, std::uint64_t revision);

template <class T>
Expected<kv::Entry<T>> decode_entry(KvRecord record, const Message& message) {
    static_assert(!RawView<T>, "freshet: a view of a value would outlive it; a bucket's values are std::string, "
                               "std::vector<std::byte>, or a type with a codec. See docs/kv.md");
    static_assert(
        Decodable<T>,
        "freshet: the type of a bucket's values has no codec: add FRESHET_JSON(Type, "
        "fields...) in its namespace, link freshet::glaze, or specialise freshet::Codec<T>. See docs/codecs.md");
    kv::Entry<T> entry{.bucket = std::move(record.bucket),
                       .key = std::move(record.key),
                       .revision = record.revision,
                       .delta = record.delta,
                       .created = record.created,
                       .operation = record.operation,
                       .initial = record.initial};
    if (record.fault) {
        record.key = std::move(entry.key);
        record.bucket = std::move(entry.bucket);
        return std::unexpected{bad_value(record, *record.fault)};
    }
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

/// Fills the parameter of a handler of a `kv::Watch`: `[](const kv::Entry<Flag>& entry) { ... }`.
template <class T>
struct freshet::Extractor<freshet::kv::Entry<T>> {
    using Plan = detail::EntryPlan;

    static Plan bind(Binder& binder) { return detail::bind_entry(binder); }

    static void describe(Describer& describer) { describer.body<T>(); }

    static Expected<kv::Entry<T>> extract(Plan, Context& context) {
        const auto& message = context.message();
        return detail::decode_entry<T>(detail::read_watched(message), message);
    }
};

/// As `dark-mode (put, revision 7)`.
template <class T>
struct fmt::formatter<freshet::kv::Entry<T>> : freshet::detail::HandOn {
    auto format(const freshet::kv::Entry<T>& entry, fmt::format_context& context) const {
        return write(context, freshet::detail::entry_text(entry.key, entry.operation, entry.revision));
    }
};
