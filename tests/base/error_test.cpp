// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include <freshet/codec.hpp>
#include <freshet/error.hpp>

#include "base/error_state.hpp"

using namespace freshet;

TEST_CASE("an error compares with its code and with the portable condition") {
    const Error error{Errc::buffer_full, "cannot publish to 'x': the buffer is full"};
    CHECK(error.code() == Errc::buffer_full);
    CHECK(error.code() != Errc::closed);
    CHECK(error.code() == Condition::disconnected);
    CHECK(error.code() != Condition::timeout);
    CHECK(error == Errc::buffer_full);
    CHECK(error == Condition::disconnected);
    CHECK(error != Condition::timeout);
    CHECK(std::string{error.what()} == "cannot publish to 'x': the buffer is full");
    CHECK(error.message() == error.what());
    CHECK(error.remote_code() == 0);
}

TEST_CASE("every code belongs to a condition of its own layer and has a text") {
    const std::pair<Errc, Condition> expected[] = {
        {Errc::timeout, Condition::timeout},
        {Errc::no_responders, Condition::no_responders},
        {Errc::not_found, Condition::not_found},
        {Errc::already_exists, Condition::already_exists},
        {Errc::wrong_revision, Condition::wrong_revision},
        {Errc::disconnected, Condition::disconnected},
        {Errc::closed, Condition::disconnected},
        {Errc::buffer_full, Condition::disconnected},
        {Errc::bad_payload, Condition::bad_payload},
        {Errc::payload_too_large, Condition::bad_payload},
        {Errc::missing_header, Condition::bad_payload},
        {Errc::bad_header, Condition::bad_payload},
        {Errc::bad_path, Condition::bad_payload},
        {Errc::bad_subject, Condition::bad_setup},
        {Errc::unauthorized, Condition::bad_setup},
        {Errc::bad_setup, Condition::bad_setup},
        {Errc::remote, Condition::remote},
    };
    for (const auto& [code, condition] : expected) {
        const std::error_code made = code;
        INFO(made.message());
        CHECK(made == condition);
        CHECK(made.default_error_condition() == make_error_condition(condition));
        CHECK(made.message() != "unknown");
        CHECK(made.category().name() == std::string{"freshet"});
    }
}

TEST_CASE("a code of another category keeps its meaning") {
    const Error error{std::make_error_code(std::errc::permission_denied), "cannot read 'x'"};
    CHECK(error.code() == std::errc::permission_denied);
    CHECK(error.code() != Condition::bad_setup);
}

TEST_CASE("a remote error stays one on its way through an Expected") {
    const Expected<int> result = std::unexpected<Error>{RemoteError{404, "no such order"}};
    try {
        value_or_raise(Expected<int>{result});
        FAIL("nothing was thrown");
    } catch (const RemoteError& error) {
        CHECK(error.remote_code() == 404);
        CHECK(error.message() == "no such order");
        CHECK(error.code() == Condition::remote);
        CHECK(error.remote_description() == "no such order");
    }
}

TEST_CASE("a remote error knows what the other side said, apart from what is said around it") {
    const auto error = detail::remote_error(R"("orders.find" answered with error 404)",
                                            {.code = 404, .description = "no such order", .body = "17"});
    CHECK(error.message() == R"("orders.find" answered with error 404: no such order)");
    CHECK(error.remote_description() == "no such order");
    try {
        raise(error);
    } catch (const RemoteError& raised) {
        CHECK(raised.message() == error.message());
        CHECK(raised.remote_description() == "no such order");
        CHECK(raised.has_body());
        CHECK(raised.body<int>() == 17);
    }
    const auto silent = detail::remote_error("x", {.code = 500});
    CHECK(silent.message() == "x: no description");
    CHECK(silent.remote_description().empty());
    CHECK(Error{Errc::timeout, "late"}.remote_description().empty());
}

TEST_CASE("an error of 400 to 499 that the program made declines; one that it received does not") {
    CHECK(detail::declines(RemoteError{400, "x"}));
    CHECK(detail::declines(RemoteError{499, "x"}));
    CHECK_FALSE(detail::declines(RemoteError{399, "x"}));
    CHECK_FALSE(detail::declines(RemoteError{500, "x"}));
    CHECK_FALSE(detail::declines(detail::remote_error("x", {.code = 404})));
    CHECK_FALSE(detail::declines(Error{Errc::not_found, "x"}));
    CHECK(detail::declines_for_good(RemoteError{404, "x"}));
    for (const int later : {408, 425, 429}) {
        CHECK(detail::declines(RemoteError{later, "x"}));
        CHECK_FALSE(detail::declines_for_good(RemoteError{later, "x"}));
    }
}

TEST_CASE("value_or_raise gives the value or throws the error") {
    CHECK(value_or_raise(Expected<std::string>{"x"}) == "x");
    CHECK_NOTHROW(value_or_raise(Expected<void>{}));
    CHECK_THROWS_AS(value_or_raise(Expected<void>{failure(Errc::timeout, "late")}), Error);
}

TEST_CASE("an error that was moved from still has its message, and copies do not throw") {
    Error error{Errc::timeout, "late"};
    const Error taken = std::move(error);
    CHECK(taken.message() == "late");
    CHECK(error.message() == "late");  // NOLINT(bugprone-use-after-move): what is tested
    STATIC_CHECK(std::is_nothrow_copy_constructible_v<Error>);
}
