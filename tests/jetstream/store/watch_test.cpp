// SPDX-License-Identifier: Apache-2.0
// Watches of buckets: what watchers and subscribers get.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/sinks.hpp"
#include "watch_notes.hpp"

#include "jetstream/api/api.hpp"
#include "jetstream/store/watch_source.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::check_order;
using freshet::testing::JetStreamFixture;
using freshet::testing::Notes;
using freshet::testing::read;
using freshet::testing::text_of;
using freshet::testing::Texts;

struct Flag {
    bool on = false;
};
FRESHET_JSON(Flag, on);

TEST_CASE_METHOD(JetStreamFixture, "a watcher gives what there is, then each change") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.history = 3});
    values.put("a", "1");
    values.put("a", "2");
    values.put("b", "1");
    values.erase("c");
    auto watcher = values.watch();
    const auto initial = watcher.initial();
    REQUIRE(initial.size() == 3);
    CHECK(text_of(initial[0]) == "put a 2");
    CHECK(text_of(initial[1]) == "put b 1");
    CHECK(text_of(initial[2]) == "erase c ");
    CHECK(initial[0].revision == 2);
    CHECK(initial[0].bucket == "texts");
    CHECK(initial[0].delta == 2);
    CHECK(initial[2].delta == 0);
    for (const auto& entry : initial) CHECK(entry.initial);
    CHECK(watcher.caught_up());

    const auto before = std::chrono::system_clock::now() - 60s;
    values.put("a", "3");
    values.erase("a");
    values.purge("b");
    CHECK(read(watcher, 3) == Texts{"put a 3", "erase a ", "purge b "});
    values.put("d", "1");
    const auto entry = watcher.next();
    REQUIRE(entry);
    CHECK_FALSE(entry->initial);
    CHECK(entry->created > before);
    CHECK_FALSE(watcher.next(10ms));
}

TEST_CASE_METHOD(JetStreamFixture, "a watcher of an empty bucket has caught up at once") {
    broker.start();
    auto values = broker.kv<std::string>("texts");
    auto watcher = values.watch({"none.>"});
    CHECK(watcher.initial().empty());
    CHECK(watcher.caught_up());
    values.put("other", "x");
    values.put("none.a", "x");
    CHECK(read(watcher, 1) == Texts{"put none.a x"});
}

TEST_CASE_METHOD(JetStreamFixture, "a watcher is told what to give") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.history = 5});
    const auto first = values.put("a", "1");
    const auto second = values.put("a", "2");
    values.put("b", "1");
    values.erase("b");
    SECTION("history") {
        auto watcher = values.watch({}, {.include_history = true});
        CHECK(read(watcher, 4) == Texts{"put a 1", "put a 2", "put b 1", "erase b "});
    }
    SECTION("no deletes") {
        auto watcher = values.watch({}, {.ignore_deletes = true});
        CHECK(watcher.initial().size() == 1);
        values.erase("a");
        values.put("c", "1");
        CHECK(read(watcher, 1) == Texts{"put c 1"});
    }
    SECTION("no values") {
        auto watcher = values.watch({}, {.meta_only = true});
        const auto initial = watcher.initial();
        REQUIRE(initial.size() == 2);
        CHECK(initial[0].revision == second);
        CHECK(initial[0].operation == kv::Operation::put);
        CHECK(initial[0].value.empty());
        CHECK(initial[1].operation == kv::Operation::erase);
    }
    SECTION("updates only") {
        auto watcher = values.watch({}, {.updates_only = true});
        CHECK(watcher.initial().empty());
        values.put("a", "3");
        const auto entry = watcher.next();
        CHECK(text_of(*entry) == "put a 3");
        CHECK_FALSE(entry->initial);
    }
    SECTION("from a revision on") {
        auto watcher = values.watch({}, {.from_revision = first + 1});
        CHECK(read(watcher, 3) == Texts{"put a 2", "put b 1", "erase b "});
    }
    SECTION("several filters") {
        values.put("c.1", "x");
        values.put("d", "x");
        auto watcher = values.watch({"c.*", "d"});
        CHECK(read(watcher, 2) == Texts{"put c.1 x", "put d x"});
    }
}

