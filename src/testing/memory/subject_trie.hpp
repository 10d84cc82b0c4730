// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace freshet::detail {

/// Identifies a pattern that was inserted. Later insertions have greater ids.
using PatternId = std::uint64_t;

/// Finds which of many patterns a subject matches, in a time that depends on the tokens of the subject and on what
/// matches, not on how many patterns there are: a tree of tokens. Patterns are in their form on the wire, `*` and `>`.
/// Not thread-safe.
class SubjectTrie {
public:
    SubjectTrie();
    SubjectTrie(const SubjectTrie&) = delete;
    SubjectTrie& operator=(const SubjectTrie&) = delete;
    ~SubjectTrie();

    /// Adds a pattern. `id` must be greater than all before.
    void insert(std::string_view wire, PatternId id);
    /// Removes a pattern. Takes `wire` and `id` as they were inserted.
    void erase(std::string_view wire, PatternId id);

    struct Match {
        std::vector<PatternId> ids = {};  // in order of insertion
        std::size_t visited = 0;          // nodes of the tree that were looked at
    };
    Match match(std::string_view subject) const;

    /// Returns the number of nodes, the root included, by which a test sees that erase() frees them.
    std::size_t node_count() const;

private:
    struct Node;
    std::unique_ptr<Node> root_;
};

}  // namespace freshet::detail
