// SPDX-License-Identifier: Apache-2.0
// Buckets whose keys and values are written in another way (ADR-54).
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/seen.hpp"
#include "../../testing/both.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::Both;
using freshet::testing::Seen;

namespace {

using Keys = std::vector<std::string>;

/// Turns each byte of a value, so that nobody without this codec can read it.
class Turned final : public kv::ValueCodec {
public:
    std::string encode(Bytes value) const override { return turned(value); }
    std::string decode(Bytes stored) const override {
        if (stored.empty()) raise({Errc::bad_payload, "there is nothing to turn"});
        return turned(stored);
    }

private:
    static std::string turned(Bytes bytes) {
        std::string text{as_text(bytes)};
        for (char& c : text) c = static_cast<char>(c ^ 0x5a);
        return text;
    }
};

class Upper final : public kv::KeyCodec {
public:
    std::string encode(std::string_view key) const override { return "X" + std::string{key}; }
    std::string decode(std::string_view stored) const override { return std::string{stored.substr(1)}; }
};

}  // namespace

TEST_CASE("keys in base64 and as paths are those of other clients") {
    const auto base64 = kv::base64_keys();
    CHECK(base64->encode("Acme Inc.contact") == "QWNtZSBJbmM.Y29udGFjdA");
    CHECK(base64->encode_filter("Acme Inc.*") == "QWNtZSBJbmM.*");
    CHECK(base64->encode_filter(">") == ">");
    for (const char* key : {"a", "ab", "abc", "Acme Inc.contact", "\xff\x01.\xc3\xa4", "a b c d e"})
        CHECK(base64->decode(base64->encode(key)) == key);
    CHECK_THROWS_AS(base64->decode("no base64!"), Error);
    CHECK_THROWS_AS(base64->decode("abcde"), Error);

    const auto paths = kv::path_keys();
    CHECK(paths->encode("/user/7") == "_root_.user.7");
    CHECK(paths->encode("user/7/") == "user.7");
    CHECK(paths->encode("/") == "_root_");
    CHECK(paths->encode_filter("/user/*") == "_root_.user.*");
    for (const char* key : {"/", "/user", "/user/7", "user/7", "user"}) CHECK(paths->decode(paths->encode(key)) == key);

    const auto both = kv::chain({kv::path_keys(), kv::base64_keys()});
    CHECK(both->encode("/a b/c") == "X3Jvb3Rf.YSBi.Yw");
    CHECK(both->decode("X3Jvb3Rf.YSBi.Yw") == "/a b/c");
    CHECK(both->encode_filter("/a b/*") == "X3Jvb3Rf.YSBi.*");
    const auto values = kv::base64_values();
    CHECK(values->encode(as_bytes(std::string_view{"a\xff"})) == "Yf8");
    CHECK(values->decode(as_bytes(std::string_view{"Yf8"})) == "a\xff");
}

TEST_CASE_METHOD(Both, "every operation of a bucket with codecs takes and gives keys and values of the program") {
    start();
    const kv::Options options{.history = 5, .key_codec = kv::base64_keys(), .value_codec = std::make_shared<Turned>()};
    auto names = broker.kv<std::string>("names", options);
    const auto plain = broker.kv<std::string>("names");

    const auto first = names.put("Acme Inc.contact", "info");
    CHECK(names.get("Acme Inc.contact")->value == "info");
    CHECK(names.get("Acme Inc.contact")->key == "Acme Inc.contact");
    CHECK(names.get("Acme Inc.contact", first)->value == "info");
    CHECK_FALSE(names.get("Acme"));
    CHECK(plain.keys() == Keys{"QWNtZSBJbmM.Y29udGFjdA"});
    CHECK(plain.get("QWNtZSBJbmM.Y29udGFjdA")->value != "info");

    CHECK_THROWS_AS(names.create("Acme Inc.contact", "x"), Error);
    CHECK(names.update("Acme Inc.contact", "mail", first) == first + 1);
    CHECK(names.put_async("M\xc3\xa4r z", "later").get() == first + 2);
    CHECK(names.get_async("M\xc3\xa4r z").get()->value == "later");
    CHECK(names.keys() == Keys{"Acme Inc.contact", "M\xc3\xa4r z"});
    CHECK(names.keys({"Acme Inc.*"}) == Keys{"Acme Inc.contact"});
    CHECK(names.entries().size() == 2);
    CHECK(names.history("Acme Inc.contact").at(0).value == "info");
    CHECK(names.history("Acme Inc.contact").at(1).value == "mail");

    auto watch = names.watch({"Acme Inc.>"});
    const auto initial = watch.initial();
    REQUIRE(initial.size() == 1);
    CHECK(initial[0].key == "Acme Inc.contact");
    CHECK(initial[0].value == "mail");
    names.erase("Acme Inc.contact");
    const auto erased = watch.next(5s);
    REQUIRE(erased);
    CHECK(erased->key == "Acme Inc.contact");
    CHECK(erased->operation == kv::Operation::erase);
    CHECK(names.purge_deletes({.keep_markers = 0s}) == 1);
    CHECK(names.keys() == Keys{"M\xc3\xa4r z"});
}

TEST_CASE_METHOD(Both, "a subscriber of a bucket with codecs gets keys and values of the program") {
    Seen seen;
    const kv::Options options{.key_codec = kv::path_keys(), .value_codec = std::make_shared<Turned>()};
    broker.subscriber<">">(kv::Watch{.bucket = "files", .options = options})
        .handle([&](const kv::Entry<std::string>& entry) { seen.add(entry.key + '=' + entry.value); });
    start();
    broker.kv<std::string>("files", options).put("/etc/hosts", "1");
    CHECK(pass_until([&] { return seen.count() == 1; }));
    CHECK(seen.all() == Keys{"/etc/hosts=1"});
}

TEST_CASE_METHOD(Both, "what a bucket's codecs cannot read does not hide the rest") {
    start();
    const kv::Options options{.key_codec = kv::base64_keys(), .value_codec = std::make_shared<Turned>()};
    const auto names = broker.kv<std::string>("names", options);
    const auto plain = broker.kv<std::string>("names");
    names.put("good", "1");
    plain.put("abcde", "no base64 key");
    plain.put("YQ", "");  // no value that could be turned
    const auto entries = names.entries();
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].key == "good");
    CHECK(entries.errors.size() == 2);
    CHECK(names.keys() == Keys{"good", "a"});
    CHECK_FALSE(names.try_get("a"));
    CHECK(broker.kv<std::string>("other", {.key_codec = std::make_shared<Upper>()}).try_keys({"a.*"}).error() ==
          Errc::bad_setup);
}
