// SPDX-License-Identifier: Apache-2.0
// Buckets that nats.py and freshet share. Where nats.py is not there, these tests are skipped: `pip install --target
// DIR nats-py`, and FRESHET_NATS_PY=DIR.
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/nats_py.hpp"

using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::JetStreamFixture;
using freshet::testing::NatsPy;

struct Note {
    bool on = false;
    std::string note = {};
};
FRESHET_JSON(Note, on, note);

namespace {

/// What tests/jetstream/interop/stores.py prints.
std::string nats_py(const std::string& url, const std::string& verb) {
    auto [code, output] = NatsPy::run({FRESHET_INTEROP "/stores.py", url, verb});
    INFO(output);
    REQUIRE(code == 0);
    return output;
}

std::string big() {
    std::string bytes(300'000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
    return bytes;
}

}  // namespace

TEST_CASE_METHOD(JetStreamFixture, "what nats.py writes is read") {
    if (!NatsPy::is_there()) SKIP("nats.py is not installed; FRESHET_NATS_PY names a directory where it is");
    nats_py(server.url(), "write");
    broker.start();
    auto notes = broker.kv<Note>("kv_py", {.history = 5, .declare = js::Declare::verify});
    const auto entry = notes.get("a");
    REQUIRE(entry);
    CHECK(entry->value.note == "again");
    CHECK(notes.get("a", 1)->value.note == "of python");
    CHECK_FALSE(notes.get("gone"));
    CHECK_FALSE(notes.get("purged"));
    CHECK(notes.history("gone").back().operation == kv::Operation::erase);
    REQUIRE(notes.history("purged").size() == 1);
    CHECK(notes.history("purged").back().operation == kv::Operation::purge);
    CHECK(notes.keys() == std::vector<std::string>{"a"});
    notes.update("a", {.on = true}, entry->revision);

    auto files = broker.object_store("obj_py", {.declare = js::Declare::verify});
    CHECK(files.get("big") == big());
    CHECK(files.info("big")->description == "of python");
    CHECK(files.info("big")->headers.get("k") == "v");
    CHECK(files.get("a name/ä") == "text");
    CHECK_FALSE(files.info("deleted"));
    CHECK(files.list().size() == 2);
    files.erase("big");
    CHECK(files.list().size() == 1);
}

TEST_CASE_METHOD(JetStreamFixture, "nats.py reads what is written") {
    if (!NatsPy::is_there()) SKIP("nats.py is not installed; FRESHET_NATS_PY names a directory where it is");
    broker.start();
    auto notes = broker.kv<Note>("kv_cpp", {.history = 3});
    notes.put("a", {.on = true, .note = "x"});
    notes.put("gone", {});
    notes.erase("gone");
    notes.put("purged", {});
    notes.purge("purged");
    auto files = broker.object_store("obj_cpp");
    files.put("big", big(), {.description = "of freshet"});
    files.put("a name/ä", "text");
    files.put("deleted", "x");
    files.erase("deleted");

    const auto output = nats_py(server.url(), "read");
    CHECK_THAT(output, ContainsSubstring(R"(a {"on":true,"note":"x"} 1)"));
    CHECK_THAT(output, ContainsSubstring("gone is not there"));
    CHECK_THAT(output, ContainsSubstring("purged is not there"));
    CHECK_THAT(output, ContainsSubstring("history [('PUT', 2), ('DEL', 3)]"));
    CHECK_THAT(output, ContainsSubstring("keys ['a']"));
    CHECK_THAT(output, ContainsSubstring("updated True"));
    CHECK_THAT(output, ContainsSubstring("values 3"));
    CHECK_THAT(output, ContainsSubstring(" 300000 3 of freshet"));
    CHECK_THAT(output, ContainsSubstring("name text"));
    CHECK_THAT(output, ContainsSubstring("deleted is not there"));
    CHECK_THAT(output, ContainsSubstring("objects ['a name/ä', 'big', "));  // nats.py lists what was deleted, too
    CHECK(notes.get("a")->value.note == "of python");
}
