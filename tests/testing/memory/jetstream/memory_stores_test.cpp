// SPDX-License-Identifier: Apache-2.0
// Key-value buckets and object stores of the memory server, and the same tests over nats-server.
#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../../support/log_lines.hpp"
#include "../../../support/seen.hpp"
#include "memory_support.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::comes;
using freshet::testing::Seen;
using freshet::testing::test_of;
using Texts = std::vector<std::string>;

namespace {

std::string text_of(const kv::Entry<std::string>& entry) {
    return std::string{kv::to_string(entry.operation)} + ' ' + entry.key + ' ' + entry.value;
}

Texts texts_of(const std::vector<kv::Entry<std::string>>& entries) {
    Texts texts;
    for (const auto& entry : entries) texts.push_back(text_of(entry));
    return texts;
}

}  // namespace

TEST_CASE("a bucket keeps values, revisions and their history") {
    const bool real = GENERATE(false, true);
    Broker broker;
    const auto test = test_of(broker, real);
    auto texts = broker.kv<std::string>("texts", {.history = 3});
    CHECK_FALSE(texts.get("a"));
    const auto first = texts.put("a", "1");
    const auto second = texts.update("a", "2", first);
    CHECK(texts.try_update("a", "x", first).error().code() == Errc::wrong_last_sequence);
    CHECK(texts.get("a")->value == "2");
    CHECK(texts.get("a", first)->value == "1");
    CHECK(texts.try_create("a", "x").error().code() == Errc::already_exists);
    CHECK(texts.create("b", "new") == second + 1);
    CHECK(texts.keys() == Texts{"a", "b"});
    CHECK(texts.keys({"b"}) == Texts{"b"});

    texts.erase("a");
    CHECK_FALSE(texts.get("a"));
    CHECK(texts_of(texts.history("a")) == Texts{"put a 1", "put a 2", "erase a "});
    texts.create("a", "again");
    CHECK(texts_of(texts.history("a")) == Texts{"put a 2", "erase a ", "put a again"});
    texts.purge("a");
    CHECK(texts_of(texts.history("a")) == Texts{"purge a "});
    CHECK(texts.keys() == Texts{"b"});
    CHECK(texts.purge_deletes({.keep_markers = 0s}) == 1);
    CHECK(texts.history("a").empty());
    const auto status = texts.status();
    CHECK(status.values == 1);
    CHECK(status.history == 3);
    CHECK(kv::bucket_names(broker) == Texts{"texts"});
    texts.remove();
    CHECK(kv::bucket_names(broker).empty());
}

TEST_CASE("keys and entries are each the latest, also when a delivery is lost on the way") {
    Broker broker;
    testing::TestBroker test{broker};
    auto texts = broker.kv<std::string>("texts", {.history = 5});
    for (const auto* key : {"first", "gone", "b", "b", "lost"}) texts.put(key, "1");
    texts.erase("gone");
    texts.put("b", "2");
    texts.put("last", "1");
    const std::string lost = GENERATE("first", "lost", "gone", "b", "last");
    INFO(lost);
    test.lose_next("$KV.texts." + lost);
    CHECK(texts.keys() == Texts{"first", "lost", "b", "last"});
    test.lose_next("$KV.texts." + lost);
    CHECK(texts_of(texts.entries()) == Texts{"put first 1", "put lost 1", "put b 2", "put last 1"});
    test.lose_next("$KV.texts." + lost);
    CHECK(texts.purge_deletes({.keep_markers = 0s}) == 1);
    CHECK(texts_of(texts.history("b")) == Texts{"put b 1", "put b 1", "put b 2"});
}

TEST_CASE("keys live as long as the bucket or they themselves say, and leave a marker") {
    const bool real = GENERATE(false, true);
    Broker broker;
    const auto test = test_of(broker, real);
    auto texts = broker.kv<std::string>("texts", {.limit_markers = 1h});
    auto watcher = texts.watch();
    texts.create("short", "x", {.ttl = 1s});
    texts.create("long", "x", {.ttl = 1h});
    CHECK(comes(*test, [&] { return !texts.get("short"); }));
    CHECK(texts.get("long"));
    CHECK(texts_of(texts.history("short")) == Texts{"purge short "});
    CHECK(text_of(*watcher.next(5s)) == "put short x");
    CHECK(text_of(*watcher.next(5s)) == "put long x");
    CHECK(text_of(*watcher.next(5s)) == "purge short ");

    texts.put("purged", "x");
    texts.purge("purged", {.ttl = 1s});
    CHECK(comes(*test, [&] { return texts.history("purged").empty(); }));

    auto brief = broker.kv<std::string>("brief", {.ttl = 1s});
    brief.put("a", "x");
    CHECK(comes(*test, [&] { return !brief.get("a"); }));
    CHECK(brief.try_create("b", "x", {.ttl = 5s}).error().code() == Errc::bad_setup);
}