TEST_CASE_METHOD(JetStreamFixture, "a watcher sees what the server removed because of its age") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.limit_markers = 1h});
    auto watcher = values.watch();
    values.create("a", "x", {.ttl = 1s});
    CHECK(read(watcher, 2) == Texts{"put a x", "purge a "});
}

TEST_CASE_METHOD(JetStreamFixture, "a watcher is stopped from another thread, and by the broker's stop") {
    broker.start();
    auto values = broker.kv<std::string>("texts");
    auto watcher = values.watch();
    const bool by_broker = GENERATE(true, false);
    std::thread stopper{[&] {
        if (by_broker) broker.stop();
        else watcher.stop();
    }};
    CHECK_FALSE(watcher.next());
    CHECK_FALSE(watcher.next());
    stopper.join();
}

TEST_CASE_METHOD(JetStreamFixture, "a watcher may outlive the bucket it came from") {
    broker.start();
    auto watcher = broker.kv<std::string>("texts").watch();
    broker.kv<std::string>("texts").put("a", "1");
    CHECK(read(watcher, 1) == Texts{"put a 1"});
}

TEST_CASE_METHOD(JetStreamFixture, "a subscriber watches keys of a pattern") {
    Notes notes;
    std::atomic<int> caught_up = 0;
    broker
        .subscriber<"ui.{name}">(kv::Watch{.bucket = "flags",
                                           .caught_up =
                                               [&] {
                                                   notes.add("caught up");
                                                   ++caught_up;
                                               }})
        .handle([&](const kv::Entry<Flag>& entry, Path<"name"> name) {
            notes.add(text_of(entry) + " " + std::string{*name} + (entry.value.on ? " on" : " off") +
                      (entry.initial ? " initial" : ""));
        });
    {
        Broker other{{.servers = {server.url()}}};
        other.start();
        auto flags = other.kv<Flag>("flags", {.history = 5});
        flags.put("ui.dark", {.on = true});
        flags.put("ui.wide", {.on = false});
        flags.put("api.fast", {.on = true});
        flags.put("ui.deep.key", {.on = true});
    }
    broker.start();
    CHECK(notes.reach({"put ui.dark dark on initial", "put ui.wide wide off initial", "caught up"}));
    auto flags = broker.kv<Flag>("flags");
    flags.put("ui.dark", {.on = false});
    flags.put("api.fast", {.on = false});
    flags.erase("ui.wide");
    CHECK(notes.reach({"put ui.dark dark on initial", "put ui.wide wide off initial", "caught up",
                       "put ui.dark dark off", "erase ui.wide wide off"}));
    flags.purge("ui.dark");  // also takes what the watch has not seen
    CHECK(notes.reach({"put ui.dark dark on initial", "put ui.wide wide off initial", "caught up",
                       "put ui.dark dark off", "erase ui.wide wide off", "purge ui.dark dark off"}));
    CHECK(caught_up == 1);
}

TEST_CASE_METHOD(JetStreamFixture, "in a router the prefix stands before the keys, too") {
    Notes notes;
    Router<"ui."> router;
    router.subscriber<"{name}">(kv::Watch{.bucket = "texts"})
        .handle([&](const kv::Entry<std::string>& entry, Path<"name"> name) {
            notes.add(entry.key + " is " + std::string{*name});
        });
    broker.include(router);
    broker.start();
    auto values = broker.kv<std::string>("texts");
    values.put("dark", "1");
    values.put("ui.dark", "2");
    CHECK(notes.reach({"ui.dark is dark"}));
}

TEST_CASE_METHOD(JetStreamFixture, "a subscriber declares the bucket it watches, and takes entries in other ways") {
    Notes notes;
    broker.subscriber<">">(kv::Watch{.bucket = "flags", .options = {.history = 7}})
        .handle([&](std::string_view body, Context& context) {
            notes.add(std::string{context.subject()} + "=" + std::string{body});
        });
    broker.start();
    CHECK(broker.jetstream().stream("KV_flags").info().config.max_msgs_per_subject == 7);
    auto flags = broker.kv<std::string>("flags");
    flags.put("a.b", "text");
    CHECK(notes.reach({"a.b=text"}));
}

