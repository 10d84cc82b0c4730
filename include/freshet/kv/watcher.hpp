// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <freshet/detail/kv_bucket.hpp>
#include <freshet/kv/entry.hpp>

namespace freshet::kv {

/// Reads the changes of a bucket in a program without handlers: first the entries that exist, then each change, in
/// order and without gaps. It goes on after lost connections and restarts of the server. If the server has lost the
/// bucket, the watch declares it again as Options::declare says, and delivers what the new bucket holds.
///
///     auto watcher = flags.watch({"ui.>"});
///     for (auto& entry : watcher.initial()) apply(entry);  // what there is now
///     while (auto entry = watcher.next()) apply(*entry);   // each change
///
/// Move-only. Used by one thread at a time, but stop() may be called from any. Must not outlive its broker. Functions
/// throw Errc::bad_payload for a value that does not decode as T; you may go on reading then.
template <class T>
class Watcher {
public:
    explicit Watcher(std::shared_ptr<detail::WatchQueue> queue) noexcept : queue_{std::move(queue)} {}
    Watcher(Watcher&&) noexcept = default;
    Watcher& operator=(Watcher&&) noexcept = default;
    ~Watcher() = default;

    /// Blocks until an entry comes and returns it; returns nothing when the watch was stopped.
    std::optional<Entry<T>> next() { return decoded(detail::kv_next(*queue_, std::nullopt, false)); }
    /// Blocks until an entry comes and returns it; returns nothing when `timeout` has passed or the watch was stopped.
    std::optional<Entry<T>> next(std::chrono::milliseconds timeout) {
        return decoded(detail::kv_next(*queue_, timeout, false));
    }

    /// Returns the entries that existed when the watch began and that you have not read yet, and beside them the errors
    /// of values that are not a T. Blocks until all have come, or the watch was stopped.
    Entries<T> initial() {
        Entries<T> entries;
        while (auto record = detail::kv_next(*queue_, std::nullopt, true)) {
            if (auto entry = detail::decode_entry<T>(*std::move(record))) entries.push_back(*std::move(entry));
            else entries.errors.push_back(std::move(entry).error());
        }
        return entries;
    }
    /// Returns whether you have read all entries that existed when the watch began. The next ones are changes.
    bool caught_up() const { return detail::watch_caught_up(*queue_); }

    /// Ends the watch: next() returns nothing from now on. May be called from any thread.
    void stop() noexcept { detail::stop_watch(*queue_); }

    class Iterator {
    public:
        using value_type = Entry<T>;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(Watcher& watcher) : watcher_{&watcher} { ++*this; }

        Entry<T>& operator*() const noexcept { return *current_; }
        Iterator& operator++() {
            current_ = watcher_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& a, std::default_sentinel_t) noexcept { return !a.current_; }

    private:
        Watcher* watcher_ = nullptr;
        mutable std::optional<Entry<T>> current_ = {};
    };

    /// Returns an iterator that blocks for each entry: `for (auto& entry : watcher)` runs until the watch is stopped.
    Iterator begin() { return Iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    static std::optional<Entry<T>> decoded(std::optional<detail::KvRecord> record) {
        if (!record) return std::nullopt;
        return value_or_raise(detail::decode_entry<T>(*std::move(record)));
    }

    std::shared_ptr<detail::WatchQueue> queue_;  // not shared: it is incomplete here
};

}  // namespace freshet::kv