TEST_CASE("a bucket is watched, by a watcher and by a subscriber") {
    const bool real = GENERATE(false, true);
    Broker broker;
    Seen heard;
    std::atomic<bool> caught_up = false;
    broker.subscriber<"ui.{name}">(kv::Watch{.bucket = "texts", .caught_up = [&] { caught_up = true; }})
        .handle([&](const kv::Entry<std::string>& entry, Path<"name"> name) {
            heard.add(text_of(entry) + (entry.initial ? " initial" : "") + ' ' + std::string{*name});
        });
    testing::MemoryServer memory;
    Broker before;
    const auto first = real ? nullptr : std::make_unique<testing::TestBroker>(before, memory);
    if (!real) before.kv<std::string>("texts").put("ui.a", "0");
    const auto test = real ? test_of(broker, true) : std::make_unique<testing::TestBroker>(broker, memory);
    auto texts = broker.kv<std::string>("texts");
    CHECK(comes(*test, [&] { return caught_up.load(); }));
    auto watcher = texts.watch({"ui.>"}, {.updates_only = true});
    Texts wanted;
    if (!real) wanted.emplace_back("put ui.a 0 initial a");
    // One after the other: of a key that is written again at once, the bucket keeps, and a watch sees, the latest only.
    const auto expect = [&](const std::string& text) {
        wanted.push_back(text + " a");
        CHECK(comes(*test, [&] { return heard.all() == wanted; }));
        const auto seen = watcher.next(60s);
        CHECK((seen && text_of(*seen) == text));
    };
    texts.put("ui.a", "1");
    expect("put ui.a 1");
    texts.put("other", "x");
    texts.erase("ui.a");
    expect("erase ui.a ");
    texts.purge("ui.a");
    expect("purge ui.a ");
    CHECK_FALSE(watcher.next(10ms));
    CHECK(texts.watch().initial().size() == 2);
}

TEST_CASE("a handler that takes the value is not called for a key that has none any more") {
    const bool real = GENERATE(false, true);
    testing::LogLines log;
    Broker broker{{.logger = log.logger()}};
    Seen heard;
    auto values = broker.subscriber<"{key}">(kv::Watch{.bucket = "numbers"}).handle([&](int value, Path<"key"> key) {
        heard.add(std::string{*key} + ' ' + std::to_string(value));
    });
    std::atomic<int> filtered = 0;
    auto cases = broker.subscriber<"{key}">(kv::Watch{.bucket = "numbers"})
                     .when([](const Message& message) { return message.text() == "2"; }, [&](int) { ++filtered; })
                     .handle([](std::string_view) {});
    std::atomic<int> entries = 0;
    auto mixed = broker.subscriber<"{key}">(kv::Watch{.bucket = "numbers"})
                     .when([](const Message& message) { return message.text() == "2"; }, [](int) {})
                     .handle([&](const kv::Entry<int>&) { ++entries; });
    const auto test = test_of(broker, real);
    auto numbers = broker.kv<int>("numbers");
    // One after the other: of a key that is written again at once, a bucket keeps, and a watch sees, the latest only.
    numbers.put("a", 1);
    CHECK(comes(*test, [&] { return heard.count() == 1 && cases.stats().received == 1 && entries == 1; }));
    numbers.erase("a");
    CHECK(comes(*test, [&] { return mixed.stats().received == 2; }));
    numbers.purge("a");
    CHECK(comes(*test, [&] { return mixed.stats().received == 3; }));
    numbers.put("b", 2);
    CHECK(comes(*test, [&] { return heard.count() == 2 && filtered == 1 && mixed.stats().received == 4; }));
    CHECK(heard.all() == Texts{"a 1", "b 2"});
    CHECK(entries == 3);
    CHECK(values.stats().received == 2);
    CHECK(cases.stats().received == 2);
    CHECK(mixed.stats().received == 4);
    CHECK(log.find("error:") == "");
}

TEST_CASE("a bucket is mirrored, gathered from others, and published once more") {
    const bool real = GENERATE(false, true);
    Broker broker;
    Seen seen;
    broker.subscriber<"seen.{key}">().handle([&](std::string_view body) { seen.add(std::string{body}); });
    const auto test = test_of(broker, real);
    auto origin = broker.kv<std::string>(
        "origin", {.history = 2, .republish = js::Republish{.source = "$KV.origin.>", .destination = "seen.>"}});
    origin.put("a", "1");
    CHECK(comes(*test, [&] { return seen.all() == Texts{"1"}; }));
    auto mirror = broker.kv<std::string>("copy", {.mirror = js::StreamSource{.name = "origin"}});
    CHECK(comes(*test, [&] { return mirror.get("a").has_value(); }));
    mirror.put("b", "2");
    CHECK(origin.get("b")->value == "2");
    CHECK(comes(*test, [&] { return mirror.get("b").has_value(); }));
    CHECK(mirror.get("b")->bucket == "copy");
    CHECK(mirror.get("b")->revision == 2);
    CHECK(mirror.keys() == Texts{"a", "b"});

    auto other = broker.kv<std::string>("other");
    other.put("c", "3");
    auto all = broker.kv<std::string>("all", {.sources = {{.name = "origin"}, {.name = "other"}}});
    CHECK(comes(*test, [&] { return all.keys().size() == 3; }));
    CHECK(all.get("c")->value == "3");
    other.put("c", "4");
    CHECK(comes(*test, [&] { return all.get("c")->value == "4"; }));
}

