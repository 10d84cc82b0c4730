// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>

#include "subject/subject_sets.hpp"

using freshet::detail::covers;
using freshet::detail::overlap;

TEST_CASE("a pattern covers those that match nothing else than it does") {
    CHECK(covers("a.b", "a.b"));
    CHECK(covers("a.*", "a.b"));
    CHECK(covers("a.*", "a.*"));
    CHECK(covers("a.>", "a.*"));
    CHECK(covers("a.>", "a.*.>"));
    CHECK(covers(">", ">"));
    CHECK(covers(">", "a.b.c"));
    CHECK(covers("*.*", "a.*"));
    CHECK_FALSE(covers("a.b", "a.*"));
    CHECK_FALSE(covers("a.b", "a"));
    CHECK_FALSE(covers("a", "a.b"));
    CHECK_FALSE(covers("a.*", "a.>"));
    CHECK_FALSE(covers("a.>", "a"));
    CHECK_FALSE(covers("a.*", "b.*"));
    CHECK_FALSE(covers("*", ">"));
}

TEST_CASE("patterns overlap if one subject matches both") {
    CHECK(overlap("a.*", "*.b"));
    CHECK(overlap("a.>", "a.b.c"));
    CHECK(overlap(">", "a"));
    CHECK(overlap("a.*.c", "a.b.>"));
    CHECK(overlap("a", "a"));
    CHECK_FALSE(overlap("a.>", "a"));
    CHECK_FALSE(overlap("a.*", "b.*"));
    CHECK_FALSE(overlap("a.*", "a.b.c"));
    CHECK_FALSE(overlap("a", "b"));
}
