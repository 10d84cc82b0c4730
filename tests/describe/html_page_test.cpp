// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include <catch2/catch_test_macros.hpp>

#include <freshet/asyncapi.hpp>
#include <freshet/freshet.hpp>

using namespace freshet;

namespace pages {

struct Line {
    std::string sku = {};
    int count = 0;
};
FRESHET_JSON(Line, (sku, about("<b>bold</b> & \"quoted\""), example("a-1")), count);

struct Tree {
    std::string name = {};
    std::vector<Tree> children = {};
};
FRESHET_JSON(Tree, name, children);

struct Order {
    std::string id = {};
    std::vector<Line> lines = {};
    std::optional<Tree> tree = {};
};
FRESHET_JSON(Order, id, lines, tree);

}  // namespace pages

namespace {

Description described() {
    Broker broker{{.name = "shop <script>alert(1)</script>"}};
    broker
        .subscriber<"orders.{region}">({.queue = "q", .about = {.title = "A & B", .tags = {"<i>"}, .deprecated = true}})
        .handle([](const pages::Order&, Path<"region", int>, Header<"tenant">) { return pages::Line{}; });
    return broker.describe();
}

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
    return n;
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
    const auto from = text.find(begin) + begin.size();
    return text.substr(from, text.find(end, from) - from);
}

std::string digest_of(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> base64{};
    EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
    return "sha256-" + std::string{reinterpret_cast<const char*>(base64.data())};
}

}  // namespace

TEST_CASE("a page allows its own style and script, and nothing else") {
    const auto page = asyncapi_html(described());
    const auto policy = between(page, "Content-Security-Policy\" content=\"", "\"");
    CHECK(policy == "default-src 'none'; style-src '" + digest_of(between(page, "<style>", "</style>")) +
                        "'; script-src '" + digest_of(between(page, "<script>", "</script>")) +
                        "'; base-uri 'none'; form-action 'none'");
    CHECK(page.find(" src=") == page.npos);
    CHECK(page.find("href=\"http") == page.npos);
    CHECK(page.find(" style=") == page.npos);
}

TEST_CASE("what a program declares is text on a page, not markup") {
    const auto page = asyncapi_html(described());
    CHECK(page.find("<script>alert") == page.npos);
    CHECK(page.find("<b>bold") == page.npos);
    CHECK(page.find("<i>") == page.npos);
    CHECK(page.find("shop &lt;script&gt;alert(1)&lt;/script&gt;") != page.npos);
    CHECK(page.find("&lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;") != page.npos);
}

TEST_CASE("a page shows what the description says, each part with a link to it") {
    const auto page = asyncapi_html(described());
    CHECK(count(page, "<article id=\"operation-receive_orders_region\"") == 1);
    CHECK(count(page, "href=\"#operation-receive_orders_region\"") == 2);
    CHECK(count(page, "<article id=\"schema-pages.Tree\"") == 1);
    CHECK(page.find("orders.{region}") != page.npos);
    CHECK(page.find("A &amp; B") != page.npos);
    CHECK(page.find(">deprecated<") != page.npos);
    CHECK(page.find("tenant") != page.npos);
    CHECK(page.find("integer (32 bit)") != page.npos);
    CHECK(page.find("Nats-Service-Error-Code") != page.npos);
}

TEST_CASE("a type that has members of its own type unfolds once") {
    const auto page = asyncapi_html(described());
    // In the body, in Order and in Tree itself.
    CHECK(count(page, "<code class=\"member\">children</code>") == 3);
}

TEST_CASE("a page of nothing is a page") {
    const auto page = asyncapi_html(Description{});
    CHECK(page.starts_with("<!doctype html>"));
    CHECK(page.ends_with("</html>\n"));
}
