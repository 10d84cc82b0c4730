// SPDX-License-Identifier: Apache-2.0
#include <freshet/subject.hpp>

#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "subject/plain_subject.hpp"

using freshet::check_pattern;
using freshet::check_subject;
using freshet::check_template;
using freshet::Condition;
using freshet::Errc;
using freshet::Error;
using freshet::StaticSubject;
using freshet::StaticTemplate;
using freshet::Subject;
using freshet::SubjectFault;
using freshet::detail::token_at;
using namespace std::string_view_literals;

namespace {

std::string message_of(std::string_view pattern) {
    const auto parsed = Subject::parse(pattern);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::bad_subject);
    CHECK(parsed.error().code() == Condition::bad_setup);
    return parsed.error().what();
}

bool matches(std::string_view pattern, std::string_view subject) { return Subject{pattern}.matches(subject); }

}  // namespace

TEST_CASE("patterns that may be subscribed to") {
    for (const auto pattern :
         {"a", "orders.created", "orders.*.created", "*", ">", "orders.>", "*.*", "*.>", "{region}",
          "orders.{region}.created", "{a}.{b}", "{_}", "{Region_2}", "billing.{tenant}.>", "$JS.API.>",
          "_INBOX.abc-DEF/1=2:3", "größe.日本", "a-b.c_d", "1.2.3"}) {
        CAPTURE(pattern);
        CHECK(check_pattern(pattern) == SubjectFault::none);
    }
}

TEST_CASE("each way in which a pattern is wrong is told apart") {
    const std::pair<std::string_view, SubjectFault> cases[] = {
        {"", SubjectFault::empty},
        {".", SubjectFault::empty_token},
        {".a", SubjectFault::empty_token},
        {"a.", SubjectFault::empty_token},
        {"a..b", SubjectFault::empty_token},
        {"a b", SubjectFault::bad_character},
        {" ", SubjectFault::bad_character},
        {"a.b\r\nPUB x 0", SubjectFault::bad_character},
        {"a.\tb", SubjectFault::bad_character},
        {"a\0b"sv, SubjectFault::bad_character},
        {"a\x7f", SubjectFault::bad_character},
        {"{re gion}", SubjectFault::bad_character},
        {"a*", SubjectFault::partial_wildcard},
        {"*a", SubjectFault::partial_wildcard},
        {"**", SubjectFault::partial_wildcard},
        {"a.b>", SubjectFault::partial_wildcard},
        {">>", SubjectFault::partial_wildcard},
        {"*>", SubjectFault::partial_wildcard},
        {"{x}y", SubjectFault::partial_parameter},
        {"y{x}", SubjectFault::partial_parameter},
        {"{x}{y}", SubjectFault::partial_parameter},
        {"{{x}}", SubjectFault::partial_parameter},
        {"{x", SubjectFault::partial_parameter},
        {"x}", SubjectFault::partial_parameter},
        {"{", SubjectFault::partial_parameter},
        {"}", SubjectFault::partial_parameter},
        {"}x{", SubjectFault::partial_parameter},
        {"{x.y}", SubjectFault::partial_parameter},
        {"{}", SubjectFault::bad_name},
        {"{1st}", SubjectFault::bad_name},
        {"{a-b}", SubjectFault::bad_name},
        {"{*}", SubjectFault::bad_name},
        {"{größe}", SubjectFault::bad_name},
        {"{a}.b.{a}", SubjectFault::duplicate_name},
        {"a.>.b", SubjectFault::tail_not_last},
        {">.>", SubjectFault::tail_not_last},
        {"a.>.", SubjectFault::tail_not_last},
    };
    for (const auto& [pattern, fault] : cases) {
        CAPTURE(pattern);
        CHECK(check_pattern(pattern) == fault);
    }
}

TEST_CASE("the first fault counts") {
    CHECK(check_pattern("a..b c") == SubjectFault::empty_token);
    CHECK(check_pattern("a b..c") == SubjectFault::bad_character);
    CHECK(check_pattern("a.>.{b}.{b}") == SubjectFault::tail_not_last);
}

TEST_CASE("a subject has a greatest size") {
    const std::string longest(freshet::max_subject_size, 'x');
    CHECK(check_pattern(longest) == SubjectFault::none);
    CHECK(check_subject(longest) == SubjectFault::none);
    CHECK(check_pattern(longest + "x") == SubjectFault::too_long);
    CHECK(check_template(longest + "x") == SubjectFault::too_long);
    CHECK(check_subject(longest + "x") == SubjectFault::too_long);
    CHECK_THAT(
        message_of(longest + "x"),
        Catch::Matchers::EndsWith("...\" is not a subject pattern: it is longer than 3072 bytes, more than a server is "
                                  "sure to take"));
    CHECK(message_of(longest + "x").size() < 300);
}

