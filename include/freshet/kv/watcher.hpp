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

/// A watch that is read: first the entries there are, then each change, in order, without gaps. It survives lost connections and
/// restarts of the server, also those that lose the bucket (it is declared again then, as Options::declare says, and
/// what the new one holds is delivered).
///
///     auto watcher = flags.watch({"ui.>"});
///     for (auto& entry : watcher.initial()) apply(entry);  // what there is now
///     while (auto entry = watcher.next()) apply(*entry);   // each change
///
/// Move-only; one thread at a time, but stop() may be called from any. Must not outlive its broker. Throws Errc::bad_payload
/// for a value that is no T; reading may go on then.
template <class T>
class Watcher {
public:
    explicit Watcher(std::shared_ptr<detail::WatchQueue> queue) noexcept : queue_{std::move(queue)} {}
    Watcher(Watcher&&) noexcept = default;
    Watcher& operator=(Watcher&&) noexcept = default;
    ~Watcher() = default;

    /// The next entry; nothing when the watch was stopped. Blocks.
    std::optional<Entry<T>> next() { return decoded(detail::kv_next(*queue_, std::nullopt, false)); }
    /// The same; nothing also when `timeout` has passed.
    std::optional<Entry<T>> next(std::chrono::milliseconds timeout) {
        return decoded(detail::kv_next(*queue_, timeout, false));
    }

    /// The entries that there were at first, as far as they were not read yet. Blocks until all are there, or the watch
    /// was stopped.
    std::vector<Entry<T>> initial() {
        std::vector<Entry<T>> entries;
        while (auto entry = decoded(detail::kv_next(*queue_, std::nullopt, true))) entries.push_back(*std::move(entry));
        return entries;
    }
    /// Whether all of those have been read: what follows are changes.
    bool caught_up() const { return detail::watch_caught_up(*queue_); }

    /// Ends the watch: next() returns nothing.
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

    /// `for (auto& entry : watcher)` runs until the watch is stopped.
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
