// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/detail/future.hpp>
#include <freshet/detail/kv_bucket.hpp>
#include <freshet/future.hpp>
#include <freshet/kv/entry.hpp>
#include <freshet/kv/options.hpp>
#include <freshet/kv/watcher.hpp>

namespace freshet::detail {

template <class T>
inline constexpr OutgoingShape bucket_shape{.kind = OutgoingShape::Kind::key_value,
                                            .body = &body_shape<T, Direction::write>};

}  // namespace freshet::detail

namespace freshet::kv {

/// A key-value bucket whose values are T: `broker.kv<Flag>("flags", {.history = 5})` (ADR-8).
///
/// Cheap to copy. Every function may be called from any thread, also inside handlers. The broker must outlive this
/// object and must run when a function is called, else Errc::closed. freshet declares the bucket as Options::declare
/// says: at once if the broker runs, else at the first operation; and again when the server has lost the bucket.
///
/// Functions block until the server answers, for ContextOptions::timeout at most. They throw Error: Errc::bad_subject
/// for an invalid key, before anything is sent; Errc::stream_not_found when there is no such bucket;
/// Condition::timeout, disconnected. Their try_ twins return the error as a value.
template <class T>
class Kv {
public:
    explicit Kv(std::shared_ptr<detail::KvBucket> bucket) noexcept : bucket_{std::move(bucket)} {}

    /// Returns the name of the bucket.
    std::string_view bucket() const noexcept { return detail::kv_name(*bucket_); }

    /// Returns the latest value of a key; nothing if the key has none or was deleted. A replica that does not have the
    /// last write yet may answer. Throws Errc::bad_payload if the value does not decode as T.
    std::optional<Entry<T>> get(std::string_view key) const { return value_or_raise(try_get(key)); }
    Expected<std::optional<Entry<T>>> try_get(std::string_view key) const { return read(key, 0); }

    /// Returns the value that a revision wrote to a key; nothing if the revision is not kept any more, belongs to
    /// another key, or was a deletion.
    std::optional<Entry<T>> get(std::string_view key, std::uint64_t revision) const {
        return value_or_raise(try_get(key, revision));
    }
    Expected<std::optional<Entry<T>>> try_get(std::string_view key, std::uint64_t revision) const {
        if (revision == 0) return std::optional<Entry<T>>{};
        return read(key, revision);
    }

    /// Writes a value, whatever the key had before. Returns the revision.
    std::uint64_t put(std::string_view key, const T& value) const { return value_or_raise(try_put(key, value)); }
    Expected<std::uint64_t> try_put(std::string_view key, const T& value) const {
        return encoded(value, [&](const detail::Encoded& body) { return detail::kv_write(*bucket_, key, body, {}); });
    }

    /// Reads a key like get() but returns at once, so thousands may be in flight. Calls
    /// `done(Expected<std::optional<Entry<T>>>)` once: on the thread that reads the broker's answers, on the timer's
    /// thread at the deadline, on a thread that freshet makes to stop the broker, or on the calling thread before
    /// get_async returns if nothing could be sent. `done` must not block, because all other answers wait for it. An
    /// exception from it is logged. If the server has lost the bucket, this call fails, and the next operation declares
    /// the bucket. While a cluster elects a leader, freshet asks again for up to 20 s.
    template <class Done>
        requires std::is_invocable_v<Done&, Expected<std::optional<Entry<T>>>>
    void get_async(std::string_view key, Done done) const {
        detail::kv_get_async(*bucket_, key,
                             [done = std::move(done)](Expected<std::optional<detail::KvRecord>> record) mutable {
                                 done(decoded(std::move(record)));
                             });
    }
    /// Reads a key like get() but returns at once. The Future gives the result of get(), or throws its error.
    Future<std::optional<Entry<T>>> get_async(std::string_view key) const {
        return detail::as_future<std::optional<Entry<T>>>(detail::kv_link(*bucket_),
                                                          [&](auto done) { get_async(key, std::move(done)); });
    }