TEST_CASE("a subject to publish on has neither wildcards nor parameters") {
    CHECK(check_subject("orders.eu.created") == SubjectFault::none);
    CHECK(check_subject("größe") == SubjectFault::none);
    CHECK(check_subject("$KV.flags.dark-mode") == SubjectFault::none);
    CHECK(check_subject("") == SubjectFault::empty);
    CHECK(check_subject("a..b") == SubjectFault::empty_token);
    CHECK(check_subject(".a") == SubjectFault::empty_token);
    CHECK(check_subject("a.") == SubjectFault::empty_token);
    CHECK(check_subject("a b") == SubjectFault::bad_character);
    CHECK(check_subject("a.*") == SubjectFault::wildcard);
    CHECK(check_subject("a.>") == SubjectFault::wildcard);
    CHECK(check_subject("a.>.b") == SubjectFault::wildcard);
    CHECK(check_subject("a*b") == SubjectFault::partial_wildcard);
    CHECK(check_subject("orders.{region}.created") == SubjectFault::parameter);
    CHECK(check_subject("orders.{region.created") == SubjectFault::partial_parameter);
}

TEST_CASE("a template to fill has parameters, but no wildcards") {
    CHECK(check_template("orders.{region}.created") == SubjectFault::none);
    CHECK(check_template("orders.created") == SubjectFault::none);
    CHECK(check_template("orders.*.created") == SubjectFault::wildcard);
    CHECK(check_template("orders.>") == SubjectFault::wildcard);
    CHECK(check_template("{a}.{a}") == SubjectFault::duplicate_name);
}

TEST_CASE("the quick check of literals agrees with the thorough one") {
    const auto agrees = [](const std::string& text) {
        return freshet::detail::may_publish_on(text) == (check_subject(text) == SubjectFault::none);
    };
    std::string text;
    SECTION("with every text of up to four of the characters that mean something, at every place of longer ones") {
        constexpr std::string_view alphabet = "a.*>{} ";
        const auto visit = [&](const auto& self) -> void {
            for (std::size_t size = 0; size < 20; ++size) {
                for (std::size_t at = 0; at <= size; ++at) {
                    const auto within = std::string(at, 'a') + text + std::string(size - at, 'a');
                    CAPTURE(within);
                    if (!agrees(within)) FAIL("they differ");
                }
            }
            if (text.size() == 4) return;
            for (const char c : alphabet) {
                text.push_back(c);
                self(self);
                text.pop_back();
            }
        };
        visit(visit);
    }
    SECTION("with every character, at every place") {
        for (const std::string_view around : {"", "abc", "abcd", "ab.d.fg", "ab.d.fgh", "ab.d.fghijkl.nop"}) {
            for (std::size_t at = 0; at <= around.size(); ++at) {
                for (int c = 0; c < 256; ++c) {
                    text = around;
                    text.insert(at, 1, static_cast<char>(c));
                    CAPTURE(text);
                    CHECK(agrees(text));
                }
            }
        }
    }
    SECTION("with the longest, and one more") {
        text.assign(freshet::max_subject_size, 'a');
        CHECK(agrees(text));
        text.push_back('a');
        CHECK(agrees(text));
        CHECK_FALSE(freshet::detail::may_publish_on(text));
    }
}

TEST_CASE("all checks run at compile time") {
    STATIC_CHECK(check_pattern("orders.{region}.>") == SubjectFault::none);
    STATIC_CHECK(check_pattern("orders..created") == SubjectFault::empty_token);
    STATIC_CHECK(check_template("orders.*") == SubjectFault::wildcard);
    STATIC_CHECK(check_subject("orders.{region}") == SubjectFault::parameter);
    STATIC_CHECK(freshet::explain(SubjectFault::empty) == "it is empty");
}

