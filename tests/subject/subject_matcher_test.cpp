// SPDX-License-Identifier: Apache-2.0
#include <freshet/subject_matcher.hpp>

#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using freshet::Subject;
using freshet::SubjectMatcher;
using freshet::detail::MatchedIds;
using freshet::detail::SubjectTrie;

namespace {

std::vector<int> found(const SubjectMatcher<int>& matcher, std::string_view subject) {
    std::vector<int> values;
    const auto count = matcher.match(subject, [&](int value) { values.push_back(value); });
    CHECK(count == values.size());
    return values;
}

std::size_t visited(const SubjectTrie& trie, std::string_view subject) {
    MatchedIds ids;
    return trie.match(subject, ids);
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

TEST_CASE("an empty matcher matches nothing") {
    const SubjectMatcher<int> matcher;
    CHECK(matcher.empty());
    CHECK(found(matcher, "a").empty());
    CHECK(found(matcher, "").empty());
}

TEST_CASE("all patterns that match are found in order of insertion") {
    SubjectMatcher<int> matcher;
    matcher.insert(Subject{"orders.>"}, 1);
    matcher.insert(Subject{"orders.eu.created"}, 2);
    matcher.insert(Subject{"orders.{region}.created"}, 3);
    matcher.insert(Subject{"*.*.*"}, 4);
    matcher.insert(Subject{">"}, 5);
    matcher.insert(Subject{"orders.*"}, 6);
    matcher.insert(Subject{"orders.eu.created"}, 7);

    CHECK(matcher.size() == 7);
    CHECK(found(matcher, "orders.eu.created") == std::vector{1, 2, 3, 4, 5, 7});
    CHECK(found(matcher, "orders.us.created") == std::vector{1, 3, 4, 5});
    CHECK(found(matcher, "orders.eu") == std::vector{1, 5, 6});
    CHECK(found(matcher, "orders") == std::vector{5});
    CHECK(found(matcher, "Orders.eu.created") == std::vector{4, 5});
}

TEST_CASE("what is erased is not found any more, its equals are") {
    SubjectMatcher<int> matcher;
    const auto first = matcher.insert(Subject{"a.*"}, 1);
    matcher.insert(Subject{"a.*"}, 2);
    const auto tail = matcher.insert(Subject{"a.>"}, 3);

    CHECK(matcher.erase(first));
    CHECK(found(matcher, "a.b") == std::vector{2, 3});
    CHECK_FALSE(matcher.erase(first));
    CHECK(matcher.erase(tail));
    CHECK(found(matcher, "a.b") == std::vector{2});
    CHECK(matcher.size() == 1);
}

TEST_CASE("a value may be changed and may be one that cannot be copied") {
    SubjectMatcher<std::unique_ptr<int>> matcher;
    matcher.insert(Subject{"a"}, std::make_unique<int>(1));
    matcher.match("a", [](std::unique_ptr<int>& value) { *value += 1; });
    int seen = 0;
    std::as_const(matcher).match("a", [&](const std::unique_ptr<int>& value) { seen = *value; });
    CHECK(seen == 2);
}

TEST_CASE("a call may insert and erase") {
    SubjectMatcher<int> matcher;
    matcher.insert(Subject{"a"}, 1);
    const auto second = matcher.insert(Subject{"a"}, 2);
    matcher.insert(Subject{"a"}, 3);

    std::vector<int> values;
    const auto count = matcher.match("a", [&](int& value) {
        values.push_back(value);
        if (value == 1) {
            matcher.erase(second);
            for (int i = 0; i < 100; ++i) matcher.insert(Subject{"a"}, 4);
            value = 10;  // still there, though the others moved in
        }
    });
    CHECK(count == 2);
    CHECK(values == std::vector{1, 3});
    CHECK(found(matcher, "a").at(0) == 10);
    CHECK(matcher.size() == 102);
}

TEST_CASE("more matches than the matcher keeps on the stack stay in order") {
    SubjectMatcher<int> matcher;
    std::vector<int> expected;
    for (int i = 0; i < 100; ++i) {
        matcher.insert(Subject{i % 3 == 0 ? "a.>" : i % 3 == 1 ? "*.b" : "a.b"}, i);
        expected.push_back(i);
    }
    CHECK(found(matcher, "a.b") == expected);
}

TEST_CASE("patterns with thousands of tokens match") {
    std::string deep = "a";
    while (deep.size() + 2 <= freshet::max_subject_size - 2) deep += ".a";
    SubjectMatcher<int> matcher;
    const auto id = matcher.insert(Subject{deep}, 1);
    matcher.insert(Subject{deep + ".>"}, 2);
    CHECK(found(matcher, deep) == std::vector{1});
    CHECK(found(matcher, deep + ".a") == std::vector{2});
    CHECK(matcher.erase(id));
    CHECK(found(matcher, deep).empty());
}

TEST_CASE("a matcher finds what each pattern by itself would match") {
    struct Inserted {
        Subject pattern;
        SubjectMatcher<std::size_t>::Id id;
        bool erased = false;
    };
    std::mt19937 random{20240501};
    SubjectMatcher<std::size_t> matcher;
    std::vector<Inserted> all;
    std::size_t matched = 0;
    for (int round = 0; round < 200; ++round) {
        for (int i = 0; i < 5; ++i) {
            Subject pattern{random_pattern(random)};
            const auto id = matcher.insert(pattern, all.size());
            all.push_back({std::move(pattern), id});
        }
        for (int i = 0; i < 3; ++i) {
            auto& victim = all[random() % all.size()];
            CHECK(matcher.erase(victim.id) != std::exchange(victim.erased, true));
        }
        for (int i = 0; i < 10; ++i) {
            const auto subject = random_subject(random, i == 0 ? "ab." : "abcd");  // some with empty tokens
            CAPTURE(subject);
            std::vector<std::size_t> expected;
            for (std::size_t n = 0; n < all.size(); ++n) {
                if (!all[n].erased && all[n].pattern.matches(subject)) expected.push_back(n);
            }
            std::vector<std::size_t> values;
            matcher.match(subject, [&](std::size_t value) { values.push_back(value); });
            CHECK(values == expected);
            matched += values.size();
        }
    }
    CHECK(matched > 10'000);
}

TEST_CASE("the work of a match does not grow with the number of patterns") {
    SubjectTrie trie;
    freshet::detail::PatternId id = 0;
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
