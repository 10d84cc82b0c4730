// SPDX-License-Identifier: Apache-2.0
// The code of docs/object-store.md.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../tests/support/wait.hpp"
#include "connected.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;
using snippets::message_of;
using snippets::shown;
namespace obj = freshet::obj;

namespace {

struct Fixture : snippets::WithStreams {
    std::string path = server.directory() / "report.pdf";
    std::string copy = server.directory() / "copy.pdf";
    std::ostringstream out = {};

    Fixture() { std::ofstream{path} << "a report"; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "put and get") {
    broker.start();
    // [put]
    auto files = broker.object_store("files");
    files.put_file("report.pdf", path, {.description = "of March", .metadata = {{"owner", "billing"}}});
    files.put("hello", "some text");

    files.get_file("report.pdf", copy);     // there when it is complete and right
    files.get("report.pdf", out);           // a std::ostream
    std::string text = files.get("hello");  // in memory
    // [put]
    CHECK(text == "some text");
    CHECK(out.str() == "a report");

    // [info]
    if (auto info = files.info("report.pdf")) {
        CHECK(info->size == 8);
        CHECK(info->digest.starts_with("SHA-256="));
    }
    for (const obj::Info& info : files.list()) CHECK_FALSE(info.deleted);
    files.update("hello", {.name = "greeting", .description = "another name"});
    files.erase("greeting");
    // [info]
    CHECK(files.list().size() == 1);

    // [links]
    files.link("latest", *files.info("report.pdf"));
    files.get("latest", out);  // follows it, also into another bucket
    // [links]
    CHECK(out.str() == "a reporta report");
    CHECK(message_of([&] { files.get("nothing"); }) == shown(R"(
// [not-found]
get object "nothing" in object store "files": there is no such object
// [not-found]
)"));
}

TEST_CASE_METHOD(Fixture, "callbacks") {
    broker.start();
    auto files = broker.object_store("files");
    std::size_t left = 1'000'000;
    std::uint64_t shown_bytes = 0;
    const auto show = [&](std::uint64_t bytes, std::uint64_t) { shown_bytes = bytes; };
    std::uint64_t sum = 0;
    // [callbacks]
    files.put("generated", [&](std::span<std::byte> chunk) {
        const auto size = std::min(chunk.size(), left);
        std::ranges::fill(chunk.first(size), std::byte{1});
        left -= size;
        return size;  // 0: the end
    });
    files.get("generated", [&](freshet::Bytes chunk) { sum += chunk.size(); },
              {.progress = [&](const obj::Progress& progress) { show(progress.bytes, *progress.total); }});
    // [callbacks]
    CHECK(sum == 1'000'000);
    CHECK(shown_bytes == 1'000'000);
}

TEST_CASE_METHOD(Fixture, "watch") {
    std::atomic<int> seen = 0;
    // [watch]
    broker.subscriber(obj::Watch{.bucket = "files"}).handle([&](const obj::Info& info, freshet::Logger& log) {
        log.info("{} {}", info.name, info.deleted ? "is gone" : "is there");
        ++seen;
    });
    // [watch]
    broker.start();
    auto files = broker.object_store("files");
    files.put("a", "1");
    CHECK(eventually([&] { return seen == 1; }));
}
