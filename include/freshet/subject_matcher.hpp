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

/// Finds which of many patterns a subject matches, in a time that depends on the tokens of the subject and on what
/// matches, not on how many patterns there are. Not thread-safe; const functions may run at the same time. Not movable.
template <class T>
class SubjectMatcher {
public:
    using Id = detail::PatternId;

    /// One pattern may be inserted several times, each with a value of its own.
    Id insert(const Subject& pattern, T value) {
        const Id id = ++last_id_;
        entries_.emplace(id, Entry{pattern.wire(), std::move(value)});
        trie_.insert(pattern.wire(), id);
        return id;
    }

    /// False when there is no such id, as after an earlier erase.
    bool erase(Id id) {
        const auto entry = entries_.find(id);
        if (entry == entries_.end()) return false;
        trie_.erase(entry->second.wire, id);
        entries_.erase(entry);
        return true;
    }

    /// Calls `call(value)` for each pattern that matches, in order of insertion, and returns how many there were.
    /// `call` may insert, which has no effect on this match, and erase, except the value it was called with; what it
    /// erases is not called any more. Allocates only when more than 32 match; putting in order costs only when
    /// several do.
    template <class F>
    std::size_t match(std::string_view subject, F&& call) {
        return match_in(entries_, subject, call);
    }
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
    std::unordered_map<Id, Entry> entries_ = {};  // its values stay where they are while others come and go
    Id last_id_ = 0;
};

}  // namespace freshet