    /// Writes like put() but returns at once. Calls `done(Expected<std::uint64_t>)` once with the revision, on a thread
    /// as for get_async; `done` must not block. The server stores two writes of one key in the order of the calls. A
    /// write that a cluster refuses because it elects a leader is sent again for up to 20 s, unless a later write of
    /// its key was stored.
    template <class Done>
        requires std::is_invocable_v<Done&, Expected<std::uint64_t>>
    void put_async(std::string_view key, const T& value, Done done) const {
        detail::KvWritten written = std::move(done);
        const auto sent = encoded(value, [&](const detail::Encoded& body) -> Expected<std::uint64_t> {
            detail::kv_write_async(*bucket_, key, body, {}, std::move(written));
            return 0;
        });
        if (!sent) written(std::unexpected{sent.error()});
    }
    /// Writes like put() but returns at once. The Future gives the revision, or throws the error of put().
    Future<std::uint64_t> put_async(std::string_view key, const T& value) const {
        return detail::as_future<std::uint64_t>(detail::kv_link(*bucket_),
                                                [&](auto done) { put_async(key, value, std::move(done)); });
    }

    /// Writes a value if the key has none or was deleted, else throws Errc::already_exists. Returns the revision.
    std::uint64_t create(std::string_view key, const T& value, const CreateOptions& options = {}) const {
        return value_or_raise(try_create(key, value, options));
    }
    Expected<std::uint64_t> try_create(std::string_view key, const T& value, const CreateOptions& options = {}) const {
        return encoded(value, [&](const detail::Encoded& body) {
            return detail::kv_create(*bucket_, key, body, options.ttl);
        });
    }

    /// Writes a value if `revision` is the key's latest (compare and set), else throws Errc::wrong_last_sequence, which
    /// is Condition::wrong_revision. Returns the new revision.
    std::uint64_t update(std::string_view key, const T& value, std::uint64_t revision) const {
        return value_or_raise(try_update(key, value, revision));
    }
    Expected<std::uint64_t> try_update(std::string_view key, const T& value, std::uint64_t revision) const {
        return encoded(value, [&](const detail::Encoded& body) {
            return detail::kv_write(*bucket_, key, body, {.expected = revision, .verb = "update"});
        });
    }

    /// Deletes a key: writes a marker and keeps the history. It is no error if there is no such key. Returns the
    /// revision of the marker.
    std::uint64_t erase(std::string_view key, const EraseOptions& options = {}) const {
        return value_or_raise(try_erase(key, options));
    }
    Expected<std::uint64_t> try_erase(std::string_view key, const EraseOptions& options = {}) const {
        return detail::kv_write(*bucket_, key, {},
                                {.operation = Operation::erase, .expected = options.revision, .verb = "erase"});
    }

    /// Deletes a key with its history. A marker stays, for as long as PurgeOptions::ttl says. Returns the revision of
    /// the marker.
    std::uint64_t purge(std::string_view key, const PurgeOptions& options = {}) const {
        return value_or_raise(try_purge(key, options));
    }
    Expected<std::uint64_t> try_purge(std::string_view key, const PurgeOptions& options = {}) const {
        return detail::kv_write(
            *bucket_, key, {},
            {.operation = Operation::purge, .expected = options.revision, .ttl = options.ttl, .verb = "purge"});
    }

    /// Returns the keys that have a value and match one of the filters, such as `"user.*"` or `"config.>"`, in the
    /// order of their last writes. Without filters: all keys. Several filters need nats-server 2.10.
    std::vector<std::string> keys(std::vector<std::string> filters = {}) const {
        return value_or_raise(try_keys(std::move(filters)));
    }
    Expected<std::vector<std::string>> try_keys(std::vector<std::string> filters = {}) const {
        std::vector<std::string> keys;
        const auto take = [&](detail::KvRecord record) {
            if (record.operation == Operation::put && !record.fault) keys.push_back(std::move(record.key));
            return true;
        };
        auto read = detail::kv_scan(*bucket_, {.filters = std::move(filters), .values = false}, take);
        if (!read) return std::unexpected{std::move(read).error()};
        return keys;
    }

    /// Returns the latest values of the keys that match one of the filters, in the order of their revisions. Without
    /// filters: of all keys. Several filters need nats-server 2.10. A value that is not a T is left out, logged, and
    /// its error is in Entries::errors.
    Entries<T> entries(std::vector<std::string> filters = {}) const {
        return value_or_raise(try_entries(std::move(filters)));
    }
    Expected<Entries<T>> try_entries(std::vector<std::string> filters = {}) const {
        return scan({.filters = std::move(filters)}, false);
    }

