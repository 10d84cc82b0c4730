// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/jetstream.hpp>

#include "jetstream/api/rfc3339.hpp"
#include "jetstream/store/digest.hpp"
#include "jetstream/store/kv_bucket.hpp"
#include "jetstream/store/kv_entry.hpp"
#include "jetstream/store/object_bucket.hpp"
#include "jetstream/store/object_json.hpp"
#include "jetstream/store/store_names.hpp"
#include "jetstream/store/store_watch.hpp"

namespace js = freshet::js;
namespace kv = freshet::kv;
namespace obj = freshet::obj;
using namespace freshet::detail;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using freshet::as_bytes;
using freshet::Headers;
using freshet::Message;

TEST_CASE("a bucket's name is made of letters, digits, dashes and underscores") {
    for (const std::string_view name : {"flags", "FLAGS_2", "a-b", "0", "_"}) {
        CHECK(check_bucket(StoreKind::key_value, name));
        CHECK(check_bucket(StoreKind::object, name));
    }
    for (const std::string_view name : {"", "a.b", "a b", "a*", ">", "a/b", "ä", "a\n"}) {
        CAPTURE(name);
        const auto checked = check_bucket(StoreKind::key_value, name);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == freshet::Errc::bad_setup);
    }
    CHECK_THAT(std::string{check_bucket(StoreKind::object, "a b").error().message()},
               ContainsSubstring("object store \"a b\""));
}