TEST_CASE("objects are stored, listed, watched and deleted") {
    const bool real = GENERATE(false, true);
    Broker broker;
    Seen heard;
    broker.subscriber(obj::Watch{.bucket = "files"}).handle([&](const obj::Info& info) {
        heard.add(info.name + (info.deleted ? " deleted" : ' ' + std::to_string(info.size)));
    });
    const auto test = test_of(broker, real);
    auto files = broker.object_store("files");
    auto watcher = files.watch();
    CHECK(watcher.initial().empty());
    const std::string large(300'000, 'x');
    CHECK(files.put("large", large).chunks == 3);
    files.put("small", "1234", {.description = "a note"});
    CHECK(files.get("large") == large);
    CHECK(files.info("small")->description == "a note");
    CHECK(files.list().size() == 2);
    files.put("small", "12345");
    CHECK(files.get("small") == "12345");
    files.link("shortcut", *files.info("small"));
    CHECK(files.get("shortcut") == "12345");
    files.erase("large");
    CHECK_FALSE(files.info("large"));
    CHECK(files.try_get("large").error().code() == Errc::not_found);
    CHECK(files.status().stream.state.messages == 4);  // three descriptions, and the chunk of one
    CHECK(comes(*test, [&] {
        return heard.all() == Texts{"large 300000", "small 4", "small 5", "shortcut 0", "large deleted"};
    }));
    CHECK(watcher.next(5s)->name == "large");
    files.seal();
    CHECK_FALSE(files.try_put("another", "x"));
    CHECK(files.get("small") == "12345");
}

TEST_CASE("a bucket that another client made in its own way is taken as it is") {
    const bool real = GENERATE(false, true);
    const auto declare = GENERATE(js::Declare::verify, js::Declare::reconcile);
    Broker broker;
    const auto test = test_of(broker, real);
    auto jetstream = broker.jetstream();
    jetstream.declare({.name = "OBJ_theirs", .subjects = {"$O.theirs.C.>", "$O.theirs.M.>"}, .allow_rollup = true});
    jetstream.declare({.name = "KV_theirs", .subjects = {"$KV.theirs.>"}, .allow_rollup = true});
    auto files = broker.object_store("theirs", {.declare = declare});
    auto texts = broker.kv<std::string>("theirs", {.declare = declare});
    for (const auto* name : {"OBJ_theirs", "KV_theirs"}) {
        const auto config = jetstream.stream(name).info().config;
        CHECK(config.discard == js::Discard::oldest);
        CHECK_FALSE(config.allow_direct.value_or(false));
        CHECK_FALSE(config.deny_delete.value_or(false));
    }
    files.put("a", "bytes");
    CHECK(files.get("a") == "bytes");
    files.erase("a");
    texts.put("a", "text");
    CHECK(texts.get("a")->value == "text");
    texts.purge("a");
    CHECK_FALSE(texts.get("a"));
}

TEST_CASE("verify and reconcile want of a bucket what its operations need") {
    const bool real = GENERATE(false, true);
    Broker broker;
    const auto test = test_of(broker, real);
    auto jetstream = broker.jetstream();
    jetstream.declare({.name = "OBJ_theirs", .subjects = {"$O.theirs.C.>", "$O.theirs.M.>"}});
    jetstream.declare({.name = "KV_theirs", .subjects = {"$KV.theirs.>"}});
    CHECK_THROWS_WITH(broker.object_store("theirs", {.declare = js::Declare::verify}),
                      ContainsSubstring("allow_rollup_hdrs"));
    CHECK_THROWS_WITH(broker.kv<std::string>("theirs", {.declare = js::Declare::verify}),
                      ContainsSubstring("allow_rollup_hdrs"));
    auto files = broker.object_store("theirs", {.max_bytes = 1 << 20, .declare = js::Declare::reconcile});
    files.put("a", "bytes");
    CHECK(files.get("a") == "bytes");
    CHECK(files.status().stream.config.discard == js::Discard::incoming);
    auto texts = broker.kv<std::string>("theirs", {.declare = js::Declare::reconcile});
    texts.put("a", "text");
    texts.purge("a");
    CHECK(texts.status().stream.config.discard == js::Discard::oldest);
}
