// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

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

namespace {

struct ObjectFixture : JetStreamFixture {
    obj::Store files = open();

    obj::Store open() {
        broker.start();
        return broker.object_store("files", {.storage = js::Storage::memory});
    }
    /// Messages that hold bytes of objects.
    std::uint64_t chunks() {
        return broker.jetstream().stream("OBJ_files").info({.subjects = "$O.files.C.>"}).state.subjects.size();
    }
    std::filesystem::path path(const std::string& name) { return server.directory() / name; }
};

std::string random_bytes(std::size_t size) {
    std::mt19937 random{42};
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

template <class T>
std::string message_of(const Expected<T>& result) {
    return result ? "" : std::string{result.error().message()};
}

}  // namespace

TEST_CASE_METHOD(ObjectFixture, "an object of any size is put and got") {
    const auto size = GENERATE(std::size_t{0}, 1u, 999u, 1'000u, 1'001u, 10'000u, 300'007u);
    CAPTURE(size);
    const auto bytes = random_bytes(size);
    const auto put = files.put("a file/with any näme?", bytes, {.chunk_size = 1'000});
    CHECK(put.size == size);
    CHECK(put.chunks == (size + 999) / 1'000);
    CHECK(put.bucket == "files");
    CHECK(put.id.size() == 22);
    CHECK(put.digest.starts_with("SHA-256="));
    CHECK(files.get("a file/with any näme?") == bytes);
    const auto info = files.info("a file/with any näme?");
    REQUIRE(info);
    CHECK(info->size == put.size);
    CHECK(info->chunks == put.chunks);
    CHECK(info->digest == put.digest);
    CHECK(info->id == put.id);
    CHECK(info->chunk_size == 1'000);
    CHECK(std::chrono::abs(info->modified - put.modified) < 60s);
}

TEST_CASE_METHOD(ObjectFixture, "an object has what was said of it") {
    const auto put = files.put("report", "text",
                               {.description = "monthly",
                                .headers = {{"Content-Type", "text/plain"}, {"Tag", "a"}},
                                .metadata = {{"owner", "me"}}});
    const auto info = files.info("report");
    REQUIRE(info);
    CHECK(info->description == "monthly");
    CHECK(info->headers.get("Content-Type") == "text/plain");
    CHECK(info->metadata.at("owner") == "me");
    CHECK_FALSE(info->link);
    CHECK_FALSE(info->deleted);
}

TEST_CASE_METHOD(ObjectFixture, "streams, files and callbacks") {
    const auto bytes = random_bytes(1'000'000);
    std::istringstream in{bytes};
    files.put("stream", in);
    std::ostringstream out;
    CHECK(files.get("stream", out).size == bytes.size());
    CHECK(out.str() == bytes);

    std::ofstream{path("in"), std::ios::binary} << bytes;
    files.put_file("file", path("in"));
    std::ofstream{path("out"), std::ios::binary} << "what was there";
    files.get_file("file", path("out"));
    CHECK(read_file(path("out")) == bytes);

    std::size_t at = 0;
    files.put("callback", [&](std::span<std::byte> chunk) {
        const auto size = std::min<std::size_t>({chunk.size(), 777, bytes.size() - at});
        std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()) + at, size, chunk.data());
        at += size;
        return size;
    });
    std::string got;
    files.get("callback", [&](Bytes more) { got.append(as_text(more)); });
    CHECK(got == bytes);

    const auto text = files.get("stream");
    CHECK(text == bytes);
    files.put("vector", Bytes{std::as_bytes(std::span{bytes})});
    CHECK(files.get("vector") == bytes);
}

TEST_CASE_METHOD(ObjectFixture, "progress is told after each chunk") {
    std::vector<std::uint64_t> put;
    const auto bytes = random_bytes(2'500);
    const auto note = [](std::vector<std::uint64_t>& seen) {
        return [&seen](const obj::Progress& progress) {
            CHECK(progress.total == 2'500);
            seen.push_back(progress.bytes);
        };
    };
    files.put("a", bytes, {.chunk_size = 1'000, .progress = note(put)});
    CHECK(put == std::vector<std::uint64_t>{1'000, 2'000, 2'500});
    std::vector<std::uint64_t> got;
    files.get("a", {.progress = note(got)});
    CHECK(got == put);
    std::istringstream in{bytes};
    files.put("b", in, {.progress = [](const obj::Progress& progress) { CHECK_FALSE(progress.total); }});
}

TEST_CASE_METHOD(ObjectFixture, "what is not there is not found") {
    const auto missing = files.try_get("none");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code() == Condition::not_found);
    CHECK_THAT(message_of(missing), ContainsSubstring("get object \"none\" in object store \"files\""));
    CHECK_FALSE(files.info("none"));
    CHECK(files.try_erase("none").error().code() == Condition::not_found);
    CHECK(files.try_update("none", {}).error().code() == Condition::not_found);
    CHECK(files.list().empty());
    CHECK_FALSE(std::filesystem::exists(path("out")));
    CHECK_FALSE(files.try_get_file("none", path("out")));
    CHECK_FALSE(std::filesystem::exists(path("out")));
    const auto unreadable = files.try_put_file("x", path("nothing"));
    REQUIRE_FALSE(unreadable);
    CHECK(unreadable.error().code() == std::errc::no_such_file_or_directory);
}

TEST_CASE_METHOD(ObjectFixture, "a put takes the place of the object before, whose chunks go") {
    files.put("a", random_bytes(5'000), {.chunk_size = 1'000});
    const auto second = files.put("a", "short");
    CHECK(files.get("a") == "short");
    CHECK(chunks() == 1);
    CHECK(files.info("a")->id == second.id);
}

TEST_CASE_METHOD(ObjectFixture, "writers of the same name leave one object and no other chunks") {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 5; ++i)
                files.put("a", std::string(3'000, static_cast<char>('a' + thread)), {.chunk_size = 1'000});
        });
    }
    for (auto& thread : threads) thread.join();
    const auto text = files.get("a");
    CHECK(text.size() == 3'000);
    CHECK(text.find_first_not_of(text.front()) == std::string::npos);
    CHECK(chunks() == 1);
}

TEST_CASE_METHOD(ObjectFixture, "a put that fails leaves what was there, and no chunks") {
    const bool existed = GENERATE(true, false);
    if (existed) files.put("a", "before");
    int calls = 0;
    const auto reader = [&](std::span<std::byte> chunk) -> std::size_t {
        if (++calls == 4) throw std::runtime_error{"the disk is gone"};
        std::ranges::fill(chunk, std::byte{1});
        return chunk.size();
    };
    CHECK_THROWS_WITH(files.put("a", reader, {.chunk_size = 1'000}), "the disk is gone");
    calls = 0;
    CHECK(message_of(files.try_put("a", reader, {.chunk_size = 1'000})) == "the disk is gone");
    CHECK_THROWS_AS(files.put("a", std::string(9'000, 'x'),
                              {.chunk_size = 1'000,
                               .progress =
                                   [](const obj::Progress& progress) {
                                       if (progress.bytes == 3'000) throw std::runtime_error{"cancelled"};
                                   }}),
                    std::runtime_error);
    CHECK(files.info("a").has_value() == existed);
    if (existed) CHECK(files.get("a") == "before");
    CHECK(chunks() == (existed ? 1 : 0));
    CHECK(files.list().size() == (existed ? 1 : 0));
}

TEST_CASE_METHOD(ObjectFixture, "a description that the server stores late takes nothing away") {
    files.put("a", "before");
    auto hasty = broker.object_store("files", {.context = {.timeout = 400ms}});
    const auto away = GENERATE(600ms, 2'000ms);
    CAPTURE(away.count());
    std::thread slow;
    bool has_read = false;
    const auto put = hasty.try_put("a",
                                   [&](std::span<std::byte> chunk) -> std::size_t {
                                       if (!std::exchange(has_read, true)) {
                                           chunk[0] = std::byte{'n'};
                                           return 1;
                                       }
                                       REQUIRE(eventually([&] { return chunks() == 2; }));  // it is acknowledged
                                       server.pause();
                                       slow = std::thread{[&] {
                                           std::this_thread::sleep_for(away);
                                           server.resume();
                                       }};
                                       return 0;
                                   },
                                   {.chunk_size = 1});
    slow.join();
    if (away > 1s) CHECK_FALSE(put);  // the shorter time may be too long, too, where a machine is slow
    if (!put) CHECK_THAT(message_of(put), ContainsSubstring("it is not known whether it was stored"));
    CHECK(eventually([&] { return files.get("a") == "n"; }));
    CHECK(chunks() == (put ? 1 : 2));
}

TEST_CASE_METHOD(ObjectFixture, "a put into a full bucket fails, and leaves nothing behind") {
    auto small = broker.object_store("small", {.max_bytes = 10'000, .storage = js::Storage::memory});
    small.put("a", std::string(3'000, 'a'), {.chunk_size = 1'000});
    const auto put = small.try_put("b", std::string(50'000, 'b'), {.chunk_size = 1'000});
    REQUIRE_FALSE(put);
    CHECK_THAT(message_of(put), ContainsSubstring("put object \"b\" in object store \"small\""));
    CHECK_FALSE(small.info("b"));
    const auto state = broker.jetstream().stream("OBJ_small").info().state;
    CHECK(state.messages == 4);
    CHECK(small.get("a") == std::string(3'000, 'a'));
}

TEST_CASE_METHOD(ObjectFixture, "a get that fails leaves the file as it was") {
    files.put("a", random_bytes(5'000), {.chunk_size = 1'000});
    std::ofstream{path("out")} << "what was there";
    const auto cancelled = files.try_get_file("a", path("out"), {.progress = [](const obj::Progress& progress) {
                                                  if (progress.bytes == 2'000) throw std::runtime_error{"cancelled"};
                                              }});
    CHECK(message_of(cancelled) == "cancelled");
    CHECK(read_file(path("out")) == "what was there");
    for (const auto& entry : std::filesystem::directory_iterator{server.directory()})
        CHECK_FALSE(entry.path().string().ends_with(".part"));
    CHECK(files.try_get_file("a", "/nowhere/out").error().code() == std::errc::no_such_file_or_directory);
}

TEST_CASE_METHOD(ObjectFixture, "bytes that are not those that were put are an error") {
    const auto info = files.put("a", std::string(3'000, 'x'), {.chunk_size = 1'000});
    const auto stream = broker.jetstream().stream("OBJ_files");
    SECTION("one is missing") {
        stream.delete_message(2);
        CHECK_THAT(message_of(files.try_get("a")), ContainsSubstring("2000 of its 3000 bytes are there"));
    }
    SECTION("one is another") {
        stream.delete_message(3);
        broker.jetstream().publish("$O.files.C." + info.id, std::string(1'000, 'y'));
        CHECK_THAT(message_of(files.try_get("a")), ContainsSubstring("digest"));
    }
    CHECK(files.try_get("a").error().code() == Errc::bad_payload);
}

namespace {

constexpr std::size_t large = 48 << 20;
constexpr std::size_t small_window = 1 << 20;
// Buffers of the connection and of the heap, besides the window. Sanitizers keep what was freed, and more.
#ifdef __has_feature
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
constexpr std::size_t slack = (sanitized ? 4'096UL : 12UL) << 20;

/// Bytes of this process that are in memory.
std::size_t resident() {
    std::size_t size = 0;
    std::size_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> size >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// A large object that is nowhere as a whole: each byte tells where it is.
class Pattern {
public:
    std::size_t fill(std::span<std::byte> chunk) {
        const auto size = std::min(chunk.size(), large - at_);
        for (auto& byte : chunk.first(size)) byte = next();
        return size;
    }
    bool matches(Bytes chunk) {
        return std::ranges::all_of(chunk, [this](std::byte byte) { return byte == next(); });
    }
    std::size_t at() const { return at_; }

private:
    std::byte next() {
        const auto at = at_++;
        return static_cast<std::byte>(at ^ (at >> 8) ^ (at >> 16));
    }
    std::atomic<std::size_t> at_ = 0;
};

}  // namespace

TEST_CASE_METHOD(ObjectFixture, "a slow reader gets everything, and memory holds no more than the window") {
    Pattern put;
    files.put("a", [&](std::span<std::byte> chunk) { return put.fill(chunk); });
    const auto before = resident();
    Pattern got;
    std::size_t most = 0;
    bool same = true;
    files.get("a",
              [&](Bytes chunk) {
                  const bool pauses = got.at() == 0 || got.at() == large / 2;
                  if (pauses) std::this_thread::sleep_for(700ms);  // long enough for all of it to come
                  if (pauses) most = std::max(most, resident());
                  same = same && got.matches(chunk);
              },
              {.window = small_window});
    CHECK(same);
    CHECK(got.at() == large);
    REQUIRE(most != 0);
    CHECK(most < before + small_window + slack);
}

TEST_CASE_METHOD(ObjectFixture, "a put to a slow server reads no further than the window") {
    Pattern pattern;
    std::size_t read_meanwhile = 0;
    std::size_t most = 0;
    const auto before = resident();
    std::thread slow;
    const auto reader = [&](std::span<std::byte> chunk) {
        if (pattern.at() == large / 2) {
            server.pause();
            slow = std::thread{[&] {
                std::this_thread::sleep_for(700ms);
                read_meanwhile = pattern.at() - large / 2;
                most = resident();
                server.resume();
            }};
        }
        return pattern.fill(chunk);
    };
    const auto info = files.put("a", reader, {.window = small_window});
    slow.join();
    CHECK(info.size == large);
    CHECK(read_meanwhile <= small_window + info.chunk_size);
    CHECK(most < before + small_window + slack);
    Pattern got;
    bool same = true;
    files.get("a", [&](Bytes chunk) { same = same && got.matches(chunk); });
    CHECK(same);
    CHECK(got.at() == large);
}

TEST_CASE_METHOD(ObjectFixture, "a get goes on after the connection was lost") {
    auto kept = broker.object_store("kept");  // on disk
    const auto bytes = random_bytes(8'000'000);
    kept.put("a", bytes);
    std::string got;
    bool restarted = false;
    kept.get("a",
             [&](Bytes more) {
                 got.append(as_text(more));
                 if (restarted) return;
                 restarted = true;
                 server.restart();
             },
             {.window = 1 << 20});
    CHECK(got == bytes);
}

TEST_CASE_METHOD(ObjectFixture, "an object is deleted") {
    files.put("a", random_bytes(3'000), {.chunk_size = 1'000});
    files.put("b", "b");
    files.erase("a");
    files.erase("a");  // no error
    CHECK_FALSE(files.info("a"));
    CHECK(files.try_get("a").error().code() == Condition::not_found);
    CHECK(chunks() == 1);
    REQUIRE(files.list().size() == 1);
    CHECK(files.list().front().name == "b");
    const auto all = files.list({.include_deleted = true});
    REQUIRE(all.size() == 2);
    CHECK(std::ranges::count_if(all, [](const obj::Info& info) { return info.deleted && info.name == "a"; }) == 1);
    files.put("a", "again");
    CHECK(files.get("a") == "again");
}

TEST_CASE_METHOD(ObjectFixture, "a description is updated, and an object renamed") {
    files.put("a", "bytes", {.description = "old"});
    files.put("taken", "x");
    files.update("a", {.description = "new", .headers = {{"k", "v"}}, .metadata = {{"m", "n"}}});
    auto info = files.info("a");
    REQUIRE(info);
    CHECK(info->description == "new");
    CHECK(info->headers.get("k") == "v");
    CHECK(info->metadata.at("m") == "n");
    CHECK(files.get("a") == "bytes");

    CHECK(files.try_update("a", {.name = "taken"}).error().code() == Condition::already_exists);
    CHECK(files.update("a", {.name = "b"}).name == "b");
    CHECK_FALSE(files.info("a"));
    CHECK(files.get("b") == "bytes");
    CHECK(files.list().size() == 2);
}

TEST_CASE_METHOD(ObjectFixture, "links") {
    const auto target = files.put("a", "bytes");
    auto others = broker.object_store("others");
    const auto other = others.put("x", "other bytes");

    CHECK(files.link("to-a", target).link == obj::Link{"files", "a"});
    CHECK(files.get("to-a") == "bytes");
    files.link("to-x", other);
    CHECK(files.get("to-x") == "other bytes");
    CHECK(files.info("to-x")->link == obj::Link{"others", "x"});
    files.link_bucket("to-others", "others");
    CHECK(files.info("to-others")->link == obj::Link{"others", ""});
    CHECK_THAT(message_of(files.try_get("to-others")), ContainsSubstring("a link to the object store \"others\""));

    files.link("to-a", other);  // a link may become another
    CHECK(files.get("to-a") == "other bytes");
    CHECK(files.try_link("a", other).error().code() == Condition::already_exists);
    CHECK(files.try_link("b", *files.info("to-a")).error().code() == Errc::bad_setup);
    CHECK(files.try_link("b", obj::Info{.bucket = "files", .name = "a", .deleted = true}).error().code() ==
          Errc::bad_setup);
    files.erase("to-a");
    CHECK_FALSE(files.info("to-a"));
    CHECK(others.get("x") == "other bytes");
    CHECK(files.list().size() == 3);
}

TEST_CASE_METHOD(ObjectFixture, "bad names and options are refused") {
    CHECK(files.try_put("", "x").error().code() == Errc::bad_setup);
    CHECK(files.try_get("").error().code() == Errc::bad_setup);
    CHECK_THAT(message_of(files.try_put("a", "x", {.chunk_size = 2 << 20})), ContainsSubstring("1048576"));
    CHECK_THROWS_WITH(broker.object_store("a b"), ContainsSubstring("object store \"a b\""));
    CHECK(files.try_link_bucket("x", "a b").error().code() == Errc::bad_setup);
}

TEST_CASE("a server that takes small messages only gets smaller chunks") {
    testing::NatsServer server{{.config = "max_payload: 1024", .jetstream = true}};
    Broker broker{{.servers = {server.url()}}};
    broker.start();
    auto files = broker.object_store("files");
    const std::string bytes(10'000, 'x');
    CHECK(files.put("a", bytes).chunk_size == 512);
    CHECK(files.get("a") == bytes);
}

TEST_CASE_METHOD(ObjectFixture, "a bucket has the settings it was declared with, and a status") {
    auto store = broker.object_store("store", {.description = "of mine",
                                               .ttl = 1h,
                                               .max_bytes = 1 << 20,
                                               .compression = js::Compression::s2,
                                               .metadata = {{"owner", "me"}}});
    store.put("a", "bytes");
    const auto status = store.status();
    CHECK(status.bucket == "store");
    CHECK(status.description == "of mine");
    CHECK(status.ttl == 1h);
    CHECK(status.storage == js::Storage::file);
    CHECK(status.replicas == 1);
    CHECK(status.compressed);
    CHECK_FALSE(status.sealed);
    CHECK(status.bytes > 5);
    CHECK(status.metadata.at("owner") == "me");
    const auto& config = status.stream.config;
    CHECK(config.subjects == std::vector<std::string>{"$O.store.C.>", "$O.store.M.>"});
    CHECK(config.discard == js::Discard::incoming);
    CHECK(config.allow_rollup == true);
    CHECK(config.allow_direct == true);

    broker.object_store("store", {.ttl = 1h, .declare = js::Declare::verify});
    CHECK_THROWS_WITH(broker.object_store("store", {.ttl = 2h, .declare = js::Declare::verify}),
                      ContainsSubstring("max_age is 1h, wanted 2h"));
    broker.object_store("store", {.ttl = 2h, .declare = js::Declare::reconcile});
    CHECK(store.status().ttl == 2h);
    CHECK_THROWS_WITH(broker.object_store("none", {.declare = js::Declare::never}),
                      ContainsSubstring("object store \"none\" does not exist"));
}

TEST_CASE_METHOD(ObjectFixture, "a sealed bucket takes nothing more") {
    files.put("a", "bytes");
    files.seal();
    CHECK(files.status().sealed);
    CHECK(files.get("a") == "bytes");
    CHECK_FALSE(files.try_put("b", "x"));
    CHECK_FALSE(files.try_erase("a"));
    CHECK(files.get("a") == "bytes");
}

TEST_CASE_METHOD(ObjectFixture, "buckets are named and removed") {
    broker.object_store("b");
    const auto names = obj::bucket_names(broker);
    CHECK(std::set(names.begin(), names.end()) == std::set<std::string>{"files", "b"});
    files.remove();
    CHECK(obj::bucket_names(broker) == std::vector<std::string>{"b"});
    CHECK(files.try_remove().error().code() == Errc::stream_not_found);
    files.put("a", "x");  // declared again
    CHECK(files.get("a") == "x");
}
