// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "base/header_text.hpp"

using freshet::detail::header_text;
using freshet::detail::without_blanks;

TEST_CASE("a text becomes a header value: one line, without blanks at its ends") {
    CHECK(header_text("the amount is negative") == "the amount is negative");
    CHECK(header_text(" \tfirst\r\nsecond\x7f\n") == "first  second");
    CHECK(header_text("\n").empty());
    CHECK(header_text("").empty());
}

TEST_CASE("a long text is cut between two characters") {
    const std::string letters(1'023, 'x');
    CHECK(header_text(letters + "yz") == letters + "y");
    CHECK(header_text(letters + "\xc3\xa4") == letters);
    CHECK(header_text(letters.substr(1) + "\xe2\x82\xac") == letters.substr(1));
    CHECK(header_text(letters.substr(1) + "\xc3\xa4z") == letters.substr(1) + "\xc3\xa4");
}

TEST_CASE("blanks are taken from both ends") {
    CHECK(without_blanks(" \t a b\t ") == "a b");
    CHECK(without_blanks("a") == "a");
    CHECK(without_blanks(" \t").empty());
    CHECK(without_blanks("").empty());
}
