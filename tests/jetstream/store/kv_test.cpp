// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/wait.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::JetStreamFixture;

struct Flag {
    bool on = false;
    std::string note = {};

    friend bool operator==(const Flag&, const Flag&) = default;
};
FRESHET_JSON(Flag, on, note);

namespace {

template <class T>
std::string message_of(const Expected<T>& result) {
    return result ? "" : std::string{result.error().message()};
}

std::vector<std::string> texts(const std::vector<kv::Entry<std::string>>& entries) {
    std::vector<std::string> texts;
    for (const auto& entry : entries)
        texts.push_back(std::string{kv::to_string(entry.operation)} + " " + entry.key + " " + entry.value);
    return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(JetStreamFixture, "a value is put and got") {
    broker.start();
    auto flags = broker.kv<Flag>("flags", {.history = 5});
    CHECK(flags.bucket() == "flags");
    CHECK_FALSE(flags.get("dark-mode"));

    const auto before = std::chrono::system_clock::now() - 60s;
    const auto revision = flags.put("dark-mode", {.on = true, .note = "all"});
    const auto entry = flags.get("dark-mode");
    REQUIRE(entry);
    CHECK(entry->value == Flag{true, "all"});
    CHECK(entry->bucket == "flags");
    CHECK(entry->key == "dark-mode");
    CHECK(entry->revision == revision);
    CHECK(entry->operation == kv::Operation::put);
    CHECK(entry->created > before);
    CHECK(entry->created < std::chrono::system_clock::now() + 60s);
}

TEST_CASE_METHOD(JetStreamFixture, "values are bytes and texts, too, and empty ones are values") {
    broker.start();
    auto texts = broker.kv<std::string>("texts");
    texts.put("empty", "");
    REQUIRE(texts.get("empty"));
    CHECK(texts.get("empty")->value.empty());
    texts.put("a/b=c_d-e.F", "hello");
    CHECK(texts.get("a/b=c_d-e.F")->value == "hello");

    auto bytes = broker.kv<std::vector<std::byte>>("texts");
    std::vector<std::byte> all(256);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i);
    bytes.put("all", all);
    CHECK(bytes.get("all")->value == all);
}

TEST_CASE_METHOD(JetStreamFixture, "a value that does not decode is an error that names it") {
    broker.start();
    broker.kv<std::string>("flags").put("x", "not json");
    const auto got = broker.kv<Flag>("flags").try_get("x");
    REQUIRE_FALSE(got);
    CHECK(got.error().code() == Errc::bad_payload);
    CHECK_THAT(message_of(got), ContainsSubstring("key \"x\" in bucket \"flags\" (revision 1)"));
}

TEST_CASE_METHOD(JetStreamFixture, "a value in another format is read by its content type") {
    Broker packed{{.servers = {server.url()}, .format = Format::messagepack}};
    packed.start();
    broker.start();
    packed.kv<Flag>("flags").put("x", {.on = true, .note = "packed"});
    CHECK(broker.kv<Flag>("flags").get("x")->value == Flag{true, "packed"});
}

TEST_CASE_METHOD(JetStreamFixture, "a revision is got as long as it is kept") {
    broker.start();
    auto texts = broker.kv<std::string>("texts", {.history = 2});
    const auto first = texts.put("a", "1");
    const auto second = texts.put("a", "2");
    const auto other = texts.put("b", "x");
    CHECK(texts.get("a", first)->value == "1");
    CHECK(texts.get("a", second)->value == "2");
    CHECK_FALSE(texts.get("a", other));
    CHECK_FALSE(texts.get("a", 999));
    CHECK_FALSE(texts.get("a", 0));
    texts.put("a", "3");
    CHECK_FALSE(texts.get("a", first));
    CHECK_FALSE(texts.get("a", texts.erase("a")));
}

TEST_CASE_METHOD(JetStreamFixture, "create writes only where nothing is") {
    broker.start();
    auto texts = broker.kv<std::string>("texts", {.history = 3});
    const auto revision = texts.create("a", "1");
    const auto again = texts.try_create("a", "2");
    REQUIRE_FALSE(again);
    CHECK(again.error().code() == Condition::already_exists);
    CHECK_THAT(message_of(again), ContainsSubstring("create key \"a\" in bucket \"texts\""));
    CHECK(texts.get("a")->value == "1");

    texts.erase("a");
    CHECK(texts.create("a", "3") > revision);
    texts.purge("a");
    texts.create("a", "4");
    CHECK(texts.get("a")->value == "4");
}

TEST_CASE_METHOD(JetStreamFixture, "update compares and sets") {
    broker.start();
    auto texts = broker.kv<std::string>("texts");
    const auto first = texts.put("a", "1");
    const auto second = texts.update("a", "2", first);
    CHECK(second > first);
    const auto stale = texts.try_update("a", "3", first);
    REQUIRE_FALSE(stale);
    CHECK(stale.error().code() == Condition::wrong_revision);
    CHECK_THAT(message_of(stale), ContainsSubstring("update key \"a\" in bucket \"texts\""));
    CHECK_THROWS_AS(texts.update("a", "3", first), Error);
    CHECK(texts.get("a")->value == "2");
    CHECK(texts.update("new", "1", 0) > second);
}

TEST_CASE_METHOD(JetStreamFixture, "threads that update the same key lose nothing") {
    broker.start();
    auto counter = broker.kv<int>("counter");
    counter.put("n", 0);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (int done = 0; done < 25;) {
                const auto entry = counter.get("n");
                if (counter.try_update("n", entry->value + 1, entry->revision)) ++done;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(counter.get("n")->value == 100);
}

TEST_CASE_METHOD(JetStreamFixture, "erase keeps the history, purge does not") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.history = 5});
    values.put("a", "1");
    values.put("a", "2");
    values.erase("a");
    CHECK_FALSE(values.get("a"));
    CHECK(texts(values.history("a")) == Texts{"put a 1", "put a 2", "erase a "});
    const auto history = values.history("a");
    CHECK(history.at(0).delta == 2);
    CHECK(history.at(2).delta == 0);

    values.purge("a");
    CHECK_FALSE(values.get("a"));
    CHECK(texts(values.history("a")) == Texts{"purge a "});
    CHECK(values.history("none").empty());
    values.erase("none");  // no error
}

