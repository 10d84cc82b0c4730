// SPDX-License-Identifier: Apache-2.0
// Texts that are cut, joined or quoted, at the borders of their characters.
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "base/one_line.hpp"
#include "base/quoted.hpp"
#include "base/utf8.hpp"

using namespace std::string_literals;
using freshet::detail::character_size;
using freshet::detail::control_size;
using freshet::detail::one_line;
using freshet::detail::quoted;
using freshet::detail::valid_utf8;

namespace {

const std::string euro = "\xe2\x82\xac";
const std::string replacement = "\xef\xbf\xbd";

std::string repeat(const std::string& text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("a character has the bytes that UTF-8 gives it, and none where there is no UTF-8") {
    CHECK(character_size("a") == 1);
    CHECK(character_size("\xc3\xa4x") == 2);
    CHECK(character_size(euro) == 3);
    CHECK(character_size("\xf0\x9f\x8c\x8a") == 4);
    CHECK(character_size("") == 0);
    CHECK(character_size("\xa4") == 0);          // a second byte
    CHECK(character_size("\xe2\x82") == 0);      // cut
    CHECK(character_size("\xc0\x80") == 0);      // overlong
    CHECK(character_size("\xed\xa0\x80") == 0);  // a surrogate
    CHECK(control_size("\n") == 1);
    CHECK(control_size("\x7f") == 1);
    CHECK(control_size("\xc2\x85") == 2);
    CHECK(control_size("\xc2\xa0") == 0);
    CHECK(control_size("") == 0);
}

TEST_CASE("one line has no control characters, no more bytes than its limit, and no half characters") {
    CHECK(one_line("two\r\nlines\x7f of \xc2\x85text") == "two  lines  of  text");
    CHECK(one_line(repeat("x", 2'000)) == repeat("x", 1'024));
    CHECK(one_line(repeat(euro, 500)) == repeat(euro, 341));  // 1,023 bytes
    CHECK(one_line("x" + euro, 3) == "x");
    CHECK(one_line("x" + euro, 4) == "x" + euro);
    CHECK(one_line("bytes \xff\xe2\x82 end") == "bytes " + replacement + replacement + replacement + " end");
    CHECK(one_line("\xff", 2).empty());
    CHECK(one_line("").empty());
    for (std::size_t limit = 0; limit < 40; ++limit) {
        const auto line = one_line("\xff" + euro + "\n\xf0\x9f\x8c\x8a\xe2\x82" + euro, limit);
        CHECK(line.size() <= limit);
        CHECK(valid_utf8(line));
    }
}

TEST_CASE("a quoted text is cut between two characters, and shows what is no text") {
    CHECK(quoted("plain") == "\"plain\"");
    CHECK(quoted("a\nb\x7f") == R"("a\x0ab\x7f")");
    CHECK(quoted("\xc2\x85") == R"("\xc2\x85")");
    CHECK(quoted("\xff" + euro) == "\"\\xff" + euro + '"');
    CHECK(quoted(repeat("x", 100)) == '"' + repeat("x", 100) + '"');
    CHECK(quoted(repeat("x", 101)) == '"' + repeat("x", 100) + "...\"");
    CHECK(quoted(repeat(euro, 34)) == '"' + repeat(euro, 33) + "...\"");
    CHECK(valid_utf8(quoted(repeat("x", 99) + euro)));
}
