// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace freshet::detail {

/// Identifies a pattern that was inserted. Later insertions have greater ids.
using PatternId = std::uint64_t;

/// The ids of the patterns that matched. Allocates only when there are more than 32.
class MatchedIds {
public:
    void push_back(PatternId id) {
        if (many_.empty() && size_ < few_.size()) {
            few_[size_++] = id;
        } else {
            push_back_many(id);
        }
    }

    /// Returns the ids in order of insertion.
    std::span<const PatternId> sorted();

private:
    void push_back_many(PatternId id);

    std::array<PatternId, 32> few_;
    std::size_t size_ = 0;              // number of ids in few_
    std::vector<PatternId> many_ = {};  // all ids, once few_ is full
};

/// The patterns of a SubjectMatcher, as a tree of tokens. Patterns are in their form on the wire, with `*` and `>`.
class SubjectTrie {
public:
    SubjectTrie();
    SubjectTrie(const SubjectTrie&) = delete;
    SubjectTrie& operator=(const SubjectTrie&) = delete;
    ~SubjectTrie();

    /// Inserts a pattern. `id` must be greater than all ids before.
    void insert(std::string_view wire, PatternId id);
    /// Removes a pattern; `wire` and `id` are those of its insertion.
    void erase(std::string_view wire, PatternId id);

    /// Adds the ids of the patterns that match to `found`. Returns the number of tree nodes that it looked at.
    std::size_t match(std::string_view subject, MatchedIds& found) const;

    /// Returns the number of nodes of the tree, the root included.
    std::size_t node_count() const;

private:
    struct Node;
    std::unique_ptr<Node> root_;
};

}  // namespace freshet::detail
