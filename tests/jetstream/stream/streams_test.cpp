// SPDX-License-Identifier: Apache-2.0
// Streams on a server: declaring, looking at, reading and removing them.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/text.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::JetStreamFixture;

namespace {

const js::Stream memory_stream{
    .name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory, .max_age = 1h};

js::Stream with(js::Stream stream, js::Declare declare) {
    stream.declare = declare;
    return stream;
}

struct Filled : JetStreamFixture {
    Filled() {
        auto stream = memory_stream;
        stream.allow_direct = true;
        started().declare(stream);
        for (int i = 1; i <= 10; ++i) {
            broker.jetstream().publish(i % 2 == 0 ? "orders.eu" : "orders.us", std::to_string(i),
                                       {.headers = {{"n", std::to_string(i)}}});
        }
    }
    js::StreamHandle orders = broker.jetstream().stream("ORDERS");
};

}  // namespace

TEST_CASE_METHOD(JetStreamFixture, "a stream is created if it is missing, and left alone if not") {
    const auto js = started();
    const auto created = js.declare(memory_stream);
    CHECK(created.config.max_age == 1h);
    CHECK(created.config.storage == js::Storage::memory);
    CHECK(created.config.replicas == 1);
    CHECK(created.state.messages == 0);

    auto other = memory_stream;
    other.max_age = 2h;
    CHECK(js.declare(other).config.max_age == 1h);
    CHECK(js.declare({.name = "ORDERS"}).config.max_age == 1h);
    CHECK(js.stream("ORDERS").info().config.max_age == 1h);
}

TEST_CASE_METHOD(JetStreamFixture, "Declare::never wants it to be there") {
    const auto js = started();
    const auto missing = js.try_declare(with(memory_stream, js::Declare::never));
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code() == Errc::stream_not_found);
    CHECK_THAT(std::string{missing.error().message()}, ContainsSubstring("\"ORDERS\""));
    js.declare(memory_stream);
    CHECK(js.try_declare({.name = "ORDERS", .max_age = 5h, .declare = js::Declare::never}));
}

TEST_CASE_METHOD(JetStreamFixture, "Declare::verify lists every difference and changes nothing") {
    const auto js = started();
    js.declare(with(memory_stream, js::Declare::verify));  // created
    CHECK(js.try_declare(with(memory_stream, js::Declare::verify)));
    auto other = with(memory_stream, js::Declare::verify);
    other.max_age = 2h;
    other.subjects = {"orders.>", "refunds.>"};
    other.max_msgs = 10;
    const auto differs = js.try_declare(other);
    REQUIRE_FALSE(differs);
    CHECK(differs.error().code() == Errc::settings_differ);
    CHECK_THAT(std::string{differs.error().message()}, ContainsSubstring("max_age is 1h, wanted 2h") &&
                                                           ContainsSubstring("max_msgs is none, wanted 10") &&
                                                           ContainsSubstring("subjects"));
    CHECK(js.differences(other).size() == 3);
    CHECK(js.stream("ORDERS").info().config.max_age == 1h);
}

TEST_CASE_METHOD(JetStreamFixture, "Declare::reconcile changes what is wanted otherwise, and only that") {
    const auto js = started();
    auto first = memory_stream;
    first.max_msgs = 500;
    first.metadata = {{"owner", "billing"}};
    js.declare(first);
    const auto changed =
        js.declare({.name = "ORDERS", .max_age = 3h, .metadata = {{"team", "red"}}, .declare = js::Declare::reconcile});
    CHECK(changed.config.max_age == 3h);
    CHECK(changed.config.max_msgs == 500);
    CHECK(changed.config.subjects == std::vector<std::string>{"orders.>"});
    CHECK(changed.config.metadata.at("owner") == "billing");
    CHECK(changed.config.metadata.at("team") == "red");

    const auto refused =
        js.try_declare({.name = "ORDERS", .storage = js::Storage::file, .declare = js::Declare::reconcile});
    REQUIRE_FALSE(refused);
    CHECK_THAT(std::string{refused.error().message()},
               ContainsSubstring("storage is \"memory\", wanted \"file\"") && ContainsSubstring("can not change"));
}