TEST_CASE("a key is made of tokens of letters, digits and -/_=") {
    for (const std::string_view key : {"a", "a.b.c", "A-1/b_c=d", "9"}) CHECK(check_key(key));
    for (const std::string_view key :
         {"", ".", "a.", ".a", "a..b", "a b", "a*", "*", ">", "a.>", "a:b", "{a}", "ä", "a\tb", "$a"}) {
        CAPTURE(key);
        const auto checked = check_key(key);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == freshet::Errc::bad_subject);
        CHECK(checked.error().condition() == freshet::Condition::bad_setup);
    }
    CHECK_FALSE(check_key(std::string(4'000, 'a')));
}

TEST_CASE("a key filter may have wildcards as whole tokens") {
    for (const std::string_view filter : {"a", "*", ">", "a.*", "a.*.c", "a.>", "*.>"}) CHECK(check_key_filter(filter));
    for (const std::string_view filter : {"", "a*", ">.a", "a.>.b", "a..*", "a b.*", "{a}", "a.{b}"}) {
        CAPTURE(filter);
        CHECK_FALSE(check_key_filter(filter));
    }
}

TEST_CASE("base64 with the alphabet of URLs") {
    CHECK(base64url({}).empty());
    CHECK(base64url(as_bytes("f")) == "Zg==");
    CHECK(base64url(as_bytes("fo")) == "Zm8=");
    CHECK(base64url(as_bytes("foo")) == "Zm9v");
    CHECK(base64url(as_bytes("foobar")) == "Zm9vYmFy");
    CHECK(base64url(as_bytes("\xfb\xff\xfe")) == "-__-");
}

TEST_CASE("a digest as object stores write it") {
    Sha256 empty;
    CHECK(empty.finish() == "SHA-256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=");
    Sha256 pieces;
    pieces.add(as_bytes("a"));
    pieces.add(as_bytes("bc"));
    CHECK(pieces.finish() == "SHA-256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=");
}

TEST_CASE("a server's time is read and written") {
    const auto time = parse_rfc3339("2022-08-06T00:29:27.587861324Z");
    REQUIRE(time);
    CHECK(format_rfc3339(*time) == "2022-08-06T00:29:27.587861324Z");
    CHECK(parse_rfc3339("2022-08-06 00:29:27.587861324 +0000 UTC") == time);
    CHECK(parse_rfc3339("2022-08-06T02:29:27.587861324+02:00") == time);
    CHECK(parse_rfc3339("2022-08-05T18:59:27.587861324-05:30") == time);
    CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == std::chrono::system_clock::time_point{});
    CHECK(format_rfc3339(*parse_rfc3339("1969-12-31T23:59:59.5Z")) == "1969-12-31T23:59:59.500000000Z");
}

TEST_CASE("what is no time is none") {
    const std::string_view text =
        GENERATE("", "2022", "2022-08-06", "2022-13-06T00:00:00Z", "2022-02-30T00:00:00Z", "2022-08-06T24:00:00Z",
                 "2022-08-06T00:00:00", "2022-08-06T00:00:00.Z", "-022-08-06T00:00:00Z", "2022-08-06T00:00:0xZ",
                 "0001-01-01T00:00:00Z", "1677-09-21T00:12:43Z", "9999-12-31T23:59:59Z", "yesterday");
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
}

namespace {

Message stored(std::string_view subject, const Headers& headers = {}) {
    return Message::make(subject, as_bytes("value"), headers, "$JS.ACK.KV_flags.c.1.42.7.1700000000000000001.3");
}

}  // namespace

TEST_CASE("what a message did to its key is in its headers") {
    const auto operation = [](const Headers& headers) { return operation_of(stored("$KV.flags.a", headers)); };
    CHECK(operation({}) == kv::Operation::put);
    CHECK(operation({{"KV-Operation", "PUT"}}) == kv::Operation::put);
    CHECK(operation({{"KV-Operation", "DEL"}}) == kv::Operation::erase);
    CHECK(operation({{"KV-Operation", "PURGE"}}) == kv::Operation::purge);
    CHECK(operation({{"Nats-Marker-Reason", "MaxAge"}}) == kv::Operation::purge);
    CHECK(operation({{"Nats-Marker-Reason", "Purge"}}) == kv::Operation::purge);
    CHECK(operation({{"Nats-Marker-Reason", "Remove"}}) == kv::Operation::erase);
    CHECK(operation({{"Tag", "x"}}) == kv::Operation::put);
    CHECK(kv::to_string(kv::Operation::put) == std::string{"put"});
    CHECK(kv::to_string(kv::Operation::erase) == std::string{"erase"});
    CHECK(kv::to_string(kv::Operation::purge) == std::string{"purge"});
}

TEST_CASE("the key is what follows the bucket in the subject") {
    CHECK(key_of("$KV.flags.a") == "a");
    CHECK(key_of("$KV.flags.a.b.c") == "a.b.c");
    CHECK(key_of("$KV.flags").empty());
    CHECK(key_of("").empty());
}

TEST_CASE("a record is read from what a consumer delivered") {
    auto message = stored("$KV.flags.a.b", {{"KV-Operation", "DEL"}});
    const auto metadata = *message.metadata();
    const auto record = delivered_record(std::move(message), metadata);
    CHECK(record.bucket == "flags");
    CHECK(record.key == "a.b");
    CHECK(record.revision == 42);
    CHECK(record.delta == 3);
    CHECK(record.created.time_since_epoch() == 1'700'000'000'000'000'001ns);
    CHECK(record.operation == kv::Operation::erase);
    CHECK(record.has_value);
}

TEST_CASE("a watch feeds messages whose subject is the key") {
    const bool initial = GENERATE(true, false);
    const auto message = watch_message("a.b", stored("$KV.flags.a.b", {{"content-type", "text/plain"}}), initial);
    CHECK(message.subject() == "a.b");
    CHECK(message.text() == "value");
    CHECK(message.header("content-type") == "text/plain");
    const auto record = read_watched(message);
    CHECK(record.bucket == "flags");
    CHECK(record.key == "a.b");
    CHECK(record.revision == 42);
    CHECK(record.delta == 3);
    CHECK(record.initial == initial);
    CHECK(record.operation == kv::Operation::put);
    const auto entry = decode_entry<std::string>(read_watched(message), message);
    REQUIRE(entry);
    CHECK(entry->value == "value");
}

TEST_CASE("an entry without a value is not decoded") {
    const auto deleted = watch_message("a", stored("$KV.flags.a", {{"KV-Operation", "PURGE"}}), false);
    CHECK(decode_entry<int>(read_watched(deleted), deleted)->value == 0);
    const auto headers_only =
        Message::make("a", {}, {{"Nats-Msg-Size", "5"}}, "$JS.ACK.KV_flags.c.1.42.7.1700000000000000001.3");
    CHECK_FALSE(read_watched(headers_only).has_value);
    CHECK(decode_entry<int>(read_watched(headers_only), headers_only)->value == 0);
    const auto bad = watch_message("a", stored("$KV.flags.a"), false);
    const auto refused = decode_entry<int>(read_watched(bad), bad);
    REQUIRE_FALSE(refused);
    CHECK_THAT(std::string{refused.error().message()},
               ContainsSubstring("the value of key \"a\" in bucket \"flags\" (revision 42) cannot be decoded"));
}

TEST_CASE("a bucket as a stream: only what is set, and for a new one the defaults") {
    const auto set = kv_stream("flags", {.ttl = 1h}, false);
    CHECK(set.name == "KV_flags");
    CHECK(set.subjects == std::vector<std::string>{"$KV.flags.>"});
    CHECK(set.max_age == 1h);
    CHECK_FALSE(set.max_msgs_per_subject);
    CHECK_FALSE(set.storage);
    CHECK_FALSE(set.allow_msg_ttl);
    CHECK_FALSE(set.discard);
    CHECK_FALSE(set.deny_delete);
    CHECK(set.allow_rollup == true);
    CHECK(kv_stream("flags", {.max_bytes = 1'000}, false).discard == js::Discard::incoming);
    const auto fresh = kv_stream("flags", {}, true);
    CHECK(fresh.max_msgs_per_subject == 1);
    CHECK(fresh.discard == js::Discard::incoming);
    CHECK(fresh.deny_delete == true);
    CHECK(fresh.allow_direct == true);
    const auto markers = kv_stream("flags", {.limit_markers = 5min}, true);
    CHECK(markers.allow_msg_ttl == true);
    CHECK(markers.subject_delete_marker_ttl == 5min);
    CHECK(kv_stream("KV_x", {}, true).name == "KV_KV_x");
}

TEST_CASE("an object store as a stream: only what is set, and for a new one the defaults") {
    const auto set = object_stream("files", {.ttl = 1h}, false);
    CHECK(set.name == "OBJ_files");
    CHECK(set.subjects == std::vector<std::string>{"$O.files.C.>", "$O.files.M.>"});
    CHECK(set.max_age == 1h);
    CHECK(set.allow_rollup == true);
    CHECK_FALSE(set.discard);
    CHECK_FALSE(set.allow_direct);
    CHECK(object_stream("files", {.max_bytes = 1'000}, false).discard == js::Discard::incoming);
    const auto fresh = object_stream("files", {}, true);
    CHECK(fresh.discard == js::Discard::incoming);
    CHECK(fresh.allow_direct == true);
    CHECK(fresh.allow_rollup == true);
}

TEST_CASE("mirrors and sources are named by buckets") {
    const auto mirror = kv_stream("copy", {.mirror = js::StreamSource{.name = "origin"}}, true);
    CHECK(mirror.mirror->name == "KV_origin");
    CHECK(mirror.mirror_direct == true);
    CHECK(mirror.subjects.empty());

    const auto gathered = kv_stream("all",
                                    {.sources = {{.name = "eu"},
                                                 {.name = "KV_us"},
                                                 {.name = "all", .domain = "hub"},
                                                 {.name = "ORDERS", .transforms = {{"orders.>", "$KV.all.>"}}}}},
                                    true);
    REQUIRE(gathered.sources.size() == 4);
    CHECK(gathered.sources[0].name == "KV_eu");
    CHECK(gathered.sources[0].transforms.at(0).source == "$KV.eu.>");
    CHECK(gathered.sources[0].transforms.at(0).destination == "$KV.all.>");
    CHECK(gathered.sources[1].name == "KV_us");
    CHECK(gathered.sources[2].name == "KV_all");
    CHECK(gathered.sources[2].transforms.empty());
    CHECK(gathered.sources[3].name == "ORDERS");
}

TEST_CASE("the description of an object is written and read") {
    const obj::Info info{.bucket = "files",
                         .name = "a \"name\" ä",
                         .description = "of mine",
                         .headers = {{"k", "1"}, {"k", "2"}, {"l", "3"}},
                         .metadata = {{"m", "n"}},
                         .id = "abc",
                         .size = 5'000'000'000,
                         .chunks = 42,
                         .chunk_size = 1'024,
                         .digest = "SHA-256=abc="};
    const auto read = read_object_info(write_object_info(info));
    REQUIRE(read);
    CHECK(read->bucket == info.bucket);
    CHECK(read->name == info.name);
    CHECK(read->description == info.description);
    CHECK(read->headers.values("k") == std::vector<std::string_view>{"1", "2"});
    CHECK(read->headers.get("l") == "3");
    CHECK(read->metadata == info.metadata);
    CHECK(read->id == info.id);
    CHECK(read->size == info.size);
    CHECK(read->chunks == info.chunks);
    CHECK(read->chunk_size == info.chunk_size);
    CHECK(read->digest == info.digest);
    CHECK_FALSE(read->link);
    CHECK_FALSE(read->deleted);
    CHECK_THAT(write_object_info(info), !ContainsSubstring("mtime"));
}

TEST_CASE("links and deletions in a description") {
    const auto link = read_object_info(write_object_info({.name = "l", .link = obj::Link{"files", "a"}}));
    CHECK(link->link == obj::Link{"files", "a"});
    const auto bucket = read_object_info(write_object_info({.name = "l", .link = obj::Link{"files", ""}}));
    CHECK(bucket->link == obj::Link{"files", ""});
    CHECK(read_object_info(write_object_info({.name = "d", .deleted = true}))->deleted);
}

TEST_CASE("numbers that no integer holds are none") {
    const auto info = read_object_info(
        R"({"name":"a","bucket":"b","nuid":"n","size":1e30,"chunks":-2.5,"mtime":"0001-01-01T00:00:00Z"})");
    REQUIRE(info);
    CHECK(info->size == 0);
    CHECK(info->chunks == 0);
}

TEST_CASE("a description as other clients write it") {
    const auto info = read_object_info(
        R"({"name":"x","options":{"max_chunk_size":131072},"bucket":"b","nuid":"N","size":3,"mtime":"0001-01-01T00:00:00Z",)"
        R"("chunks":1,"digest":"SHA-256=z","headers":{"k":"v"},"metadata":null,"description":null,"deleted":null})");
    REQUIRE(info);
    CHECK(info->name == "x");
    CHECK(info->chunk_size == 131'072);
    CHECK(info->headers.get("k") == "v");
    CHECK(info->size == 3);
    CHECK_FALSE(info->deleted);
}

TEST_CASE("what is no description is an error") {
    const std::string_view text = GENERATE("", "{}", "[]", "{", "null", "\"name\"");
    CAPTURE(text);
    const auto read = read_object_info(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == freshet::Errc::bad_payload);
}