TEST_CASE_METHOD(JetStreamFixture, "erase and purge compare the revision if asked") {
    broker.start();
    auto values = broker.kv<std::string>("texts");
    const auto first = values.put("a", "1");
    const auto second = values.put("a", "2");
    CHECK(values.try_erase("a", {.revision = first}).error().code() == Condition::wrong_revision);
    CHECK(values.try_purge("a", {.revision = first}).error().code() == Condition::wrong_revision);
    CHECK(values.get("a"));
    const auto marker = values.erase("a", {.revision = second});
    CHECK_FALSE(values.get("a"));
    values.purge("a", {.revision = marker});
}

TEST_CASE_METHOD(JetStreamFixture, "keys are listed, all or those that match") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.history = 3});
    CHECK(values.keys().empty());
    for (const auto* key : {"user.1", "user.2", "user.2.mail", "config"}) values.put(key, "x");
    values.put("user.1", "y");
    values.put("gone", "x");
    values.erase("gone");
    CHECK(values.keys() == Texts{"user.2", "user.2.mail", "config", "user.1"});
    CHECK(values.keys({"user.*"}) == Texts{"user.2", "user.1"});
    CHECK(values.keys({"user.>"}) == Texts{"user.2", "user.2.mail", "user.1"});
    CHECK(values.keys({"config", "user.*.mail"}) == Texts{"user.2.mail", "config"});
    CHECK(values.keys({"nothing.>"}).empty());
    CHECK(texts(values.entries({"user.*"})) == Texts{"put user.2 x", "put user.1 y"});
}