TEST_CASE_METHOD(JetStreamFixture, "every kind of setting reaches the server") {
    const auto js = started();
    js.declare({.name = "ORIGIN", .subjects = {"origin.>"}, .allow_direct = true});
    const js::Stream rich{.name = "RICH",
                          .description = "all of it",
                          .subjects = {"rich.>"},
                          .max_msgs = 100,
                          .max_bytes = 1 << 20,
                          .max_age = 1h,
                          .max_msgs_per_subject = 3,
                          .max_msg_size = 1'000,
                          .max_consumers = 4,
                          .duplicate_window = 1min,
                          .compression = js::Compression::s2,
                          .sources = {{.name = "ORIGIN", .filter_subject = "origin.a"}},
                          .transform =
                              js::SubjectTransform{.source = "rich.old.*", .destination = "rich.new.{{wildcard(1)}}"},
                          .republish = js::Republish{.source = "rich.>", .destination = "copy.>", .headers_only = true},
                          .allow_direct = true,
                          .allow_rollup = true,
                          .deny_delete = true,
                          .first_seq = 10,
                          .consumer_limits = js::ConsumerLimits{.inactive_threshold = 1h, .max_ack_pending = 10},
                          .allow_msg_ttl = true,
                          .subject_delete_marker_ttl = 1min,
                          .allow_atomic = true,
                          .allow_batched = true,
                          .metadata = {{"a", "b"}},
                          .declare = js::Declare::verify};
    js.declare(rich);
    CHECK(js.differences(rich).empty());
    CHECK(js.stream("RICH").info().sources.at(0).name == "ORIGIN");

    const js::Stream mirror{.name = "COPY", .mirror = js::StreamSource{.name = "ORIGIN"}, .mirror_direct = true};
    CHECK(js.declare(mirror).config.mirror->name == "ORIGIN");
    CHECK(js.differences(mirror).empty());

    const js::Stream schedules{
        .name = "LATER", .subjects = {"later.>"}, .retention = js::Retention::interest, .allow_msg_schedules = true};
    js.declare(schedules);
    CHECK(js.differences(schedules).empty());
    const js::Stream counters{.name = "COUNT", .subjects = {"count.>"}, .allow_msg_counter = true};
    js.declare(counters);
    CHECK(js.differences(counters).empty());
    const js::Stream quick{.name = "QUICK",
                           .subjects = {"quick.>"},
                           .retention = js::Retention::workqueue,
                           .max_msgs_per_subject = 1,
                           .discard = js::Discard::incoming,
                           .discard_new_per_subject = true,
                           .persist_mode = js::PersistMode::async};
    js.declare(quick);
    CHECK(js.differences(quick).empty());
    CHECK(js.declare({.name = "QUICK", .sealed = true, .declare = js::Declare::reconcile}).config.sealed == true);
}

TEST_CASE_METHOD(JetStreamFixture, "a stream stores without acknowledging, and cannot be purged, if told so") {
    const auto js = started();
    const js::Stream silent{.name = "SILENT", .subjects = {"silent"}, .no_ack = true, .deny_purge = true};
    js.declare(silent);
    CHECK(js.differences(silent).empty());
    const auto answer = js.try_publish("silent", std::string{"1"}, {.timeout = 100ms});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == Errc::timeout);
    broker.publish("silent", "2");
    const auto stored = [&] { return js.stream("SILENT").info().state.messages; };
    CHECK(testing::eventually([&] { return stored() >= 2; }));
    const auto purged = js.stream("SILENT").try_purge();
    REQUIRE_FALSE(purged);
    CHECK_THAT(std::string{purged.error().message()}, ContainsSubstring("purge"));
    CHECK(stored() >= 2);
}