TEST_CASE("a pattern known to the compiler tells its parameters") {
    using Orders = StaticSubject<"orders.{region}.{id}.created">;
    STATIC_CHECK(Orders::valid);
    STATIC_CHECK(Orders::view() == "orders.{region}.{id}.created");
    STATIC_CHECK(Orders::parameter_count == 2);
    STATIC_CHECK(Orders::token_of("region") == 1);
    STATIC_CHECK(Orders::token_of("id") == 2);
    STATIC_CHECK(Orders::token_of("orders") == -1);
    STATIC_CHECK(Orders::token_of("") == -1);
    STATIC_CHECK(Orders::has("id"));
    STATIC_CHECK_FALSE(Orders::has("ID"));
    STATIC_CHECK(StaticSubject<"orders.>">::parameter_count == 0);
}

TEST_CASE("the compiler knows which templates a pattern fills") {
    STATIC_CHECK(StaticTemplate<"invoices.{region}.{id}">::valid);
    STATIC_CHECK(StaticTemplate<"invoices.{region}.{id}">::parameter_count == 2);
    STATIC_CHECK(StaticSubject<"orders.{id}.{region}.>">::fills("invoices.{region}.{id}"));
    STATIC_CHECK_FALSE(StaticSubject<"orders.{id}.*">::fills("invoices.{region}.{id}"));
    STATIC_CHECK(StaticSubject<"orders">::fills("invoices"));
}

TEST_CASE("a token is found by its number") {
    STATIC_CHECK(token_at("orders.eu.created", 0) == "orders");
    STATIC_CHECK(token_at("orders.eu.created", 1) == "eu");
    STATIC_CHECK(token_at("orders.eu.created", 2) == "created");
    STATIC_CHECK(token_at("orders.eu.created", 3).empty());
    STATIC_CHECK(token_at("orders", 0) == "orders");
    STATIC_CHECK(token_at("", 0).empty());
    STATIC_CHECK(token_at("a.", 1).empty());
    STATIC_CHECK(token_at("a..b", 2) == "b");
}

TEST_CASE("a pattern is taken apart once") {
    const Subject subject{"orders.{region}.*.{id}"};
    CHECK(subject.pattern() == "orders.{region}.*.{id}");
    CHECK(subject.wire() == "orders.*.*.*");
    REQUIRE(subject.parameters().size() == 2);
    CHECK(subject.parameters()[0].name == "region");
    CHECK(subject.parameters()[0].token == 1);
    CHECK(subject.parameters()[1].name == "id");
    CHECK(subject.parameters()[1].token == 3);
    CHECK(subject.token_of("id") == 3);
    CHECK_FALSE(subject.token_of("orders"));
    CHECK_FALSE(subject.is_literal());
    CHECK_FALSE(subject.ends_in_tail());
}

TEST_CASE("a literal pattern and one with a tail say so") {
    CHECK(Subject{"orders.created"}.is_literal());
    CHECK_FALSE(Subject{"orders.*"}.is_literal());
    CHECK_FALSE(Subject{"orders.>"}.is_literal());
    CHECK_FALSE(Subject{"{id}"}.is_literal());
    CHECK(Subject{"orders.>"}.ends_in_tail());
    CHECK(Subject{">"}.ends_in_tail());
    CHECK_FALSE(Subject{"orders.*"}.ends_in_tail());
}

TEST_CASE("a copy and a moved pattern are as good as the original") {
    Subject original{"a.{b}"};
    const Subject copy = original;
    const Subject moved = std::move(original);
    for (const auto& subject : {copy, moved}) {
        CHECK(subject.pattern() == "a.{b}");
        CHECK(subject.token_of("b") == 1);
        CHECK(subject.matches("a.x"));
    }
}

TEST_CASE("a bad pattern's error quotes it, says where and what the rule is") {
    CHECK(
        message_of("orders..created") ==
        "\"orders..created\" is not a subject pattern: empty token; tokens are separated by single dots (position 7)");
    CHECK(message_of("") == "\"\" is not a subject pattern: it is empty");
    CHECK(
        message_of("orders.a*") ==
        "\"orders.a*\" is not a subject pattern: '*' or '>' inside a longer token; a wildcard is a whole token (position 7)");
    CHECK(message_of("a.{1}") ==
          "\"a.{1}\" is not a subject pattern: bad parameter name; a name is made of letters, digits and "
          "'_' and does not start with a digit (position 2)");
    CHECK(message_of("a\r\n\0"sv) ==
          "\"a\\x0d\\x0a\\x00\" is not a subject pattern: space or control character; a token has none "
          "(position 0)");
    CHECK_THAT(message_of("a.>.b"),
               Catch::Matchers::ContainsSubstring("'>' before the end; it is the last token only (position 2)"));
    CHECK_THAT(message_of("{a}.{a}"),
               Catch::Matchers::ContainsSubstring("second parameter of the same name; names are unique"));
    CHECK_THROWS_MATCHES(
        Subject{"a."}, Error,
        Catch::Matchers::Message("\"a.\" is not a subject pattern: empty token; tokens are separated by single "
                                 "dots (position 2)"));
}

