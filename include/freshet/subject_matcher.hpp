// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <freshet/detail/subject_trie.hpp>
#include <freshet/subject.hpp>

namespace freshet {

/// Finds which of many patterns a subject matches, in a time that depends on the tokens of the subject and the number
/// of matches, not on the number of patterns. Not thread-safe, but const functions may run at the same time. Not
/// movable.
template <class T>
class SubjectMatcher {
public:
    using Id = detail::PatternId;

    /// Adds a pattern with a value and returns the id of the entry. One pattern may be inserted several times, each
    /// time with a value of its own.
    Id insert(const Subject& pattern, T value) {
        const Id id = ++last_id_;
        entries_.emplace(id, Entry{pattern.wire(), std::move(value)});
        trie_.insert(pattern.wire(), id);
        return id;
    }

    /// Removes the entry `id`. Returns false if there is no such entry, for example because it was erased before.
    bool erase(Id id) {
        const auto entry = entries_.find(id);
        if (entry == entries_.end()) return false;
        trie_.erase(entry->second.wire, id);
        entries_.erase(entry);
        return true;
    }

    /// Calls `call(value)` for each pattern that matches, in order of insertion, and returns the number of calls.
    /// `call` may insert entries, which this match ignores, and erase entries other than the one it was called with; an
    /// erased entry is not called any more. Allocates only when more than 32 patterns match; sorting costs time only
    /// when several do.
    template <class F>
    std::size_t match(std::string_view subject, F&& call) {
        return match_in(entries_, subject, call);
    }
    /// Calls `call(const value)` for each pattern that matches, in order of insertion, and returns the number of calls.
    template <class F>
    std::size_t match(std::string_view subject, F&& call) const {
        return match_in(entries_, subject, call);
    }

    std::size_t size() const noexcept { return entries_.size(); }
    bool empty() const noexcept { return entries_.empty(); }

private:
    struct Entry {
        std::string wire;
        T value;
    };

    template <class Entries, class F>
    std::size_t match_in(Entries& entries, std::string_view subject, F& call) const {
        detail::MatchedIds found;
        trie_.match(subject, found);
        std::size_t called = 0;
        for (const Id id : found.sorted()) {
            const auto entry = entries.find(id);
            if (entry == entries.end()) continue;
            call(entry->second.value);
            ++called;
        }
        return called;
    }

    detail::SubjectTrie trie_ = {};
    std::unordered_map<Id, Entry> entries_ = {};  // values keep their addresses while other entries come and go
    Id last_id_ = 0;
};

}  // namespace freshet
