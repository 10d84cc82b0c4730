// SPDX-License-Identifier: Apache-2.0
// Watches of buckets that are lost, removed and made again.
#include <algorithm>
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/wait.hpp"
#include "watch_notes.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::eventually;
using freshet::testing::JetStreamFixture;
using freshet::testing::Notes;
using freshet::testing::read;
using freshet::testing::text_of;
using freshet::testing::Texts;

TEST_CASE_METHOD(JetStreamFixture, "a watch survives a restart of the server") {
    const bool kill = GENERATE(true, false);
    CAPTURE(kill);
    Notes notes;
    broker.subscriber<"{name}">(kv::Watch{.bucket = "texts"}).handle([&](const kv::Entry<std::string>& entry) {
        notes.add(text_of(entry));
    });
    broker.start();
    auto values = broker.kv<std::string>("texts");
    values.put("a", "1");
    auto watcher = values.watch();
    CHECK(read(watcher, 1) == Texts{"put a 1"});
    CHECK(notes.reach({"put a 1"}));
    if (kill) server.kill();
    server.restart();
    CHECK(eventually([&] { return values.try_put("b", "2").has_value(); }));
    CHECK(notes.has("put b 2"));
    values.erase("a");
    CHECK(notes.has("erase a "));
    CHECK(std::ranges::count(notes.all(), "put a 1") == 1);  // nothing twice
    CHECK(read(watcher, 1) == Texts{"put b 2"});
}

TEST_CASE_METHOD(JetStreamFixture, "a watch of updates misses none over a restart, whatever the store") {
    const auto storage = GENERATE(js::Storage::file, js::Storage::memory);
    broker.start();
    auto values = broker.kv<std::string>("texts", {.storage = storage});
    for (int i = 0; i < 5; ++i) values.put("old", "x");
    auto watcher = values.watch({}, {.updates_only = true});
    auto from_revision = values.watch({}, {.from_revision = 6});
    server.kill();
    server.restart();
    CHECK(eventually([&] { return values.try_put("new", "x").has_value(); }));
    CHECK(read(watcher, 1) == Texts{"put new x"});
    CHECK(read(from_revision, 1) == Texts{"put new x"});
}

TEST_CASE_METHOD(JetStreamFixture, "a watch survives a server that comes back without the bucket") {
    Notes notes;
    broker.subscriber<"{name}">(kv::Watch{.bucket = "texts", .options = {.history = 3, .storage = js::Storage::memory}})
        .handle([&](const kv::Entry<std::string>& entry) { notes.add(text_of(entry)); });
    broker.start();
    auto values = broker.kv<std::string>("texts");
    for (int i = 0; i < 5; ++i) values.put("a", std::to_string(i));
    auto watcher = values.watch();
    CHECK(watcher.initial().size() == 1);
    CHECK(notes.has("put a 4"));
    server.kill();
    server.restart();
    // The watch declares it, with its own settings; a bucket opened with others uses that one.
    CHECK(eventually([&] { return values.try_put("b", "new").has_value(); }));
    CHECK(notes.has("put b new"));
    CHECK(eventually([&] {
        const auto entry = watcher.next(20s);
        return entry && text_of(*entry) == "put b new";
    }));
    CHECK(values.status().stream.config.name == "KV_texts");
}

TEST_CASE_METHOD(JetStreamFixture, "a watch whose bucket must exist waits until somebody makes it again") {
    broker.start();
    broker.kv<std::string>("texts", {.storage = js::Storage::memory}).put("a", "1");
    auto watcher = broker.kv<std::string>("texts", {.declare = js::Declare::never}).watch();
    CHECK(watcher.initial().size() == 1);
    server.kill();
    server.restart();
    auto values = broker.kv<std::string>("texts", {.storage = js::Storage::memory});
    CHECK(eventually([&] { return values.try_put("b", "2").has_value(); }));
    CHECK(read(watcher, 1) == Texts{"put b 2"});
}

TEST_CASE_METHOD(JetStreamFixture, "a watch goes on when its bucket is removed and made again") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.history = 4});
    values.put("a", "1");
    auto watcher = values.watch();
    CHECK(watcher.initial().size() == 1);
    values.remove();
    values.put("a", "2");
    CHECK(read(watcher, 1) == Texts{"put a 2"});
    CHECK(values.status().history == 4);
}
