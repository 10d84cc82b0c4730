// SPDX-License-Identifier: Apache-2.0
#include <freshet/text.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

using freshet::FromText;

TEST_CASE("a number is the whole text, and fits into its type") {
    CHECK(FromText<int>::parse("42") == 42);
    CHECK(FromText<int>::parse("-7") == -7);
    CHECK(FromText<unsigned>::parse("0") == 0U);
    CHECK(FromText<std::uint64_t>::parse("0000000000000000000000042") == 42U);
    for (const std::string_view text : {"", "-", "--1", "+1", " 1", "1 ", "1x", "0x1", "1.0", "1-"}) {
        CAPTURE(text);
        CHECK(FromText<int>::parse(text) == std::nullopt);
        CHECK(FromText<std::uint64_t>::parse(text) == std::nullopt);
    }
    CHECK(FromText<unsigned>::parse("-1") == std::nullopt);
    CHECK(FromText<std::uint16_t>::parse("65535") == 65'535);
    CHECK(FromText<std::uint16_t>::parse("65536") == std::nullopt);
}

TEST_CASE("the largest and the smallest numbers are read, the next ones are not") {
    CHECK(FromText<std::uint64_t>::parse("18446744073709551615") == UINT64_MAX);
    CHECK(FromText<std::uint64_t>::parse("18446744073709551616") == std::nullopt);
    CHECK(FromText<std::uint64_t>::parse("99999999999999999999") == std::nullopt);
    CHECK(FromText<std::uint64_t>::parse("184467440737095516150") == std::nullopt);
    CHECK(FromText<std::int64_t>::parse("9223372036854775807") == INT64_MAX);
    CHECK(FromText<std::int64_t>::parse("9223372036854775808") == std::nullopt);
    CHECK(FromText<std::int64_t>::parse("-9223372036854775808") == INT64_MIN);
    CHECK(FromText<std::int64_t>::parse("-9223372036854775809") == std::nullopt);
}
