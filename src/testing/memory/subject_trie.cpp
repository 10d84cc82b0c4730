// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/subject_trie.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <unordered_map>

#include <freshet/detail/subject_tokens.hpp>

namespace freshet::detail {
namespace {

struct TokenHash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard library looks for it
    std::size_t operator()(std::string_view token) const noexcept { return std::hash<std::string_view>{}(token); }
};

}  // namespace

// The patterns that begin with the same tokens.
struct SubjectTrie::Node {
    std::unordered_map<std::string, std::unique_ptr<Node>, TokenHash, std::equal_to<>> literals = {};
    std::unique_ptr<Node> any = {};     // after `*`
    std::vector<PatternId> ends = {};   // patterns that end here
    std::vector<PatternId> tails = {};  // patterns that end in `>` after here

    bool empty() const noexcept { return literals.empty() && !any && ends.empty() && tails.empty(); }

    std::size_t count() const {
        std::size_t nodes = 1 + (any ? any->count() : 0);
        for (const auto& [token, child] : literals) nodes += child->count();
        return nodes;
    }

    Node& child(std::string_view token) {
        auto& slot = token == "*" ? any : literals[std::string{token}];
        if (!slot) slot = std::make_unique<Node>();
        return *slot;
    }

    void erase(TokenReader tokens, PatternId id) {
        if (!tokens.next()) {
            std::erase(ends, id);
        } else if (tokens.token() == ">") {
            std::erase(tails, id);
        } else if (tokens.token() == "*") {
            any->erase(tokens, id);
            if (any->empty()) any.reset();
        } else {
            const auto child = literals.find(tokens.token());
            child->second->erase(tokens, id);
            if (child->second->empty()) literals.erase(child);
        }
    }

    void match(TokenReader tokens, Match& found) const {
        ++found.visited;
        const bool more = tokens.next();
        const auto& here = more ? tails : ends;
        found.ids.insert(found.ids.end(), here.begin(), here.end());
        if (!more) return;
        if (any) any->match(tokens, found);
        if (const auto child = literals.find(tokens.token()); child != literals.end())
            child->second->match(tokens, found);
    }
};

SubjectTrie::SubjectTrie() : root_{std::make_unique<Node>()} {}
SubjectTrie::~SubjectTrie() = default;

void SubjectTrie::insert(std::string_view wire, PatternId id) {
    Node* node = root_.get();
    for (TokenReader tokens{wire}; tokens.next();) {
        if (tokens.token() == ">") {
            node->tails.push_back(id);
            return;
        }
        node = &node->child(tokens.token());
    }
    node->ends.push_back(id);
}

void SubjectTrie::erase(std::string_view wire, PatternId id) { root_->erase(TokenReader{wire}, id); }

SubjectTrie::Match SubjectTrie::match(std::string_view subject) const {
    Match found;
    root_->match(TokenReader{subject}, found);
    std::ranges::sort(found.ids);
    return found;
}

std::size_t SubjectTrie::node_count() const { return root_->count(); }

}  // namespace freshet::detail
