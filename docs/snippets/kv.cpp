// SPDX-License-Identifier: Apache-2.0
// The code of docs/kv.md.
#include <atomic>
#include <chrono>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

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
namespace js = freshet::js;
namespace kv = freshet::kv;

// [flag]
struct Flag {
    bool on = false;
    int percent = 100;
};
FRESHET_JSON(Flag, on, percent);
// [flag]

namespace {

struct Fixture : snippets::WithStreams {
    std::atomic<int> applied = 0;

    void apply(const kv::Entry<Flag>&) { ++applied; }
    void forget(const std::string&) { ++applied; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "values") {
    broker.start();
    // [open]
    auto flags = broker.kv<Flag>("flags", {.history = 5});
    // [open]
    int percent = 0;
    // [values]
    flags.put("ui.dark-mode", {.on = true, .percent = 50});
    if (auto entry = flags.get("ui.dark-mode")) percent = entry->value.percent;  // nothing: no such key

    flags.create("ui.wide", {.on = true});  // Errc::already_exists where there is a value
    flags.erase("ui.wide");                 // leaves a marker, and the history
    flags.purge("ui.wide");                 // leaves a marker only
    // [values]
    CHECK(percent == 50);

    // [async]
    std::vector<freshet::Future<std::uint64_t>> revisions;
    for (int user = 0; user < 1'000; ++user)
        revisions.push_back(flags.put_async("user." + std::to_string(user), {.on = true}));
    for (auto& revision : revisions) revision.get();  // throws what put() would
    flags.get_async("user.7", [](const auto& entry) {
        if (!entry) std::cerr << entry.error().what() << '\n';
    });
    // [async]

    // [update]
    for (bool done = false; !done;) {
        auto entry = flags.get("ui.dark-mode");
        ++entry->value.percent;
        done = flags.try_update("ui.dark-mode", entry->value, entry->revision).has_value();
    }
    // [update]
    CHECK(flags.get("ui.dark-mode")->value.percent == 51);

    // [read]
    std::vector<std::string> keys = flags.keys({"ui.*"});
    std::vector<kv::Entry<Flag>> values = flags.entries({"ui.>"});
    std::vector<kv::Entry<Flag>> history = flags.history("ui.dark-mode");  // the oldest first
    auto before = flags.get("ui.dark-mode", history.front().revision);
    flags.purge_deletes();  // markers of more than half an hour ago, and what was before the others
    // [read]
    CHECK(keys.size() == 1);
    CHECK(values.size() == 1);
    CHECK(history.size() == 2);
    CHECK(before->value.percent == 50);
}

TEST_CASE_METHOD(Fixture, "texts and errors") {
    broker.start();
    auto texts = broker.kv<std::string>("texts");
    texts.put("a", "1");
    CHECK(message_of([&] { texts.update("a", "2", 7); }) == shown(R"(
// [wrong-revision]
update key "a" in bucket "texts": wrong last sequence: 1 (JetStream error 10071); another writer was faster; read again and retry
// [wrong-revision]
)"));
    CHECK(message_of([&] { texts.put("no spaces", "x"); }) == shown(R"(
// [bad-key]
key "no spaces" has a character that is none of letters, digits and -/_=.
// [bad-key]
)"));
}

TEST_CASE_METHOD(Fixture, "time to live") {
    broker.start();
    Flag flag;
    // [ttl]
    auto sessions = broker.kv<Flag>("sessions", {.ttl = 24h, .limit_markers = 1h});
    sessions.create("s1", flag, {.ttl = 30s});
    sessions.purge("s1", {.ttl = 60s});
    // [ttl]
    CHECK(sessions.status().ttl == 24h);
    // [codecs]
    auto names = broker.kv<std::string>("names", {.key_codec = kv::base64_keys()});
    names.put("Acme Inc.contact", "info@acme.com");
    auto of_acme = names.keys({"Acme Inc.*"});
    // [codecs]
    CHECK(of_acme == std::vector<std::string>{"Acme Inc.contact"});
}

TEST_CASE_METHOD(Fixture, "watch in a service") {
    auto other = freshet::Broker{{.servers = {server.url()}}};
    other.start();
    // [watch]
    broker.subscriber<"ui.{name}">(kv::Watch{.bucket = "flags"})
        .handle([&](const kv::Entry<Flag>& entry, freshet::Path<"name", std::string> name) {
            if (entry.operation == kv::Operation::put) apply(entry);
            else forget(*name);
        });
    // [watch]
    std::atomic<int> percents = 0;
    const auto set_percent = [&](auto, int percent) { percents += percent; };
    // [watch-values]
    broker.subscriber<"ui.{name}">(kv::Watch{.bucket = "flags"})
        .handle([&](const Flag& flag, freshet::Path<"name"> name) { set_percent(*name, flag.percent); });
    // [watch-values]
    broker.start();
    auto flags = other.kv<Flag>("flags");
    flags.put("ui.dark-mode", {});
    flags.erase("ui.dark-mode");
    CHECK(eventually([&] { return applied == 2 && percents == 100; }));
}

TEST_CASE_METHOD(Fixture, "answers only with flags that are known") {
    auto other = freshet::Broker{{.servers = {server.url()}}};
    other.start();
    other.kv<Flag>("flags").put("ui.dark-mode", {.on = true});
    // [known]
    class Flags {
    public:
        void apply(const kv::Entry<Flag>& entry) {
            const std::lock_guard lock{mutex_};
            if (entry.operation == kv::Operation::put) known_[entry.key] = entry.value;
            else known_.erase(entry.key);
        }
        void complete() { complete_ = true; }

        freshet::Expected<Flag> find(const std::string& key) const {
            if (!complete_) return std::unexpected{freshet::RemoteError{503, "the flags are not read yet: ask again"}};
            const std::lock_guard lock{mutex_};
            const auto found = known_.find(key);
            if (found == known_.end()) return std::unexpected{freshet::RemoteError{404, "no flag " + key}};
            return found->second;
        }

    private:
        mutable std::mutex mutex_;
        std::map<std::string, Flag> known_;
        std::atomic<bool> complete_ = false;
    };

    Flags flags;
    broker.subscriber<">">(kv::Watch{.bucket = "flags", .caught_up = [&] { flags.complete(); }})
        .handle([&](const kv::Entry<Flag>& entry) { flags.apply(entry); });
    broker.subscriber<"flag.{name}">().handle(
        [&](freshet::Path<"name", std::string> name) { return flags.find("ui." + *name); });
    // [known]
    CHECK(flags.find("ui.dark-mode").error().remote_code() == 503);
    broker.start();
    CHECK(eventually([&] { return other.try_request<Flag>("flag.dark-mode", "").has_value(); }));
    CHECK(other.request<Flag>("flag.dark-mode", "").on);
    CHECK(other.try_request<Flag>("flag.wide", "").error().remote_code() == 404);
}

TEST_CASE_METHOD(Fixture, "a watch and a bucket with the same options") {
    // [shared]
    const kv::Options flag_options{.history = 5, .ttl = 24h};

    auto flags = broker.kv<Flag>("flags", flag_options);
    broker.subscriber<"ui.{name}">(kv::Watch{.bucket = "flags", .options = flag_options})
        .handle([&](const kv::Entry<Flag>& entry) { apply(entry); });
    // [shared]
    broker.start();
    flags.put("ui.dark-mode", {});
    CHECK(eventually([&] { return applied == 1; }));
    CHECK(flags.status().history == 5);
}

TEST_CASE_METHOD(Fixture, "watch in a program") {
    broker.start();
    auto flags = broker.kv<Flag>("flags");
    flags.put("ui.dark-mode", {});
    flags.put("ui.wide", {});
    const auto write = [&] { flags.put("ui.wide", {}); };
    // [watcher]
    auto watcher = flags.watch({"ui.>"});
    for (const auto& entry : watcher.initial()) apply(entry);  // what there is
    write();
    while (auto entry = watcher.next(1s)) apply(*entry);  // each change, until a second passes without one
    // [watcher]
    CHECK(applied == 3);
}