TEST_CASE_METHOD(JetStreamFixture, "thousands of keys are listed") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.storage = js::Storage::memory});
    constexpr std::size_t count = 2'000;
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&, thread] {
            for (std::size_t i = thread; i < count; i += 8) values.put("key." + std::to_string(i), "value");
        });
    }
    for (auto& thread : threads) thread.join();
    const auto keys = values.keys();
    CHECK(std::set(keys.begin(), keys.end()).size() == count);
    CHECK(values.entries().size() == count);
}

TEST_CASE_METHOD(JetStreamFixture,
                 "keys are listed once each when their consumer is lost and keys are written meanwhile") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.history = 3, .storage = js::Storage::memory});
    constexpr std::size_t count = 8'000;
    std::vector<std::future<std::uint64_t>> written;
    for (std::size_t i = 0; i < count; ++i)
        for (const auto* value : {"1", "2", "3"})
            written.push_back(values.put_async("key." + std::to_string(i), value));
    for (auto& one : written) one.get();
    for (const auto* key : {"key.2000", "key.7999"}) values.erase(key);

    Broker other{{.servers = {server.url()}, .name = "other"}};
    std::atomic<int> consumers = 0;
    other.subscriber<"$JS.EVENT.ADVISORY.CONSUMER.CREATED.KV_texts.*">().handle([&](const Message& advisory) {
        if (++consumers != 1) return;
        const auto subject = std::string{advisory.subject()};
        const auto consumer = other.jetstream().consumer("KV_texts", subject.substr(subject.rfind('.') + 1));
        eventually([&] { return consumer.info().delivered_consumer_sequence >= 300; });
        other.kv<std::string>("texts").put("key.0", "4");
        other.kv<std::string>("texts").erase("key.1");
        consumer.remove();
    });
    other.start();
    const bool all_of_it = GENERATE(false, true);
    std::vector<std::string> keys;
    if (all_of_it)
        for (auto& entry : values.entries()) keys.push_back(entry.key + ' ' + entry.value);
    else keys = values.keys();
    other.stop();
    CHECK(consumers == 2);
    CHECK(keys.size() == count - 3);
    CHECK(std::set(keys.begin(), keys.end()).size() == count - 3);
    CHECK(keys.front() == (all_of_it ? "key.2 3" : "key.2"));
    CHECK(keys.back() == (all_of_it ? "key.0 4" : "key.0"));
}

TEST_CASE_METHOD(JetStreamFixture, "a bad key is refused before anything is asked") {
    // The broker does not run: whatever is sent would be Errc::closed.
    auto values = broker.kv<std::string>("texts");
    const std::string key = GENERATE("", "a b", "a.", ".a", "a..b", "*", "a.>", "ä");
    CAPTURE(key);
    CHECK(values.try_get(key).error().code() == Errc::bad_subject);
    CHECK(values.try_get(key, 1).error().code() == Errc::bad_subject);
    CHECK(values.try_put(key, "x").error().code() == Errc::bad_subject);
    CHECK(values.try_create(key, "x").error().code() == Errc::bad_subject);
    CHECK(values.try_update(key, "x", 1).error().code() == Errc::bad_subject);
    CHECK(values.try_erase(key).error().code() == Errc::bad_subject);
    CHECK(values.try_purge(key).error().code() == Errc::bad_subject);
    CHECK(values.try_get("good").error().code() == Errc::closed);
}

TEST_CASE_METHOD(JetStreamFixture, "a bad filter is refused before anything is asked") {
    auto values = broker.kv<std::string>("texts");
    const std::string filter = GENERATE("", "a b", "a.", "a*", ">.a");
    CAPTURE(filter);
    CHECK(values.try_keys({filter}).error().code() == Errc::bad_subject);
    CHECK(values.try_entries({"good.*", filter}).error().code() == Errc::bad_subject);
    CHECK(values.try_history(filter).error().code() == Errc::bad_subject);
    CHECK(values.try_watch({filter}).error().code() == Errc::bad_subject);
}

