// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/credentials.hpp"
#include "nats/credentials.hpp"
#include "nats/nkey.hpp"
#include "nats/url.hpp"

using namespace freshet;
using namespace freshet::detail::nats;
using namespace freshet::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("both parts of a .creds file are found, however an editor has left it") {
    const auto check = [](const std::string& content) {
        INFO(content);
        const auto parts = jwt_parts(content);
        REQUIRE(parts);
        CHECK(parts->jwt == user_jwt);
        CHECK(parts->seed == nkey_seed);
    };
    auto content = creds_content();
    check(content);
    check("\xEF\xBB\xBF# ours\n\n" + content + "\n\n");
    std::string windows;
    for (const char c : content) windows += c == '\n' ? std::string{" \r\n"} : std::string{c};
    check(windows);
}

TEST_CASE("a .creds file that is cut off says what is missing, and shows no secret") {
    const auto content = creds_content();
    for (std::size_t length = 0; length < content.size() - 40; length += 7) {
        const auto parts = jwt_parts(content.substr(0, length));
        INFO(length);
        REQUIRE_FALSE(parts);
        CHECK(parts.error().code() == Errc::bad_setup);
        CHECK_THAT(parts.error().what(), !ContainsSubstring("SUA") && !ContainsSubstring("eyJ"));
    }
    CHECK_THAT(jwt_parts("nothing").error().what(), ContainsSubstring("NATS USER JWT"));
    CHECK_THAT(jwt_parts(creds_content(user_jwt, "SUNOSEED")).error().what(), ContainsSubstring("58 characters"));
}

TEST_CASE("a bare seed file is taken as editors leave it") {
    const std::string seed{nkey_seed};
    for (const auto& content :
         {seed, seed + "\n", "  " + seed + " \r\n", "\xEF\xBB\xBF" + seed + "\n", "# x\n" + seed}) {
        INFO(content);
        CHECK(seed_in(content).value_or("none") == seed);
    }
}

TEST_CASE("a function that gives credentials may fail, and its text is told without secrets") {
    CredentialSource thrown{TokenCallback{[]() -> std::string { throw std::runtime_error{"vault: nats://a:pw@b"}; }}};
    const auto refreshed = thrown.refresh();
    REQUIRE_FALSE(refreshed);
    CHECK_THAT(refreshed.error().what(), ContainsSubstring("TokenCallback::token threw: vault: nats://b"));
    CHECK_FALSE(thrown.token());

    CredentialSource unset{UserPasswordCallback{}};
    CHECK_THAT(unset.refresh().error().what(), ContainsSubstring("is not set"));
    CredentialSource short_signature{NkeyCallback{.public_key = "U", .sign = [](std::string_view) { return "x"; }}};
    CHECK_THAT(short_signature.sign("nonce").error().what(), ContainsSubstring("1 bytes"));
    CredentialSource no_jwt{JwtCallback{.sign = [](std::string_view) { return std::string(64, 'x'); }}};
    CHECK_FALSE(no_jwt.jwt());
    CHECK(no_jwt.sign("nonce"));
}

TEST_CASE("texts are made fit for cnats's CONNECT line") {
    CHECK(json_text(R"(a"b\c)") == R"(a\"b\\c)");
    CHECK(json_text("line\nend\x01") == "line\\u000aend\\u0001");
    CHECK(json_text("plain") == "plain");
    CHECK(url_for_connect("nats://bob:a%22b@host:1") == "nats://bob:a%5C%22b@host:1");
    CHECK(url_for_connect("nats://host:1") == "nats://host:1");
    CHECK(url_for_connect("t%5Cn@host") == "nats://t%5C%5Cn@host");
}
