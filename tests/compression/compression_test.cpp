// SPDX-License-Identifier: Apache-2.0
// The compression middleware: what it compresses, what it reads, what it refuses.
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/middleware/compression.hpp>
#include <freshet/testing.hpp>

using namespace freshet;
using namespace std::chrono_literals;
using freshet::testing::TestBroker;

namespace {

const std::string text = [] {
    std::string made;
    for (int i = 0; i < 2'000; ++i) made += "line " + std::to_string(i) + "\n";
    return made;
}();

constexpr std::string_view bytes(const auto& array) {
    return {reinterpret_cast<const char*>(array.data()), array.size()};
}

// What the programs zstd and gzip make of "hello": the first from a pipe, so without the size; the second twice, which
// is a file of two members.
constexpr std::array<unsigned char, 18> zstd_hello{0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x29, 0x00, 0x00,
                                                   0x68, 0x65, 0x6c, 0x6c, 0x6f, 0xa3, 0x6d, 0x9f, 0x88};
constexpr std::array<unsigned char, 25> gzip_hello{0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                                   0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86,
                                                   0xa6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00};

RequestOptions encoded(std::string_view name) { return {.headers = {{"content-encoding", name}}}; }

/// A service that says what it got.
struct Fixture {
    Broker broker{};
    std::string got = {};

    void serve(const Compression& compression) {
        broker.use(compression).use_publish(compression);
        broker.subscriber<"size">().handle([this](std::string_view body) {
            got = body;
            return body.size();
        });
        broker.subscriber<"echo">().handle([](std::string_view body) { return body; });
    }
    static int refusal(TestBroker& test, std::string_view body, std::string_view name) {
        const auto answer = test.try_request<std::size_t>("size", body, encoded(name));
        return answer ? 0 : answer.error().remote_code();
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "what is compressed on its way out is what it was when it comes in") {
    const auto encoding = GENERATE(ContentEncoding::zstd, ContentEncoding::gzip, ContentEncoding::deflate);
    const auto level = GENERATE(std::optional<int>{}, std::optional<int>{1}, std::optional<int>{9});
    serve(Compression{{.encoding = encoding, .level = level}});
    broker.use(Compression{});  // a second one finds nothing to do
    TestBroker test{broker};
    for (int i = 0; i < 2; ++i) {  // the second time what the thread has is used again
        CHECK(broker.request<std::size_t>("size", text) == text.size());
        CHECK(got == text);
    }
    const auto sent = test.published("size").at(0);
    CHECK(sent.headers.get("content-encoding") == to_string(encoding));
    CHECK(sent.body.size() < text.size() / 2);
}

TEST_CASE_METHOD(Fixture, "what other programs compressed is read") {
    serve(Compression{});
    TestBroker test{broker};
    const auto size = [&](std::string_view body, std::string_view name) {
        return test.request<std::size_t>("size", body, encoded(name));
    };
    CHECK(size(bytes(zstd_hello), "zstd") == 5);
    CHECK(got == "hello");
    CHECK(size(bytes(gzip_hello), "gzip") == 5);
    CHECK(size(bytes(gzip_hello), "X-GZIP") == 5);
    CHECK(size(std::string{bytes(gzip_hello)} + std::string{bytes(gzip_hello)}, "gzip") == 10);
    CHECK(size(std::string{bytes(zstd_hello)} + std::string{bytes(zstd_hello)}, "zstd") == 10);
    CHECK(got == "hellohello");
    CHECK(size("", "zstd") == 0);
    CHECK(size("plain", "identity") == 5);
}

TEST_CASE_METHOD(Fixture, "what does not decompress is refused, and says why") {
    serve(Compression{});
    TestBroker test{broker};
    CHECK(refusal(test, "plain", "zstd") == 400);
    CHECK(refusal(test, "plain", "gzip") == 400);
    CHECK(refusal(test, bytes(zstd_hello).substr(0, 10), "zstd") == 400);
    CHECK(refusal(test, bytes(gzip_hello).substr(0, 15), "gzip") == 400);
    CHECK(refusal(test, std::string{bytes(gzip_hello)} + "more", "gzip") == 400);
    CHECK(refusal(test, "plain", "br") == 415);
    CHECK(got.empty());
    const auto delivery = test.publish("size", std::string_view{"plain"}, {.headers = {{"content-encoding", "zstd"}}});
    CHECK(delivery == Outcome::term());
    REQUIRE(delivery.at(0).failure);
    CHECK(std::string{delivery.at(0).failure->what()}.find("does not decompress as zstd") != std::string::npos);
    CHECK(test.request<std::size_t>("size", bytes(zstd_hello), encoded("zstd")) == 5);  // the next is none the worse
}

TEST_CASE_METHOD(Fixture, "a body that would expand beyond the limit is refused, whether it says its size or not") {
    const auto encoding = GENERATE(ContentEncoding::zstd, ContentEncoding::gzip);
    const std::string zeros(1'000'000, '\0');
    Broker attacker;
    attacker.use_publish(Compression{{.encoding = encoding}});
    serve(Compression{{.max_size = 999'999}});
    broker.subscriber<"exact">().handle([](std::string_view body) { return body.size(); });
    testing::MemoryServer server;
    TestBroker test{broker, server};
    TestBroker other{attacker, server};
    const auto refused = attacker.try_request<std::size_t>("size", zeros);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remote_code() == 413);
    CHECK(attacker.request<std::size_t>("size", std::string_view{zeros}.substr(1)) == 999'999);
}

TEST_CASE_METHOD(Fixture,
                 "small bodies, those that do not shrink and those that are compressed already are left alone") {
    serve(Compression{{.min_size = 100}});
    TestBroker test{broker};
    std::string noise;
    for (std::uint32_t i = 1, x = 1; i < 1'000; ++i)
        noise.push_back(static_cast<char>((x = x * 1'664'525 + 1'013'904'223) >> 24));
    broker.publish("size", std::string(99, 'a'));
    broker.publish("size", std::string(100, 'a'));
    broker.publish("size", noise);
    broker.publish("size", std::string(200, 'a'), {.headers = {{"content-encoding", "custom"}}});
    const auto sent = test.published("size");
    CHECK_FALSE(sent.at(0).headers.contains("content-encoding"));
    CHECK(sent.at(1).headers.get("content-encoding") == "zstd");
    CHECK_FALSE(sent.at(2).headers.contains("content-encoding"));
    CHECK(sent.at(3).headers.get("content-encoding") == "custom");
    CHECK(sent.at(3).body.size() == 200);
}

TEST_CASE_METHOD(Fixture, "an answer is compressed for who says that he reads it") {
    const Compression compression;
    serve(compression);
    TestBroker test{broker};
    const auto ask = [&](Headers headers) {
        return test.request<Message>("echo", text, {.headers = std::move(headers)});
    };
    CHECK(ask({}).text() == text);
    CHECK(ask({{"accept-encoding", "gzip"}}).text() == text);
    CHECK(ask({{"accept-encoding", "gzip, zstd;q=0.000"}}).text() == text);
    for (const char* accepted : {"zstd", "gzip, ZSTD ;q=0.5", "zstd;q=1"}) {
        auto answer = ask({{"accept-encoding", accepted}});
        CHECK(answer.header("content-encoding") == "zstd");
        CHECK(answer.payload().size() < text.size());
        const auto read = compression.decompress(std::move(answer));
        REQUIRE(read);
        CHECK(read->text() == text);
        CHECK_FALSE(read->header("content-encoding"));
    }
    auto plain = Message::make("x", as_bytes("plain"));
    CHECK(compression.decompress(std::move(plain))->text() == "plain");
    CHECK_FALSE(compression.decompress(Message::make("x", as_bytes("plain"), {{"content-encoding", "gzip"}})));
}

TEST_CASE("a level that there is not is a mistake") {
    CHECK_THROWS_AS((Compression{{.level = 23}}), Error);
    CHECK_THROWS_AS((Compression{{.encoding = ContentEncoding::gzip, .level = 10}}), Error);
    CHECK_NOTHROW(Compression{{.level = -5}});
}