TEST_CASE_METHOD(JetStreamFixture, "a bad name or option of a bucket is refused at once") {
    const auto refused = [&](const std::string& bucket, const kv::Options& options) {
        try {
            broker.kv<std::string>(bucket, options);
            return std::string{};
        } catch (const Error& error) {
            CHECK(error.code() == Errc::bad_setup);
            return std::string{error.message()};
        }
    };
    CHECK_THAT(refused("a.b", {}), ContainsSubstring("bucket \"a.b\""));
    CHECK_THAT(refused("", {}), ContainsSubstring("letters"));
    CHECK_THAT(refused("a", {.history = 65}), ContainsSubstring("history is from 1 to 64"));
    CHECK_THAT(refused("a", {.history = 0}), ContainsSubstring("history is from 1 to 64"));
    CHECK_THAT(refused("a", {.limit_markers = 500ms}), ContainsSubstring("limit_markers"));
    CHECK_THAT(refused("a", {.mirror = js::StreamSource{.name = "b"}, .sources = {{.name = "c"}}}),
               ContainsSubstring("mirror"));
    CHECK_THAT(refused("a", {.ttl = -1s}), ContainsSubstring("ttl"));
}

TEST_CASE_METHOD(JetStreamFixture, "a bucket has the settings it was declared with") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.description = "of mine",
                                                   .history = 7,
                                                   .ttl = 1h,
                                                   .max_bytes = 1 << 20,
                                                   .max_value_bytes = 1'000,
                                                   .storage = js::Storage::memory,
                                                   .compression = js::Compression::s2,
                                                   .republish = js::Republish{.source = ">", .destination = "seen.>"},
                                                   .metadata = {{"owner", "me"}},
                                                   .limit_markers = 5min});
    values.put("a", "1");
    values.put("a", "2");
    const auto status = values.status();
    CHECK(status.bucket == "texts");
    CHECK(status.values == 2);
    CHECK(status.bytes > 0);
    CHECK(status.history == 7);
    CHECK(status.ttl == 1h);
    CHECK(status.limit_markers == 5min);
    CHECK(status.compressed);
    const auto& config = status.stream.config;
    CHECK(config.name == "KV_texts");
    CHECK(config.description == "of mine");
    CHECK(config.subjects == Texts{"$KV.texts.>"});
    CHECK(config.max_bytes == 1 << 20);
    CHECK(config.max_msg_size == 1'000);
    CHECK(config.storage == js::Storage::memory);
    CHECK(config.metadata.at("owner") == "me");
    CHECK(config.republish->destination == "seen.>");
    CHECK(config.discard == js::Discard::incoming);
    CHECK(config.allow_rollup == true);
    CHECK(config.deny_delete == true);
    CHECK(config.allow_direct == true);
    CHECK(config.allow_msg_ttl == true);

    const auto large = values.try_put("large", std::string(2'000, 'x'));
    REQUIRE_FALSE(large);
    CHECK_THAT(message_of(large), ContainsSubstring("put key \"large\" in bucket \"texts\""));
}

TEST_CASE_METHOD(JetStreamFixture, "a bucket without settings is one as other clients make it") {
    broker.start();
    broker.kv<std::string>("plain");
    const auto config = broker.jetstream().stream("KV_plain").info().config;
    CHECK(config.max_msgs_per_subject == 1);
    CHECK(config.storage == js::Storage::file);
    CHECK(config.replicas == 1);
    CHECK(config.duplicate_window == 2min);
    CHECK(config.allow_msg_ttl.value_or(false) == false);
    CHECK(config.deny_purge.value_or(false) == false);
}

TEST_CASE_METHOD(JetStreamFixture, "an existing bucket is used, verified or reconciled, as declared") {
    broker.start();
    const auto history = [&] { return broker.jetstream().stream("KV_flags").info().config.max_msgs_per_subject; };

    const auto missing = [&] { return broker.kv<Flag>("flags", {.declare = js::Declare::never}); };
    CHECK_THROWS_WITH(missing(), ContainsSubstring("bucket \"flags\" does not exist"));

    broker.kv<Flag>("flags", {.history = 5, .ttl = 1h});
    broker.kv<Flag>("flags", {.history = 2});  // is there: used as it is
    CHECK(history() == 5);
    broker.kv<Flag>("flags", {.history = 2, .declare = js::Declare::never});
    CHECK(history() == 5);
    broker.kv<Flag>("flags", {.declare = js::Declare::verify});  // unset is not compared
    broker.kv<Flag>("flags", {.ttl = 1h, .declare = js::Declare::verify});

    try {
        broker.kv<Flag>("flags", {.history = 2, .ttl = 2h, .declare = js::Declare::verify});
        FAIL("it differs");
    } catch (const Error& error) {
        CHECK(error.code() == Errc::settings_differ);
        const std::string text{error.message()};
        CHECK_THAT(text, ContainsSubstring("max_msgs_per_subject is 5, wanted 2"));
        CHECK_THAT(text, ContainsSubstring("max_age is 1h, wanted 2h"));
        CHECK_THAT(text, !ContainsSubstring("storage"));
    }
    CHECK(history() == 5);
    broker.kv<Flag>("flags", {.history = 2, .declare = js::Declare::reconcile});
    CHECK(history() == 2);
    CHECK(broker.jetstream().stream("KV_flags").info().config.max_age == 1h);

    broker.kv<Flag>("fresh", {.declare = js::Declare::verify});
    CHECK(broker.jetstream().stream("KV_fresh").info().config.max_msgs_per_subject == 1);
}

TEST_CASE_METHOD(JetStreamFixture, "a bucket opened before the start is declared by its first use") {
    auto flags = broker.kv<Flag>("flags", {.history = 3});
    CHECK(flags.try_put("a", {}).error().code() == Errc::closed);
    broker.start();
    CHECK(broker.jetstream().stream_names("$KV.>").empty());
    flags.put("a", {.on = true});
    CHECK(flags.status().history == 3);
}

TEST_CASE_METHOD(JetStreamFixture, "a bucket without direct gets is read from its leader") {
    const auto js = started();
    js.declare({.name = "KV_old",
                .subjects = {"$KV.old.>"},
                .max_msgs_per_subject = 2,
                .allow_direct = false,
                .allow_rollup = true});
    auto old = broker.kv<Flag>("old");
    const auto first = old.put("a", {.on = true, .note = "x"});
    old.put("a", {.on = false});
    CHECK(old.get("a")->value == Flag{});
    CHECK(old.get("a", first)->value == Flag{true, "x"});
    CHECK(old.get("a", first)->operation == kv::Operation::put);
    old.erase("a");
    CHECK_FALSE(old.get("a"));
    CHECK_FALSE(old.get("b"));
}

TEST_CASE_METHOD(JetStreamFixture, "values are put and got without waiting, many at a time") {
    broker.start();
    auto flags = broker.kv<Flag>("flags");
    std::vector<std::future<std::uint64_t>> revisions;
    for (int i = 0; i < 500; ++i)
        revisions.push_back(flags.put_async("key." + std::to_string(i % 100), {.note = std::to_string(i)}));
    std::set<std::uint64_t> seen;
    for (auto& revision : revisions) seen.insert(revision.get());
    CHECK(seen.size() == 500);
    std::vector<std::future<std::optional<kv::Entry<Flag>>>> entries;
    for (int i = 0; i < 100; ++i) entries.push_back(flags.get_async("key." + std::to_string(i)));
    for (int i = 0; i < 100; ++i)
        CHECK(entries[static_cast<std::size_t>(i)].get()->value.note == std::to_string(400 + i));
    CHECK_FALSE(flags.get_async("none").get());
    flags.erase("key.1");
    CHECK_FALSE(flags.get_async("key.1").get());
}

TEST_CASE_METHOD(JetStreamFixture,
                 "a function gets the result of an operation that does not wait, or why there is none") {
    const auto js = started();
    js.declare({.name = "KV_old", .subjects = {"$KV.old.>"}, .max_msgs_per_subject = 2, .allow_direct = false});
    auto old = broker.kv<std::string>("old");
    std::promise<Expected<std::uint64_t>> put;
    old.put_async("a", "x", [&](auto revision) { put.set_value(std::move(revision)); });
    CHECK(put.get_future().get() == 1U);
    std::promise<std::string> got;
    old.get_async("a", [&](const auto& entry) { got.set_value(entry.value()->value); });
    CHECK(got.get_future().get() == "x");
    CHECK_FALSE(old.get_async("b").get());

    std::optional<Error> bad;
    old.put_async("no spaces", "x", [&](const auto& revision) { bad = revision.error(); });
    CHECK(bad->code() == Errc::bad_subject);  // before put_async returned
    CHECK_THROWS_AS(old.get_async("no spaces").get(), Error);
    CHECK_THROWS_AS(broker.kv<Flag>("old").get_async("a").get(), Error);

    js.stream("KV_old").remove();
    CHECK_THROWS_AS(old.put_async("a", "y").get(), Error);
    CHECK(old.put_async("a", "y").get() == 1);  // the next one declares the bucket again
}

TEST_CASE_METHOD(JetStreamFixture, "a key lives as long as its TTL") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.limit_markers = 1h});
    values.create("short", "x", {.ttl = 1s});
    values.create("long", "x", {.ttl = 1h});
    CHECK(values.get("short"));
    CHECK(eventually([&] { return !values.get("short"); }));
    CHECK(values.get("long"));
    const auto history = values.history("short");
    REQUIRE_FALSE(history.empty());
    CHECK(history.back().operation == kv::Operation::purge);  // the limit marker
    values.create("short", "again", {.ttl = 1500ms});

    values.put("purged", "x");
    values.purge("purged", {.ttl = 1s});
    CHECK(values.history("purged").size() == 1);
    CHECK(eventually([&] { return values.history("purged").empty(); }));
}