TEST_CASE("an error says what the subject was for") {
    using freshet::detail::subject_error;
    CHECK_THAT(subject_error("a.*", freshet::SubjectUse::publish).what(),
               Catch::Matchers::Equals(
                   "\"a.*\" is not a subject to publish on: wildcard; '*' and '>' are for subscribing only "
                   "(position 2)"));
    CHECK_THAT(
        subject_error("a.{b}", freshet::SubjectUse::publish).what(),
        Catch::Matchers::Equals("\"a.{b}\" is not a subject to publish on: parameter; a subject with {name} is for "
                                "subscribing and for publishers, which fill it (position 2)"));
}

TEST_CASE("a literal pattern matches itself only") {
    CHECK(matches("orders.created", "orders.created"));
    CHECK_FALSE(matches("orders.created", "orders"));
    CHECK_FALSE(matches("orders.created", "orders.created.eu"));
    CHECK_FALSE(matches("orders.created", "orders.Created"));
    CHECK_FALSE(matches("orders.created", "orders.create"));
    CHECK_FALSE(matches("orders.created", "orders.created1"));
    CHECK_FALSE(matches("orders.created", ""));
    CHECK(matches("größe.日本", "größe.日本"));
}

TEST_CASE("'*' and a parameter match one token exactly") {
    for (const auto pattern : {"orders.*.created", "orders.{region}.created"}) {
        CAPTURE(pattern);
        CHECK(matches(pattern, "orders.eu.created"));
        CHECK(matches(pattern, "orders.日本.created"));
        CHECK_FALSE(matches(pattern, "orders.created"));
        CHECK_FALSE(matches(pattern, "orders.eu.west.created"));
        CHECK_FALSE(matches(pattern, "orders.eu.deleted"));
    }
    CHECK(matches("*", "a"));
    CHECK_FALSE(matches("*", "a.b"));
    CHECK(matches("*.*", "a.b"));
    CHECK_FALSE(matches("*.*", "a"));
}

TEST_CASE("'>' matches one token or more") {
    CHECK(matches(">", "a"));
    CHECK(matches(">", "a.b.c"));
    CHECK(matches("a.>", "a.b"));
    CHECK(matches("a.>", "a.b.c"));
    CHECK_FALSE(matches("a.>", "a"));
    CHECK_FALSE(matches("a.>", "b.a"));
    CHECK(matches("a.*.>", "a.b.c"));
    CHECK_FALSE(matches("a.*.>", "a.b"));
}

TEST_CASE("a subject that is none is taken token by token") {
    CHECK(matches("a.*.b", "a..b"));
    CHECK(matches("a.>", "a."));
    CHECK_FALSE(matches("a", "a."));
    CHECK(matches("*", ""));
}

TEST_CASE("a prefix is put before a pattern as it is") {
    const Subject subject{"invoice.{id}"};
    const auto prefixed = subject.prefixed("billing.{tenant}.");
    REQUIRE(prefixed);
    CHECK(prefixed->pattern() == "billing.{tenant}.invoice.{id}");
    CHECK(prefixed->wire() == "billing.*.invoice.*");
    CHECK(prefixed->token_of("tenant") == 1);
    CHECK(prefixed->token_of("id") == 3);
    CHECK(subject.prefixed("")->pattern() == "invoice.{id}");
    CHECK(subject.prefixed("eu-")->pattern() == "eu-invoice.{id}");
}

TEST_CASE("a prefix that spoils a pattern is an error of the whole") {
    const auto twice = Subject{"invoice.{id}"}.prefixed("billing.{id}.");
    REQUIRE_FALSE(twice);
    CHECK_THAT(twice.error().what(),
               Catch::Matchers::StartsWith("\"billing.{id}.invoice.{id}\" is not a subject pattern: second "
                                           "parameter of the same name"));
    CHECK_FALSE(Subject{"a"}.prefixed("billing.."));
    CHECK_FALSE(Subject{"{a}"}.prefixed("billing"));
    CHECK_FALSE(Subject{"a"}.prefixed(">."));
}