TEST_CASE_METHOD(JetStreamFixture, "a subscriber that fails at an entry gets the next") {
    Notes notes;
    auto subscriber = broker.subscriber<"*">(kv::Watch{.bucket = "flags"}).handle([&](const kv::Entry<Flag>& entry) {
        if (entry.key == "bad") throw std::runtime_error{"no"};
        notes.add(text_of(entry));
    });
    broker.start();
    broker.kv<std::string>("flags").put("garbage", "{");
    auto flags = broker.kv<Flag>("flags");
    flags.put("bad", {});
    flags.put("good", {});
    CHECK(notes.reach({"put good"}));
    CHECK(subscriber.stats().failed == 1);
    CHECK(subscriber.stats().rejected == 1);
    subscriber.stop();
    flags.put("later", {});
    CHECK(notes.all() == Texts{"put good"});
}

TEST_CASE_METHOD(JetStreamFixture, "workers share a watch, and keep the order of each key") {
    Notes notes;
    broker.subscriber<"{name}.{n}">(kv::Watch{.bucket = "texts", .workers = 4, .ordered_by = "name"})
        .handle([&](const kv::Entry<std::string>& entry) { notes.add(entry.key + "=" + entry.value); });
    broker.start();
    auto values = broker.kv<std::string>("texts", {.history = 1});
    for (int i = 0; i < 20; ++i)
        for (const auto* name : {"a", "b", "c"}) values.put(std::string{name} + "." + std::to_string(i), "x");
    check_order(notes, "=x");
}

TEST_CASE_METHOD(JetStreamFixture, "what is wrong with a watch is told by the start") {
    broker.subscriber<"{name}">(kv::Watch{.bucket = "a b"}).handle([](const kv::Entry<Flag>&) {});
    broker.subscriber<"a.{name}">(kv::Watch{.bucket = "good", .options = {.history = 99}})
        .handle([](const kv::Entry<Flag>&) {});
    broker.subscriber("a:b", kv::Watch{.bucket = "good"}).handle([](const kv::Entry<Flag>&) {});
    broker.subscriber("*", kv::Watch{.bucket = "good", .meta_only = true}).handle([](const Flag&) {});
    broker.subscriber(">", obj::Watch{.bucket = "c d"}).handle([](const obj::Info&) {});
    try {
        broker.start();
        FAIL("it started");
    } catch (const Error& error) {
        CHECK(error.code() == Errc::bad_setup);
        const std::string text{error.message()};
        CHECK_THAT(text, ContainsSubstring("bucket \"a b\""));
        CHECK_THAT(text, ContainsSubstring("history is from 1 to 64"));
        CHECK_THAT(text, ContainsSubstring("key filter \"a:b\""));
        CHECK_THAT(text, ContainsSubstring("meta_only, so that no value comes; take a kv::Entry<T> in the handler"));
        CHECK_THAT(text, ContainsSubstring("object store \"c d\""));
    }
}

TEST_CASE_METHOD(JetStreamFixture, "a watch of a bucket that must exist keeps the broker from starting") {
    broker.subscriber<"*">(kv::Watch{.bucket = "flags", .options = {.declare = js::Declare::never}})
        .handle([](const kv::Entry<Flag>&) {});
    CHECK_THROWS_WITH(broker.start(), ContainsSubstring("bucket \"flags\" does not exist"));
}

TEST_CASE_METHOD(JetStreamFixture, "a watch that is stopped while its bucket is opened ends at once") {
    broker.start();
    broker.kv<std::string>("texts").put("a", "1");
    std::unique_ptr<detail::WatchSource> source;
    const bool quiesced = GENERATE(false, true);
    source = std::make_unique<detail::WatchSource>(detail::WatchKind{
        .open = [&](detail::Link&, const Subject&) -> Expected<detail::WatchSpec> {
            if (quiesced) source->quiesce();
            source->stop(1s);
            return detail::WatchSpec{.ordered = {.stream = "KV_texts"},
                                     .what = "texts",
                                     .translate = [](const Message& stored, bool initial) {
                                         return detail::watch_message(stored.subject(), stored, initial);
                                     }};
        },
        .record = typeid(void)});
    const auto inbox = std::make_shared<freshet::testing::Inbox>();
    REQUIRE(source->start(broker.jetstream().api()->link(), *Subject::parse(">"), inbox));
    CHECK(inbox->wait_for_end());
}
