// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/subject_trie.hpp"

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/subject.hpp>

using freshet::Subject;
using freshet::detail::PatternId;
using freshet::detail::SubjectTrie;

namespace {

using Ids = std::vector<PatternId>;

Ids found(const SubjectTrie& trie, std::string_view subject) { return trie.match(subject).ids; }

std::size_t visited(const SubjectTrie& trie, std::string_view subject) { return trie.match(subject).visited; }

/// A trie of these patterns, whose ids count from 1.
void insert_all(SubjectTrie& trie, const std::vector<std::string>& patterns) {
    for (std::size_t i = 0; i < patterns.size(); ++i) trie.insert(Subject{patterns[i]}.wire(), i + 1);
}

// One to six tokens, few enough different ones that patterns and subjects meet often.
std::string random_subject(std::mt19937& random, std::string_view alphabet) {
    std::string subject;
    const auto tokens = 1 + random() % 6;
    for (std::size_t i = 0; i < tokens; ++i) {
        if (i > 0) subject += '.';
        subject += alphabet[random() % alphabet.size()];
    }
    return subject;
}

std::string random_pattern(std::mt19937& random) {
    auto pattern = random_subject(random, "abc**");
    if (random() % 4 == 0) pattern += ".>";
    return random() % 50 == 0 ? ">" : pattern;
}

}  // namespace

TEST_CASE("an empty trie matches nothing") {
    const SubjectTrie trie;
    CHECK(found(trie, "a").empty());
    CHECK(found(trie, "").empty());
}

TEST_CASE("all patterns that match are found in order of insertion") {
    SubjectTrie trie;
    insert_all(trie, {"orders.>", "orders.eu.created", "orders.{region}.created", "*.*.*", ">", "orders.*",
                      "orders.eu.created"});

    CHECK(found(trie, "orders.eu.created") == Ids{1, 2, 3, 4, 5, 7});
    CHECK(found(trie, "orders.us.created") == Ids{1, 3, 4, 5});
    CHECK(found(trie, "orders.eu") == Ids{1, 5, 6});
    CHECK(found(trie, "orders") == Ids{5});
    CHECK(found(trie, "Orders.eu.created") == Ids{4, 5});
}

TEST_CASE("what is erased is not found any more, its equals are") {
    SubjectTrie trie;
    insert_all(trie, {"a.*", "a.*", "a.>"});
    trie.erase("a.*", 1);
    CHECK(found(trie, "a.b") == Ids{2, 3});
    trie.erase("a.>", 3);
    CHECK(found(trie, "a.b") == Ids{2});
}

TEST_CASE("patterns with thousands of tokens match") {
    std::string deep = "a";
    while (deep.size() + 2 <= freshet::max_subject_size - 2) deep += ".a";
    SubjectTrie trie;
    insert_all(trie, {deep, deep + ".>"});
    CHECK(found(trie, deep) == Ids{1});
    CHECK(found(trie, deep + ".a") == Ids{2});
    trie.erase(deep, 1);
    CHECK(found(trie, deep).empty());
}

TEST_CASE("a trie finds what each pattern by itself would match") {
    struct Inserted {
        Subject pattern;
        PatternId id;
        bool erased = false;
    };
    std::mt19937 random{20240501};
    SubjectTrie trie;
    std::vector<Inserted> all;
    std::size_t matched = 0;
    for (int round = 0; round < 200; ++round) {
        for (int i = 0; i < 5; ++i) {
            Subject pattern{random_pattern(random)};
            const PatternId id = all.size() + 1;
            trie.insert(pattern.wire(), id);
            all.push_back({std::move(pattern), id});
        }
        for (int i = 0; i < 3; ++i) {
            auto& victim = all[random() % all.size()];
            if (!std::exchange(victim.erased, true)) trie.erase(victim.pattern.wire(), victim.id);
        }
        for (int i = 0; i < 10; ++i) {
            const auto subject = random_subject(random, i == 0 ? "ab." : "abcd");  // some with empty tokens
            CAPTURE(subject);
            Ids expected;
            for (const auto& [pattern, id, erased] : all)
                if (!erased && pattern.matches(subject)) expected.push_back(id);
            CHECK(found(trie, subject) == expected);
            matched += expected.size();
        }
    }
    CHECK(matched > 10'000);
}

TEST_CASE("the work of a match does not grow with the number of patterns") {
    SubjectTrie trie;
    PatternId id = 0;
    trie.insert("orders.*.created", ++id);
    trie.insert("orders.eu.>", ++id);
    trie.insert("*.eu.created", ++id);
    const auto among_few = visited(trie, "orders.eu.created");
    for (int i = 0; i < 10'000; ++i) {
        const auto number = std::to_string(i);
        trie.insert("orders." + number + ".created", ++id);
        trie.insert("events." + number + ".>", ++id);
        trie.insert("*." + number, ++id);
        trie.insert(number + ".*.*", ++id);
    }
    CHECK(trie.node_count() > 40'000);
    CHECK(visited(trie, "orders.eu.created") == among_few);
    CHECK(among_few <= 10);
}

TEST_CASE("nothing is left of patterns that were erased") {
    SubjectTrie trie;
    const std::vector<std::string> patterns = {"a.b.c", "a.b.*", "a.*.c", "*.>", ">", "a.b.c"};
    for (std::size_t i = 0; i < patterns.size(); ++i) trie.insert(patterns[i], i + 1);
    CHECK(trie.node_count() == 8);
    for (std::size_t i = 0; i < patterns.size(); ++i) trie.erase(patterns[i], i + 1);
    CHECK(trie.node_count() == 1);
    CHECK(visited(trie, "a.b.c") == 1);
}
