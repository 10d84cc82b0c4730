// SPDX-License-Identifier: Apache-2.0
// Watches of object stores.
#include <atomic>
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/wait.hpp"
#include "watch_notes.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::check_order;
using freshet::testing::eventually;
using freshet::testing::JetStreamFixture;
using freshet::testing::Notes;

TEST_CASE_METHOD(JetStreamFixture, "an object store is watched") {
    Notes notes;
    broker.subscriber(">", obj::Watch{.bucket = "files", .caught_up = [&] { notes.add("caught up"); }})
        .handle([&](const obj::Info& info) {
            notes.add(info.name + (info.deleted ? " deleted" : " " + std::to_string(info.size)) +
                      (info.initial ? " initial" : ""));
        });
    broker.subscriber<"report.{year}.pdf">(obj::Watch{.bucket = "files", .ignore_deletes = true})
        .handle([&](const obj::Info& info, Path<"year", int> year) {
            notes.add("report of " + std::to_string(*year) + " at " + (info.modified > obj::Time{} ? "a time" : ""));
        });
    {
        Broker other{{.servers = {server.url()}}};
        other.start();
        other.object_store("files").put("any name/at all", "1234");
    }
    broker.start();
    CHECK(notes.has("any name/at all 4 initial"));
    CHECK(notes.has("caught up"));
    auto files = broker.object_store("files");
    files.put("report.2026.pdf", "12345");
    CHECK(notes.has("report.2026.pdf 5"));
    CHECK(notes.has("report of 2026 at a time"));
    files.erase("any name/at all");
    CHECK(notes.has("any name/at all deleted"));
}

TEST_CASE_METHOD(JetStreamFixture, "a watcher of objects gives what there is, then each change") {
    broker.start();
    auto files = broker.object_store("files");
    files.put("a", "1");
    auto watcher = files.watch();
    const auto initial = watcher.initial();
    REQUIRE(initial.size() == 1);
    CHECK(initial[0].name == "a");
    CHECK(initial[0].initial);
    CHECK(watcher.caught_up());
    files.put("b", "22");
    const auto next = watcher.next();
    REQUIRE(next);
    CHECK(next->name == "b");
    CHECK(next->size == 2);
    CHECK_FALSE(next->initial);
    CHECK_FALSE(watcher.next(10ms));
    watcher.stop();
    CHECK_FALSE(watcher.next());
}

TEST_CASE_METHOD(JetStreamFixture, "a watcher of objects is told what to give") {
    broker.start();
    auto files = broker.object_store("files");
    files.put("a", "1");
    files.put("gone", "1");
    files.erase("gone");
    SECTION("no deletes") {
        auto watcher = files.watch({.ignore_deletes = true});
        const auto initial = watcher.initial();
        REQUIRE(initial.size() == 1);
        CHECK(initial[0].name == "a");
        files.erase("a");
        files.put("b", "1");
        CHECK(watcher.next(20s)->name == "b");
    }
    SECTION("deletes, too") {
        auto watcher = files.watch();
        const auto initial = watcher.initial();
        REQUIRE(initial.size() == 2);
        CHECK(initial[1].name == "gone");
        CHECK(initial[1].deleted);
    }
    SECTION("updates only") {
        auto watcher = files.watch({.updates_only = true});
        CHECK(watcher.initial().empty());
        CHECK(watcher.caught_up());
        files.erase("a");
        const auto erased = watcher.next(20s);
        REQUIRE(erased);
        CHECK(erased->name == "a");
        CHECK(erased->deleted);
        CHECK_FALSE(erased->initial);
    }
    SECTION("updates only, no deletes") {
        auto watcher = files.watch({.ignore_deletes = true, .updates_only = true});
        files.erase("a");
        files.put("b", "1");
        CHECK(watcher.next(20s)->name == "b");
        CHECK_FALSE(watcher.next(10ms));
    }
}

TEST_CASE_METHOD(JetStreamFixture, "a subscriber watches updates of objects only") {
    Notes notes;
    broker.subscriber(obj::Watch{.bucket = "files", .updates_only = true, .caught_up = [&] { notes.add("caught up"); }})
        .handle([&](const obj::Info& info) { notes.add(info.name + (info.initial ? " initial" : "")); });
    {
        Broker other{{.servers = {server.url()}}};
        other.start();
        other.object_store("files").put("before", "1");
    }
    broker.start();
    CHECK(notes.reach({"caught up"}));
    broker.object_store("files").put("after", "1");
    CHECK(notes.reach({"caught up", "after"}));
}

TEST_CASE_METHOD(JetStreamFixture, "workers share a watch of objects, and keep the order of each key") {
    Notes notes;
    std::atomic<bool> first_runs = false;
    std::atomic<bool> met = false;
    broker.subscriber<"{name}.{n}">(obj::Watch{.bucket = "files", .workers = 4, .ordered_by = "name"})
        .handle([&](const obj::Info& info) {
            if (info.name == "a.0") {
                first_runs = true;
                eventually([&] { return met.load(); });
            } else if (first_runs) {
                met = true;
            }
            notes.add(info.name);
        });
    broker.start();
    auto files = broker.object_store("files", {.storage = js::Storage::memory});
    for (int i = 0; i < 20; ++i)
        for (const auto* name : {"a", "b", "c"}) files.put(std::string{name} + "." + std::to_string(i), "x");
    check_order(notes);
    CHECK(met);
}

TEST_CASE_METHOD(JetStreamFixture, "a watch of objects survives a server that comes back without the bucket") {
    Notes notes;
    broker.subscriber(">", obj::Watch{.bucket = "files", .options = {.storage = js::Storage::memory}})
        .handle([&](const obj::Info& info) { notes.add(info.name); });
    broker.start();
    auto files = broker.object_store("files", {.storage = js::Storage::memory});
    files.put("a", "1");
    CHECK(notes.has("a"));
    server.kill();
    server.restart();
    CHECK(eventually([&] { return files.try_put("b", "2").has_value(); }));
    CHECK(notes.has("b"));
    CHECK(files.get("b") == "2");
}
