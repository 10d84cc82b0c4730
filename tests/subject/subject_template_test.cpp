// SPDX-License-Identifier: Apache-2.0
#include <freshet/subject_template.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using freshet::Errc;
using freshet::Error;
using freshet::SubjectTemplate;
using freshet::detail::TokenText;

namespace {

std::string filled(const SubjectTemplate& subject, std::vector<std::string_view> values) {
    std::string out;
    const auto result = subject.format(out, values);
    if (!result) FAIL(result.error().what());
    return out;
}

std::string refusal(const SubjectTemplate& subject, std::vector<std::string_view> values) {
    std::string out = "kept";
    const auto result = subject.format(out, values);
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == Errc::bad_subject);
    CHECK(out == "kept");
    return result.error().what();
}

}  // namespace

TEST_CASE("a template is filled in order of appearance") {
    const SubjectTemplate subject{"orders.{region}.created.{id}"};
    CHECK(subject.pattern() == "orders.{region}.created.{id}");
    CHECK(subject.names() == std::vector<std::string>{"region", "id"});
    CHECK_FALSE(subject.is_literal());
    CHECK(filled(subject, {"eu", "42"}) == "orders.eu.created.42");
}

TEST_CASE("parameters may stand anywhere in a template") {
    CHECK(filled(SubjectTemplate{"{a}"}, {"x"}) == "x");
    CHECK(filled(SubjectTemplate{"{a}.{b}.{c}"}, {"x", "y", "z"}) == "x.y.z");
    CHECK(filled(SubjectTemplate{"{a}.b"}, {"größe"}) == "größe.b");
    CHECK(filled(SubjectTemplate{"a.{b}"}, {"x-1_2"}) == "a.x-1_2");
}

TEST_CASE("a template without parameters is a literal") {
    const SubjectTemplate subject{"orders.created"};
    CHECK(subject.is_literal());
    CHECK(subject.names().empty());
    CHECK(filled(subject, {}) == "orders.created");
}

TEST_CASE("a template is appended to what is there") {
    std::string out = "prefix.";
    REQUIRE(SubjectTemplate{"a.{b}"}.format_values(out, "x"));
    CHECK(out == "prefix.a.x");
}

TEST_CASE("a bad template is refused") {
    CHECK_THROWS_MATCHES(
        SubjectTemplate{"orders.*"}, Error,
        Catch::Matchers::Message("\"orders.*\" is not a subject template: wildcard; '*' and '>' are for "
                                 "subscribing only (position 7)"));
    CHECK_THROWS_MATCHES(SubjectTemplate{"orders.>"}, Error,
                         Catch::Matchers::MessageMatches(Catch::Matchers::ContainsSubstring("wildcard")));
    CHECK_THROWS_MATCHES(
        (SubjectTemplate{"{a}.{a}"}), Error,
        Catch::Matchers::MessageMatches(Catch::Matchers::ContainsSubstring("second parameter of the same name")));
    const auto parsed = SubjectTemplate::parse("a..b");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::bad_subject);
}

TEST_CASE("a value that is not one token is refused") {
    const SubjectTemplate subject{"orders.{region}.{id}"};
    CHECK(
        refusal(subject, {"eu.west", "1"}) ==
        "cannot fill {region} of \"orders.{region}.{id}\" with \"eu.west\": a value is one token, not empty and without '.', "
        "'*', '>', '{', '}', spaces and control characters");
    CHECK_THAT(refusal(subject, {"eu", ""}),
               Catch::Matchers::StartsWith("cannot fill {id} of \"orders.{region}.{id}\" with \"\""));
    for (const auto value : {"*", ">", "a*", "{x}", "a b", "\t", "a\r\nPUB x 0", "\x7f", "."}) {
        CAPTURE(value);
        CHECK_THAT(refusal(subject, {value, "1"}), Catch::Matchers::StartsWith("cannot fill {region}"));
    }
}

TEST_CASE("another number of values is refused") {
    const SubjectTemplate subject{"orders.{region}"};
    CHECK(refusal(subject, {}) ==
          "subject template \"orders.{region}\" takes 1 values, one for each parameter, and got 0");
    CHECK_THAT(refusal(subject, {"a", "b"}), Catch::Matchers::EndsWith("got 2"));
    CHECK_THAT(refusal(SubjectTemplate{"orders"}, {"a"}), Catch::Matchers::ContainsSubstring("takes 0 values"));
}

TEST_CASE("values that make a subject too long are refused") {
    const SubjectTemplate subject{"a.{b}"};
    const std::string longest(freshet::max_subject_size - 2, 'x');
    CHECK(filled(subject, {longest}).size() == freshet::max_subject_size);
    CHECK_THAT(refusal(subject, {longest + "x"}), Catch::Matchers::EndsWith("has 3073 bytes, over the limit of 3072"));
}

TEST_CASE("filling allocates nothing where the room is there") {
    const SubjectTemplate subject{"orders.{region}.created.{id}"};
    std::string out;
    out.reserve(100);
    const auto* const storage = out.data();
    REQUIRE(subject.format_values(out, "europe-west", 1234567890));
    CHECK(out == "orders.europe-west.created.1234567890");
    CHECK(out.data() == storage);
}

TEST_CASE("values of several types fill a template") {
    std::string out;
    const std::string text = "eu";
    REQUIRE(SubjectTemplate{"{a}.{b}.{c}.{d}.{e}"}.format_values(out, text, std::string_view{"x"}, "lit", -5,
                                                                 std::uint8_t{200}));
    CHECK(out == "eu.x.lit.-5.200");
    CHECK_FALSE(SubjectTemplate{"{a}"}.format_values(out, "a.b"));
    CHECK(SubjectTemplate{"a"}.format_values(out).has_value());
}

TEST_CASE("a token's text is the digits of any integer") {
    CHECK(TokenText{0}.view() == "0");
    CHECK(TokenText{std::int8_t{-128}}.view() == "-128");
    CHECK(TokenText{std::numeric_limits<std::int64_t>::min()}.view() == "-9223372036854775808");
    CHECK(TokenText{std::numeric_limits<std::int64_t>::max()}.view() == "9223372036854775807");
    CHECK(TokenText{std::numeric_limits<std::uint64_t>::max()}.view() == "18446744073709551615");
    const auto copy = TokenText{7};
    const auto second = copy;
    CHECK(second.view() == "7");
    CHECK(second.view().data() != copy.view().data());
}

TEST_CASE("what may fill a token") {
    enum Plain { one };
    enum class Scoped { one };
    STATIC_CHECK(freshet::TokenValue<int>);
    STATIC_CHECK(freshet::TokenValue<unsigned long long>);
    STATIC_CHECK(freshet::TokenValue<signed char>);
    STATIC_CHECK(freshet::TokenValue<const char*>);
    STATIC_CHECK(freshet::TokenValue<char[3]>);
    STATIC_CHECK(freshet::TokenValue<std::string>);
    STATIC_CHECK(freshet::TokenValue<std::string_view>);
    STATIC_CHECK_FALSE(freshet::TokenValue<bool>);
    STATIC_CHECK_FALSE(freshet::TokenValue<char>);
    STATIC_CHECK_FALSE(freshet::TokenValue<double>);
    STATIC_CHECK_FALSE(freshet::TokenValue<Plain>);
    STATIC_CHECK_FALSE(freshet::TokenValue<Scoped>);
}
