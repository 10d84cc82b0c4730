// SPDX-License-Identifier: Apache-2.0 Objects whose names, descriptions or places are not as one would wish: broken
// renames, bytes that are no text, lies, other accounts.
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "jetstream/store/digest.hpp"
#include "jetstream/store/object_json.hpp"

#include "../../support/jetstream.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using testing::JetStreamFixture;

namespace {

struct ObjectFixture : JetStreamFixture {
    obj::Store files = open();

    obj::Store open() {
        broker.start();
        return broker.object_store("files", {.storage = js::Storage::memory});
    }
    /// Stores a description under a name, as another client does.
    void describe(std::string_view name, std::string_view text) {
        broker.jetstream().publish("$O.files.M." + detail::base64url(as_bytes(name)), text,
                                   {.headers = {{"Nats-Rollup", "sub"}}});
    }
    std::vector<std::string> names() {
        std::vector<std::string> names;
        for (const auto& info : files.list()) names.push_back(info.name);
        return names;
    }
    std::uint64_t chunks() {
        return broker.jetstream().stream("OBJ_files").info({.subjects = "$O.files.C.>"}).state.subjects.size();
    }
};

using Names = std::vector<std::string>;
const std::string bytes(300'000, 'b');

}  // namespace

TEST_CASE_METHOD(ObjectFixture,
                 "a rename that was broken off leaves no name that takes the bytes away from the other") {
    auto info = files.put("old", bytes);
    info.name = "new";
    describe("new", detail::write_object_info(info));
    SECTION("erase the old one") { files.erase("old"); }
    SECTION("put the old one") { files.put("old", "other"); }
    SECTION("make the old one a link") {
        files.erase("old");
        files.link("old", *files.info("new"));
        CHECK(files.get("old") == bytes);
    }
    SECTION("rename once more") { files.update("old", {.name = "new"}); }
    CHECK(files.get("new") == bytes);
    files.erase("new");
    files.try_erase("old");
    CHECK(chunks() == 0);
}

TEST_CASE_METHOD(ObjectFixture, "the new name of a broken rename goes, and the old one has its bytes") {
    auto info = files.put("old", bytes);
    info.name = "new";
    describe("new", detail::write_object_info(info));
    files.erase("new");
    CHECK(files.get("old") == bytes);
    files.erase("old");
    CHECK(chunks() == 0);
}

TEST_CASE_METHOD(ObjectFixture, "what a description cannot hold is refused at the first call") {
    const std::string bad = "caf\xe9";
    CHECK(files.try_put(bad, "x").error() == Errc::bad_setup);
    CHECK(files.try_put("a", "x", {.description = bad}).error() == Errc::bad_setup);
    CHECK(files.try_put("a", "x", {.metadata = {{"k", bad}}}).error() == Errc::bad_setup);
    CHECK(files.try_put("a", "x", {.headers = {{"k", bad}}}).error() == Errc::bad_setup);
    CHECK(files.list().empty());
    const auto a = files.put("a", "x");
    CHECK(files.try_update("a", {.name = bad}).error() == Errc::bad_setup);
    CHECK(files.try_update("a", {.description = bad}).error() == Errc::bad_setup);
    CHECK(files.try_link(bad, a).error() == Errc::bad_setup);
    CHECK(names() == Names{"a"});
    CHECK(chunks() == 1);
}

TEST_CASE_METHOD(ObjectFixture,
                 "an object whose name another client wrote in other bytes is reached by what list says") {
    auto info = files.put("x", bytes);
    info.name = "caf\xef\xbf\xbd";  // what Go writes for bytes that are not UTF-8
    describe("caf\xe9", detail::write_object_info(info));
    broker.jetstream().stream("OBJ_files").purge({.subject = "$O.files.M." + detail::base64url(as_bytes("x"))});
    auto watcher = files.watch();
    const auto seen = watcher.initial();
    REQUIRE(seen.size() == 1);
    CHECK(seen.at(0).name == "caf\xe9");
    REQUIRE(names() == Names{"caf\xe9"});
    const auto name = names().at(0);
    CHECK(files.info(name)->name == name);
    CHECK(files.get(name) == bytes);
    SECTION("erase") {
        files.erase(name);
        CHECK(names().empty());
        CHECK(chunks() == 0);
    }
    SECTION("update and rename") {
        files.update(name, {.description = "changed"});
        REQUIRE(names() == Names{name});
        files.update(name, {.name = "café"});
        CHECK(names() == Names{"café"});
        CHECK(files.get("café") == bytes);
    }
}

TEST_CASE_METHOD(ObjectFixture, "numbers of a description are not believed") {
    auto info = files.put("a", bytes);
    SECTION("its size") {
        info.size = std::uint64_t{1} << 63;
        describe("a", detail::write_object_info(info));
        CHECK(files.try_get("a").error() == Errc::payload_too_large);
        CHECK(files.try_get("a", {.max_in_memory = UINT64_MAX}).error() == Errc::bad_payload);
    }
    SECTION("its chunks") {
        info.chunks = std::uint64_t{1} << 63;
        info.chunk_size = 1;
        describe("a", detail::write_object_info(info));
        CHECK(files.get("a") == bytes);
    }
    SECTION("more bytes than it says") {
        info.size = 10;
        info.digest.clear();
        describe("a", detail::write_object_info(info));
        CHECK(files.try_get("a", {.max_in_memory = 1'000}).error() == Errc::payload_too_large);
    }
    CHECK(files.try_get("a", {.max_in_memory = 10}).error().code() != std::error_code{});
}

TEST_CASE_METHOD(ObjectFixture, "an object whose chunks are said to be everybody's takes none away") {
    auto info = files.put("a", bytes);
    info.id = ">";
    info.name = "b";
    describe("b", detail::write_object_info(info));
    CHECK(files.try_get("b").error() == Errc::bad_payload);
    files.erase("b");
    CHECK(names() == Names{"a"});
    CHECK(files.get("a") == bytes);
}

TEST_CASE_METHOD(ObjectFixture, "what cannot be read stands beside what can") {
    files.put("a", "x");
    describe("broken", "no description");
    files.put("b", "y");
    const auto list = files.list();
    CHECK(names() == Names{"a", "b"});
    REQUIRE(list.errors.size() == 1);
    CHECK(list.errors.at(0) == Errc::bad_payload);
    auto watcher = files.watch();
    CHECK(watcher.initial().size() == 2);
    files.put("broken", "z");  // mended
    CHECK(files.list().errors.empty());

    const auto texts = broker.kv<std::string>("values", {.history = 5, .storage = js::Storage::memory});
    const auto numbers = broker.kv<int>("values");
    numbers.put("one", 1);
    texts.put("bad", "no number");
    numbers.put("two", 2);
    const auto entries = numbers.entries();
    REQUIRE(entries.size() == 2);
    CHECK(entries.at(1).value == 2);
    REQUIRE(entries.errors.size() == 1);
    CHECK_THAT(entries.errors.at(0).what(), ContainsSubstring("\"bad\""));
    auto watch = numbers.watch();
    const auto initial = watch.initial();
    CHECK(initial.size() == 2);
    CHECK(initial.errors.size() == 1);
    numbers.put("bad", 3);
    CHECK(watch.next()->value == 3);
    const auto history = numbers.history("bad");
    CHECK(history.size() == 1);
    CHECK(history.errors.size() == 1);
}

TEST_CASE_METHOD(JetStreamFixture, "what is read of a bucket at once is bounded in bytes") {
    std::atomic<int> lost = 0;
    Broker reader{{.servers = {server.url()}, .on_event = [&](const ConnectionEvent& event) {
                       if (event.kind == ConnectionEvent::Kind::disconnected) ++lost;
                   }}};
    reader.start();
    const auto files = reader.object_store("files", {.storage = js::Storage::memory});
    const auto values = reader.kv<std::string>("large", {.history = 10, .storage = js::Storage::memory});
    for (int i = 0; i < 40; ++i)
        values.put("k." + std::to_string(i % 4), std::string(900'000, static_cast<char>('a' + i % 20)));
    CHECK(values.history("k.>").size() == 40);
    CHECK(values.entries().size() == 4);
    files.put("small chunks", bytes, {.chunk_size = 100'000});
    CHECK(files.get("small chunks", {.window = 1}) == bytes);
    CHECK(lost == 0);
}

TEST_CASE("objects of another account are written there, not into a bucket of the same name here") {
    testing::NatsServer server{{.config = R"(
accounts {
  THERE { jetstream: enabled, users: [{user: there, password: p}], exports: [{service: "$JS.API.>", response: stream}, {service: "$O.>"}] }
  HERE { jetstream: enabled, users: [{user: here, password: p}], imports: [
    {service: {account: THERE, subject: "$JS.API.INFO"}, to: "there.API.INFO"},
    {service: {account: THERE, subject: "$JS.API.STREAM.>"}, to: "there.API.STREAM.>"},
    {service: {account: THERE, subject: "$JS.API.DIRECT.>"}, to: "there.API.DIRECT.>"},
    {service: {account: THERE, subject: "$JS.API.CONSUMER.>"}, to: "there.API.CONSUMER.>"},
    {service: {account: THERE, subject: "$O.>"}, to: "there.API.$O.>"}] }
})",
                                .jetstream = true}};
    Broker here{{.servers = {server.url("here", "p")}}};
    Broker there{{.servers = {server.url("there", "p")}}};
    here.start();
    there.start();
    const auto own = here.object_store("files", {.storage = js::Storage::memory});
    const auto others = there.object_store("files", {.storage = js::Storage::memory});
    const auto reached =
        here.object_store("files", {.declare = js::Declare::never, .context = {.prefix = "there.API"}});
    reached.put("a", "hello");
    CHECK(own.list().empty());
    CHECK(others.get("a") == "hello");
    reached.update("a", {.name = "b"});
    CHECK(others.get("b") == "hello");
    CHECK(reached.info("b")->size == 5);
}

TEST_CASE_METHOD(JetStreamFixture, "objects of the domain that the connection is in are written as they are") {
    const auto store = (server.directory() / "hub").string();
    testing::NatsServer hub{{.config = "jetstream { domain: hub, store_dir: \"" + store + "\" }"}};
    Broker there{{.servers = {hub.url()}}};
    there.start();
    const auto files = there.object_store("files", {.storage = js::Storage::memory, .context = {.domain = "hub"}});
    files.put("a", bytes);
    CHECK(files.get("a") == bytes);
}