TEST_CASE_METHOD(JetStreamFixture, "a TTL that cannot be is an error that says why") {
    broker.start();
    auto values = broker.kv<std::string>("texts");
    const auto refused = values.try_create("a", "x", {.ttl = 10s});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::bad_setup);
    CHECK_THAT(message_of(refused), ContainsSubstring("limit_markers"));
    CHECK_THAT(message_of(values.try_create("a", "x", {.ttl = 100ms})), ContainsSubstring("at least one second"));
    CHECK(values.try_purge("a", {.ttl = -1s}).error().code() == Errc::bad_setup);
}

TEST_CASE_METHOD(JetStreamFixture, "purge_deletes removes what was deleted, and keeps young markers") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.history = 5});
    for (const auto* key : {"a", "b", "c"}) {
        values.put(key, "1");
        values.put(key, "2");
    }
    values.erase("a");
    values.purge("b");
    CHECK(values.purge_deletes() == 2);  // the markers are younger than half an hour
    CHECK(texts(values.history("a")) == Texts{"erase a "});
    CHECK(texts(values.history("b")) == Texts{"purge b "});
    CHECK(values.history("c").size() == 2);

    CHECK(values.purge_deletes({.keep_markers = 0s}) == 2);
    CHECK(values.history("a").empty());
    CHECK(values.history("b").empty());
    CHECK(values.keys() == Texts{"c"});
    CHECK(values.purge_deletes() == 0);
}

