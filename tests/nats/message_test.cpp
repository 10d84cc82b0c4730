// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/message.hpp>
#include <freshet/native.hpp>

using namespace freshet;
using Values = std::vector<std::string_view>;

TEST_CASE("a message shows what it was made of") {
    const auto message = Message::make("orders.eu", as_bytes("body"), {{"k", "1"}, {"k", "2"}, {"K", "3"}}, "inbox.1");
    REQUIRE(message);
    CHECK(message.subject() == "orders.eu");
    CHECK(message.reply_to() == "inbox.1");
    CHECK(message.text() == "body");
    CHECK(message.payload().size() == 4);
    CHECK(message.header("k") == "1");
    CHECK(message.header("K") == "3");
    CHECK(message.header_values("k") == Values{"1", "2"});
    CHECK(message.header("absent") == std::nullopt);
    CHECK(message.header_values("absent").empty());
    CHECK(message.status() == 0);
}

TEST_CASE("a copy of a message's headers has every field") {
    const auto message = Message::make("s", {}, {{"a", "1"}, {"b", "2"}, {"a", ""}});
    const auto headers = message.headers();
    CHECK(headers.size() == 3);
    CHECK(headers.values("a") == Values{"1", ""});
    CHECK(headers.get("b") == "2");
    CHECK(Message::make("s").headers().empty());
}

TEST_CASE("a payload may be empty and may contain NUL") {
    const auto empty = Message::make("s");
    CHECK(empty.payload().empty());
    CHECK(empty.text().empty());
    CHECK(empty.reply_to().empty());
    const std::string binary{"\0a\0", 3};
    CHECK(Message::make("s", as_bytes(binary)).text() == binary);
}

TEST_CASE("the status header is read as a number") {
    CHECK(Message::make("s", {}, {{"Status", "503"}}).status() == 503);
    CHECK(Message::make("s", {}, {{"Status", "fine"}}).status() == 0);
    CHECK(Message::make("s", {}, {{"Status", "100x"}}).status() == 0);
}

TEST_CASE("a message moves and leaves an empty one") {
    STATIC_CHECK_FALSE(std::is_copy_constructible_v<Message>);
    auto message = Message::make("s", as_bytes("x"));
    auto moved = std::move(message);
    CHECK_FALSE(message);  // NOLINT(bugprone-use-after-move): what is tested
    CHECK(message.subject().empty());
    CHECK(message.payload().empty());
    CHECK(message.header("k") == std::nullopt);
    CHECK(message.headers().empty());
    CHECK(message.status() == 0);
    CHECK(moved.subject() == "s");
    message = std::move(moved);
    CHECK(message.text() == "x");
}

TEST_CASE("a message without a subject is refused") {
    try {
        Message::make("");
        FAIL("nothing was thrown");
    } catch (const Error& error) { CHECK(error.code() == Errc::bad_subject); }
}

TEST_CASE("long subjects and header names are no special case") {
    const std::string subject(1000, 's');
    const std::string name(1000, 'n');
    const auto message = Message::make(subject, {}, {{name, "x"}}, subject);
    CHECK(message.subject() == subject);
    CHECK(message.reply_to() == subject);
    CHECK(message.header(name) == "x");
}

TEST_CASE("the native message can be reached, taken out and put back") {
    auto message = Message::make("s", as_bytes("x"));
    CHECK(std::string_view{natsMsg_GetSubject(native::native(message))} == "s");
    auto taken = native::unwrap(std::move(message));
    REQUIRE(taken != nullptr);
    const auto back = native::wrap(std::move(taken));
    CHECK(back.text() == "x");
}

// natsMsg_Destroy before cnats is opened, or after it was closed, is a SEGV. The tests above make
// messages without any connection; this one frees one at the end of the process, after cnats's own atexit handler.
TEST_CASE("a message may live until the end of the process") {
    static const auto message = Message::make("s", as_bytes("x"), {{"k", "v"}});
    CHECK(message.header("k") == "v");
}

// cnats keeps an error block per thread; it must go with the thread. Leak checkers look at this test.
TEST_CASE("a thread that met an error of cnats leaves nothing behind") {
    std::thread{[] {
        const auto message = Message::make("s");
        CHECK(message.header("") == std::nullopt);  // an error inside cnats
    }}.join();
}