TEST_CASE_METHOD(JetStreamFixture, "mirrors and sources begin at a sequence, or at a time") {
    const auto js = started();
    js.declare({.name = "ORIGIN", .subjects = {"origin"}});
    const auto store = [&](const std::string& body) { js.publish("origin", body); };
    for (const auto* body : {"1", "2", "3"}) store(body);
    store("4");
    const auto time = js.stream("ORIGIN").message(4).time();
    store("5");
    const js::StreamSource third{.name = "ORIGIN", .start_sequence = 3};
    const js::StreamSource later{.name = "ORIGIN", .start_time = time};
    js.declare({.name = "MIRROR_THIRD", .mirror = third, .allow_direct = true});
    js.declare({.name = "MIRROR_LATER", .mirror = later, .allow_direct = true});
    js.declare({.name = "SOURCE_THIRD", .sources = {third}, .allow_direct = true});
    js.declare({.name = "SOURCE_LATER", .sources = {later}, .allow_direct = true});
    const auto holds = [&](const std::string& name, const std::string& bodies) {
        return testing::eventually([&] {
            std::string found;
            for (const auto& stored : js.stream(name).messages()) found += stored.text();
            return found == bodies;
        });
    };
    CHECK(holds("MIRROR_THIRD", "345"));
    CHECK(holds("MIRROR_LATER", "45"));
    CHECK(holds("SOURCE_THIRD", "345"));
    CHECK(holds("SOURCE_LATER", "45"));
}

TEST_CASE_METHOD(JetStreamFixture, "what the server refuses is told in its words") {
    const auto js = started();
    const auto bad_name = js.try_declare({.name = "a b"});
    REQUIRE_FALSE(bad_name);
    CHECK(bad_name.error().code() == Condition::bad_setup);
    js.declare(memory_stream);
    const auto overlap = js.try_declare({.name = "OTHER", .subjects = {"orders.eu"}});
    REQUIRE_FALSE(overlap);
    CHECK(overlap.error().code() == Errc::subjects_overlap);
    const auto short_age = js.try_declare({.name = "OTHER", .subjects = {"x"}, .max_age = 1ms});
    REQUIRE_FALSE(short_age);
    CHECK_THAT(std::string{short_age.error().message()},
               ContainsSubstring("create stream \"OTHER\"") && ContainsSubstring("max age"));
}

TEST_CASE_METHOD(JetStreamFixture, "subjects that overlap are told with the other stream, not with the declared one") {
    const auto js = started();
    js.declare({.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory});
    js.declare({.name = "BILLS", .subjects = {"bills.>"}, .storage = js::Storage::memory});

    const auto refused =
        js.try_declare({.name = "ORDERS", .subjects = {"orders.>", "bills.eu"}, .declare = js::Declare::reconcile});
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == Errc::subjects_overlap);
    CHECK_THAT(refused.error().what(),
               ContainsSubstring(R"(declare stream "ORDERS": subjects overlap with stream "BILLS"; leave)"));
}

TEST_CASE_METHOD(Filled, "streams are listed, by subject too") {
    const auto js = broker.jetstream();
    js.declare({.name = "OTHER", .subjects = {"other"}});
    CHECK(js.stream_names().size() == 2);
    CHECK(js.stream_names("orders.eu") == std::vector<std::string>{"ORDERS"});
    CHECK(js.streams("other").at(0).config.name == "OTHER");
    CHECK(js.stream_of("orders.de") == "ORDERS");
    CHECK(js.try_stream_of("nobody").error().code() == Errc::stream_not_found);

    js.stream("OTHER").remove();
    CHECK(js.stream_names().size() == 1);
    CHECK(js.stream("OTHER").try_remove().error().code() == Errc::stream_not_found);
    CHECK(js.stream("OTHER").try_info().error().code() == Errc::stream_not_found);
}

TEST_CASE_METHOD(Filled, "info tells subjects and gaps when asked") {
    orders.delete_message(4);
    const auto info = orders.info({.subjects = ">", .deleted = true});
    CHECK(info.state.messages == 9);
    CHECK(info.state.last_sequence == 10);
    CHECK(info.state.subjects == std::map<std::string, std::uint64_t>{{"orders.eu", 4}, {"orders.us", 5}});
    CHECK(info.state.deleted == std::vector<std::uint64_t>{4});
    CHECK(orders.info().state.subjects.empty());
}