TEST_CASE_METHOD(JetStreamFixture, "a mirror reads what its origin has, and writes to it") {
    broker.start();
    auto origin = broker.kv<std::string>("origin", {.history = 2});
    origin.put("a", "1");
    auto mirror = broker.kv<std::string>("copy", {.mirror = js::StreamSource{.name = "origin"}});
    CHECK(eventually([&] { return mirror.get("a").has_value(); }));
    mirror.put("b", "2");
    CHECK(origin.get("b")->value == "2");
    CHECK(eventually([&] { return mirror.get("b").has_value(); }));
    CHECK(mirror.get("b")->bucket == "copy");
    CHECK(mirror.keys({"*"}) == Texts{"a", "b"});
    CHECK(mirror.history("a").size() == 1);
}

TEST_CASE_METHOD(JetStreamFixture, "a bucket gathers the keys of its sources") {
    broker.start();
    auto eu = broker.kv<std::string>("eu");
    auto us = broker.kv<std::string>("us");
    eu.put("a", "eu");
    us.put("b", "us");
    auto all = broker.kv<std::string>("all", {.sources = {{.name = "eu"}, {.name = "us"}}});
    CHECK(eventually([&] { return all.keys().size() == 2; }));
    CHECK(all.get("a")->value == "eu");
    CHECK(all.get("b")->value == "us");
    all.put("c", "own");
    CHECK(all.get("c")->value == "own");
    CHECK_FALSE(eu.get("c"));
}