    /// Returns the kept entries of a key, the oldest first: puts, erases and purges. Empty if none is kept. A value
    /// that is not a T is left out, logged, and its error is in Entries::errors.
    Entries<T> history(std::string_view key) const { return value_or_raise(try_history(key)); }
    Expected<Entries<T>> try_history(std::string_view key) const {
        return scan({.filters = {std::string{key}}, .history = true}, true);
    }

    /// Starts a watch of the keys that match one of the filters (default: all keys) and returns it: it gives the
    /// entries that exist, then each change. In a service use a subscriber of `kv::Watch` instead.
    Watcher<T> watch(const std::vector<std::string>& filters = {}, const WatchOptions& options = {}) const {
        return value_or_raise(try_watch(filters, options));
    }
    Expected<Watcher<T>> try_watch(const std::vector<std::string>& filters = {},
                                   const WatchOptions& options = {}) const {
        auto queue = detail::kv_watch(*bucket_, filters, options);
        if (!queue) return std::unexpected{std::move(queue).error()};
        return Watcher<T>{*std::move(queue)};
    }

    /// Removes the markers of deleted keys and the kept entries of these keys. Younger markers stay, see
    /// PurgeDeletesOptions. Returns the number of keys.
    std::uint64_t purge_deletes(const PurgeDeletesOptions& options = {}) const {
        return value_or_raise(try_purge_deletes(options));
    }
    Expected<std::uint64_t> try_purge_deletes(const PurgeDeletesOptions& options = {}) const {
        return detail::kv_purge_deletes(*bucket_, options);
    }

    /// Returns the bucket's settings and how full it is.
    Status status() const { return value_or_raise(try_status()); }
    Expected<Status> try_status() const { return detail::kv_status(*bucket_); }

    /// Removes the bucket with all its entries.
    void remove() const { value_or_raise(try_remove()); }
    Expected<void> try_remove() const { return detail::kv_remove(*bucket_); }

private:
    Expected<std::optional<Entry<T>>> read(std::string_view key, std::uint64_t revision) const {
        return decoded(detail::kv_get(*bucket_, key, revision));
    }

    static Expected<std::optional<Entry<T>>> decoded(Expected<std::optional<detail::KvRecord>> record) {
        if (!record) return std::unexpected{std::move(record).error()};
        if (!*record) return std::optional<Entry<T>>{};
        return detail::decode_entry<T>(**std::move(record));
    }

    Expected<Entries<T>> scan(const detail::KvScan& what, bool with_deletes) const {
        Entries<T> entries;
        const auto take = [&](detail::KvRecord record) {
            if (record.operation != Operation::put && !with_deletes) return true;
            if (auto entry = detail::decode_entry<T>(std::move(record))) {
                entries.push_back(*std::move(entry));
            } else {
                detail::kv_left_out(*bucket_, entry.error());
                entries.errors.push_back(std::move(entry).error());
            }
            return true;
        };
        if (auto read = detail::kv_scan(*bucket_, what, take); !read) return std::unexpected{std::move(read).error()};
        return entries;
    }

    template <class Send>
    Expected<std::uint64_t> encoded(const T& value, Send&& send) const {
        return detail::with_encoded(detail::kv_link(*bucket_), value, std::nullopt, std::forward<Send>(send));
    }

    std::shared_ptr<detail::KvBucket> bucket_;
};

/// Returns the names of all key-value buckets. Blocks until the server answers. Throws Error.
std::vector<std::string> bucket_names(Broker& broker, const js::ContextOptions& context = {});

}  // namespace freshet::kv

namespace freshet {

template <class T, class Kv>
typename detail::OfJetstream<Kv>::Type Broker::kv(std::string bucket) {
    return kv<T>(std::move(bucket), freshet::kv::Options{});
}
template <class T, class Kv>
typename detail::OfJetstream<Kv>::Type Broker::kv(std::string bucket, const freshet::kv::Options& options) {
    link_the_target_freshet_jetstream();
    auto opened = detail::open_kv(link(), std::move(bucket), options);
    detail::declare_outgoing(link(), detail::kv_name(*opened), detail::bucket_shape<T>, std::nullopt);
    return Kv{std::move(opened)};
}

}  // namespace freshet