TEST_CASE_METHOD(JetStreamFixture, "info reads more subjects than one answer holds") {
    const auto js = started();
    auto stream = memory_stream;
    stream.max_msgs_per_subject = 1;
    js.declare(stream);
    constexpr int count = 100'500;  // a page has 100,000
    for (int i = 0; i < count; ++i) broker.publish("orders." + std::to_string(i), std::string{});
    const auto orders = js.stream("ORDERS");
    REQUIRE(testing::eventually([&] { return orders.info().state.messages == count; }));
    CHECK(orders.info({.subjects = "orders.*"}).state.subjects.size() == count);
}

TEST_CASE_METHOD(Filled, "messages are read by sequence and by subject, from the leader and directly") {
    for (const auto read : {js::Read::leader, js::Read::direct}) {
        const auto third = orders.message(3, read);
        CHECK(third.subject() == "orders.us");
        CHECK(third.sequence() == 3);
        CHECK(third.text() == "3");
        CHECK(third.header("n") == "3");
        CHECK(std::chrono::system_clock::now() - third.time() < 1h);
        CHECK(orders.last_message("orders.eu", read).sequence() == 10);
        CHECK(orders.next_message("orders.eu", 3, read).sequence() == 4);
        CHECK(orders.next_message("orders.*", 5, read).sequence() == 5);
        CHECK(orders.try_message(99, read).error().code() == Errc::message_not_found);
        CHECK(orders.try_last_message("orders.none", read).error().code() == Errc::message_not_found);
    }
    const auto unknown = broker.jetstream().stream("NONE").try_message(1, js::Read::direct);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code() == Errc::stream_not_found);
}

TEST_CASE_METHOD(Filled, "messages are read in batches") {
    broker.jetstream().publish("orders.empty", std::string_view{});
    const auto all = orders.messages();
    REQUIRE(all.size() == 11);
    CHECK(all.back().subject() == "orders.empty");
    CHECK(all.back().payload().empty());
    const auto some = orders.messages({.subject = "orders.eu", .from_sequence = 3, .limit = 2});
    REQUIRE(some.size() == 2);
    CHECK(some.at(0).sequence() == 4);
    CHECK(some.at(1).text() == "6");
    CHECK(orders.messages({.from_time = all.at(4).time()}).size() == 7);
    CHECK(orders.messages({.subject = "orders.none"}).empty());

    const auto last = orders.last_messages({"orders.*"});
    CHECK(last.size() == 3);
    const auto before = orders.last_messages({"orders.eu", "orders.us"}, 7);
    REQUIRE(before.size() == 2);
    CHECK(before.at(0).sequence() == 6);
    CHECK(before.at(1).sequence() == 7);
}

TEST_CASE_METHOD(Filled, "more messages than a batch are read in several") {
    for (int i = 0; i < 2'500; ++i) broker.publish("orders.many", std::to_string(i));
    REQUIRE(testing::eventually([&] { return orders.info().state.messages == 2'510; }));
    const auto many = orders.messages({.subject = "orders.many", .limit = 2'400});
    REQUIRE(many.size() == 2'400);
    CHECK(many.back().text() == "2399");
}

TEST_CASE_METHOD(Filled, "purge: a subject, up to a sequence, all but the latest, everything") {
    CHECK(orders.purge({.subject = "orders.us", .keep = 1}) == 4);
    CHECK(orders.purge({.up_to_sequence = 5}) == 2);
    CHECK(orders.info().state.first_sequence == 6);
    CHECK(orders.try_purge({.up_to_sequence = 5, .keep = 1}).error().code() == Condition::bad_setup);
    CHECK(orders.purge() == 4);
    CHECK(orders.info().state.messages == 0);
}

TEST_CASE_METHOD(Filled, "single messages are deleted, and erased") {
    orders.delete_message(3);
    orders.erase_message(4);
    CHECK(orders.try_message(3).error().code() == Errc::message_not_found);
    CHECK(orders.try_message(4).error().code() == Errc::message_not_found);
    CHECK_FALSE(orders.try_delete_message(3));
    CHECK(orders.info().state.messages == 8);
}