TEST_CASE_METHOD(JetStreamFixture, "a bucket publishes its entries once more, if told to") {
    std::atomic<int> seen = 0;
    broker.subscriber<"seen.{key}">().handle([&](std::string_view body, Path<"key"> key) {
        if (*key == "a" && body == "x") ++seen;
    });
    broker.start();
    auto values =
        broker.kv<std::string>("texts", {.republish = js::Republish{.source = "$KV.texts.>", .destination = "seen.>"}});
    values.put("a", "x");
    CHECK(eventually([&] { return seen == 1; }));
}

TEST_CASE_METHOD(JetStreamFixture, "a bucket of another domain is asked, written and watched there") {
    const auto store = (server.directory() / "hub").string();
    testing::NatsServer hub{{.config = "jetstream { domain: hub, store_dir: \"" + store + "\" }"}};
    Broker there{{.servers = {hub.url()}}};
    there.start();
    auto values = there.kv<std::string>("texts", {.history = 2, .context = {.domain = "hub"}});
    const auto first = values.put("a", "1");
    CHECK(values.update("a", "2", first) > first);
    CHECK(values.get("a")->value == "2");
    CHECK(values.history("a").size() == 2);
    CHECK(values.watch().initial().size() == 1);
    CHECK(there.kv<std::string>("texts").get("a")->value == "2");
    CHECK_THROWS(there.kv<std::string>("texts", {.context = {.domain = "other", .timeout = 500ms}}));
}

TEST_CASE_METHOD(JetStreamFixture, "buckets are named and removed") {
    broker.start();
    CHECK(kv::bucket_names(broker).empty());
    auto a = broker.kv<Flag>("a");
    broker.kv<Flag>("b");
    broker.jetstream().declare({.name = "OTHER", .subjects = {"other.>"}});
    const auto names = kv::bucket_names(broker);
    CHECK(std::set(names.begin(), names.end()) == std::set<std::string>{"a", "b"});
    a.remove();
    CHECK(kv::bucket_names(broker) == Texts{"b"});
    CHECK(a.try_remove().error().code() == Errc::stream_not_found);
}

TEST_CASE_METHOD(JetStreamFixture, "a bucket that was removed is declared again, or missing, as declared") {
    broker.start();
    auto values = broker.kv<std::string>("texts", {.history = 4});
    auto never = broker.kv<std::string>("texts", {.declare = js::Declare::never});
    values.put("a", "1");
    CHECK(never.get("a"));
    broker.jetstream().stream("KV_texts").remove();
    for (const auto& error : {never.try_get("a").error(), never.try_put("a", "2").error(), never.try_keys().error(),
                              never.try_status().error(), never.try_watch().error()}) {
        CHECK(error.code() == Errc::stream_not_found);
        CHECK_THAT(std::string{error.message()}, ContainsSubstring("bucket \"texts\" does not exist"));
    }
    CHECK_FALSE(values.get("a"));
    CHECK(values.status().history == 4);
    broker.jetstream().stream("KV_texts").remove();
    CHECK(values.put("a", "2") == 1);
}

TEST_CASE_METHOD(JetStreamFixture, "a bucket in an account without JetStream is an error that says so") {
    testing::NatsServer plain;
    Broker other{{.servers = {plain.url()}}};
    other.start();
    try {
        other.kv<Flag>("flags");
        FAIL("there is no JetStream");
    } catch (const Error& error) { CHECK(error.code() == Errc::no_jetstream); }
}
