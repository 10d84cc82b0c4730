// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/subject_trie.hpp>

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

std::span<const PatternId> MatchedIds::sorted() {
    const std::span<PatternId> all = many_.empty() ? std::span{few_}.first(size_) : std::span{many_};
    if (all.size() > 1) std::ranges::sort(all);
    return all;
}

void MatchedIds::push_back_many(PatternId id) {
    if (many_.empty()) many_.assign(few_.begin(), few_.end());
    many_.push_back(id);
}

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

    std::size_t match(TokenReader tokens, MatchedIds& found) const {
        if (!tokens.next()) {
            for (const PatternId id : ends) found.push_back(id);
            return 1;
        }
        for (const PatternId id : tails) found.push_back(id);
        std::size_t visited = 1;
        if (any) visited += any->match(tokens, found);
        if (const auto child = literals.find(tokens.token()); child != literals.end()) {
            visited += child->second->match(tokens, found);
        }
        return visited;
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

std::size_t SubjectTrie::match(std::string_view subject, MatchedIds& found) const {
    return root_->match(TokenReader{subject}, found);
}

std::size_t SubjectTrie::node_count() const { return root_->count(); }

}  // namespace freshet::detail
