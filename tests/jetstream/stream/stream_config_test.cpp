// SPDX-License-Identifier: Apache-2.0
// Streams' settings as JSON, and what differs between two of them.
#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "jetstream/api/settings.hpp"
#include "jetstream/stream/stream_config.hpp"
#include "jetstream/stream/stream_settings.hpp"
#include "testing/memory/jetstream/settings.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using detail::Json;

namespace {

js::Stream every_setting() {
    return {.name = "ORDERS",
            .description = "what was ordered",
            .subjects = {"orders.>", "refunds.*"},
            .retention = js::Retention::workqueue,
            .storage = js::Storage::memory,
            .replicas = 3,
            .max_msgs = 1'000,
            .max_bytes = 1 << 20,
            .max_age = 24h,
            .max_msgs_per_subject = 5,
            .max_msg_size = 4'096,
            .max_consumers = 7,
            .discard = js::Discard::incoming,
            .discard_new_per_subject = true,
            .duplicate_window = 30s,
            .compression = js::Compression::s2,
            .no_ack = true,
            .placement = js::Placement{.cluster = "eu", .tags = {"ssd", "fast"}},
            .mirror = js::StreamSource{.name = "ORIGIN", .start_sequence = 12, .domain = "hub"},
            .sources = {{.name = "A", .transforms = {{.source = "a.>", .destination = "b.>"}}},
                        {.name = "B",
                         .start_time = std::chrono::system_clock::time_point{1'700'000'000s},
                         .external = js::ExternalStream{.api_prefix = "js.b", .deliver_prefix = "to.b"},
                         .consumer = js::SourceConsumer{.name = "c", .deliver_subject = "d"}}},
            .transform = js::SubjectTransform{.source = "x", .destination = "y"},
            .republish = js::Republish{.source = ">", .destination = "copy.>", .headers_only = true},
            .allow_direct = true,
            .mirror_direct = true,
            .allow_rollup = true,
            .deny_delete = true,
            .deny_purge = false,
            .sealed = false,
            .first_seq = 100,
            .consumer_limits = js::ConsumerLimits{.inactive_threshold = 1h, .max_ack_pending = 10},
            .allow_msg_ttl = true,
            .subject_delete_marker_ttl = 5min,
            .allow_atomic = true,
            .allow_msg_counter = false,
            .allow_msg_schedules = true,
            .persist_mode = js::PersistMode::async,
            .allow_batched = true,
            .metadata = {{"owner", "billing"}}};
}

}  // namespace

TEST_CASE("only settings that are set are sent") {
    CHECK(detail::stream_to_json({.name = "A"}) == Json{{"name", "A"}});
    CHECK(detail::stream_to_json({.name = "A", .max_age = 90min}) ==
          Json{{"name", "A"}, {"max_age", 5'400'000'000'000}});
    // Set to nothing is set, too.
    CHECK(detail::stream_to_json({.name = "A", .allow_direct = false})["allow_direct"] == false);
}

TEST_CASE("every setting has its name on the wire, and comes back the same") {
    const auto json = detail::stream_to_json(every_setting());
    const auto expected = Json::parse(R"({
        "name":"ORDERS","description":"what was ordered","subjects":["orders.>","refunds.*"],"retention":"workqueue",
        "storage":"memory","num_replicas":3,"max_msgs":1000,"max_bytes":1048576,"max_age":86400000000000,
        "max_msgs_per_subject":5,"max_msg_size":4096,"max_consumers":7,"discard":"new","discard_new_per_subject":true,
        "duplicate_window":30000000000,"compression":"s2","no_ack":true,
        "placement":{"cluster":"eu","tags":["ssd","fast"]},
        "mirror":{"name":"ORIGIN","opt_start_seq":12,"external":{"api":"$JS.hub.API"}},
        "sources":[{"name":"A","subject_transforms":[{"src":"a.>","dest":"b.>"}]},
                   {"name":"B","opt_start_time":"2023-11-14T22:13:20Z","external":{"api":"js.b","deliver":"to.b"},
                    "consumer":{"name":"c","deliver_subject":"d"}}],
        "subject_transform":{"src":"x","dest":"y"},"republish":{"src":">","dest":"copy.>","headers_only":true},
        "allow_direct":true,"mirror_direct":true,"allow_rollup_hdrs":true,"deny_delete":true,"deny_purge":false,
        "sealed":false,"first_seq":100,"consumer_limits":{"inactive_threshold":3600000000000,"max_ack_pending":10},
        "allow_msg_ttl":true,"subject_delete_marker_ttl":300000000000,"allow_atomic":true,"allow_msg_counter":false,
        "allow_msg_schedules":true,"persist_mode":"async","allow_batched":true,"metadata":{"owner":"billing"}})");
    for (const auto& [key, value] : expected.items()) {
        INFO(key);
        CHECK(json.value(key, Json{}) == value);
    }
    CHECK(json.size() == expected.size());
    CHECK(detail::stream_to_json(detail::stream_from_json(json)) == json);
}

TEST_CASE("an answer of the server's is read") {
    const auto info = detail::stream_info_from_json(Json::parse(R"({
        "config":{"name":"A","retention":"interest","storage":"file","max_age":0},"created":"2026-01-02T03:04:05.5Z",
        "state":{"messages":3,"bytes":120,"first_seq":2,"last_seq":5,"consumer_count":1,"num_deleted":1,"deleted":[4],
                 "num_subjects":1,"subjects":{"a":3}},
        "cluster":{"name":"C","leader":"n1","replicas":[{"name":"n2","current":true,"lag":7}]},
        "mirror":{"name":"M","lag":4,"active":-1,"error":{"code":404,"description":"stream not found"}}})"));
    CHECK(info.config.retention == js::Retention::interest);
    CHECK(info.config.max_age == 0ns);
    CHECK_FALSE(info.config.compression);
    CHECK(info.state.messages == 3);
    CHECK(info.state.deleted == std::vector<std::uint64_t>{4});
    CHECK(info.state.subjects.at("a") == 3);
    CHECK(info.created.time_since_epoch() % 1s == 500ms);
    REQUIRE(info.cluster);
    CHECK(info.cluster->leader == "n1");
    CHECK(info.cluster->replicas.at(0).lag == 7);
    REQUIRE(info.mirror);
    CHECK(info.mirror->error == "stream not found");
    CHECK_THROWS_AS(detail::stream_info_from_json(Json::object()), Json::exception);
}

TEST_CASE("differences: only what is wanted counts, and equal means equal") {
    const auto found = Json::parse(R"({"name":"A","subjects":["b","a"],"max_age":0,"max_msgs":-1,"storage":"file",
        "compression":"none","placement":{"cluster":"eu","tags":["y","x"]},"allow_direct":false,
        "metadata":{"_nats.ver":"2.15.1","owner":"billing"}})");
    const auto differences = [&](const js::Stream& wanted) {
        return detail::compare_settings(detail::stream_to_json(wanted), found, detail::stream_setting_lines());
    };
    CHECK(differences({.name = "A"}).empty());
    CHECK(differences({.name = "A", .subjects = {"a", "b"}}).empty());
    CHECK(differences({.name = "A", .max_msgs = 0, .allow_direct = false}).empty());
    CHECK(differences({.name = "A", .compression = js::Compression::none, .persist_mode = js::PersistMode::flushed})
              .empty());
    CHECK(differences({.name = "A", .placement = js::Placement{.cluster = "eu", .tags = {"x", "y"}}}).empty());
    CHECK(differences({.name = "A", .metadata = {{"owner", "billing"}}}).empty());

    const auto several = differences({.name = "A",
                                      .subjects = {"a"},
                                      .storage = js::Storage::memory,
                                      .max_age = 36h,
                                      .allow_direct = true,
                                      .metadata = {{"owner", "sales"}}});
    CHECK(several == std::vector<js::Difference>{{"allow_direct", "false", "true"},
                                                 {"max_age", "none", "1d12h"},
                                                 {"metadata.owner", "\"billing\"", "\"sales\""},
                                                 {"storage", "\"file\"", "\"memory\""},
                                                 {"subjects", R"(["b","a"])", R"(["a"])"}});
    const std::string text{detail::settings_error("stream \"A\"", several).message()};
    CHECK_THAT(text, ContainsSubstring("stream \"A\" exists with other settings: allow_direct is false, wanted true; "
                                       "max_age is none, wanted 1d12h"));
}

TEST_CASE("an update keeps what is not wanted otherwise") {
    const auto found = Json::parse(R"({"name":"A","max_age":5,"max_msgs":7,"metadata":{"a":"1","b":"2"}})");
    CHECK(detail::merge_settings(Json::parse(R"({"name":"A","max_age":6,"metadata":{"b":"3"}})"), found) ==
          Json::parse(R"({"name":"A","max_age":6,"max_msgs":7,"metadata":{"a":"1","b":"3"}})"));
}

TEST_CASE("settings that need a newer server are known, unless they are switched off") {
    const auto versions = detail::stream_settings_with_version(detail::stream_to_json(every_setting()));
    CHECK(versions.size() == 13);  // allow_msg_counter is false, the mirror has no consumer and no transforms
    CHECK(detail::stream_settings_with_version(detail::stream_to_json({.name = "A",
                                                                       .compression = js::Compression::none,
                                                                       .allow_atomic = false,
                                                                       .persist_mode = js::PersistMode::flushed}))
              .empty());
}

TEST_CASE("settings of a mirror and of sources that need a newer server are known, and missed") {
    const js::StreamSource moved{.name = "A", .transforms = {{.source = "a.>", .destination = "b.>"}}};
    const js::StreamSource sent{.name = "B", .consumer = js::SourceConsumer{.name = "c", .deliver_subject = "d"}};
    const js::Stream mirror_moved{.name = "S", .mirror = moved};
    const js::Stream mirror_sent{.name = "S", .mirror = sent};
    const js::Stream sources_moved{.name = "S", .sources = {{.name = "plain"}, moved}};
    const js::Stream sources_sent{.name = "S", .sources = {{.name = "plain"}, sent}};
    const auto needs = [](const js::Stream& stream, std::string_view setting, std::string_view version) {
        const auto json = detail::stream_to_json(stream);
        const auto found = detail::stream_settings_with_version(json);
        REQUIRE(found.size() == 1);
        CHECK(found[0].setting == setting);
        CHECK(found[0].version == version);
        CHECK(detail::check_settings_kept(found, json, "stream"));
        const auto left_out =
            detail::stream_to_json({.name = "S", .mirror = {{.name = "A"}}, .sources = {{.name = "A"}}});
        const auto kept = detail::check_settings_kept(found, left_out, "stream");
        REQUIRE_FALSE(kept);
        CHECK(kept.error().code() == Errc::server_too_old);
    };
    needs(mirror_moved, "mirror.subject_transforms", "2.10");
    needs(sources_moved, "sources.subject_transforms", "2.10");
    needs(mirror_sent, "mirror.consumer", "2.14");
    needs(sources_sent, "sources.consumer", "2.14");
}

TEST_CASE("the settings of a stream that an older server does not know are named with the version that does") {
    const auto late = detail::stream_settings_with_version(detail::stream_to_json(every_setting()));
    for (const auto& line : detail::stream_setting_lines()) {
        CAPTURE(line.key);
        const auto found = std::ranges::find(late, line.key, &detail::SettingVersion::setting);
        if (line.key == "allow_msg_counter") continue;  // switched off
        CHECK((found == late.end() ? std::string_view{} : found->version) == line.traits.since);
    }
}

TEST_CASE("the memory server takes the settings of a stream that it simulates, and refuses the others by name") {
    const auto all = detail::stream_to_json(every_setting());
    for (const auto& line : detail::stream_setting_lines()) {
        CAPTURE(line.key);
        const std::string key{line.key};
        const auto taken = detail::complete_stream("A", {{key, all[key]}});
        const bool refused = !taken && taken.error().description.ends_with("does not know " + key);
        CHECK(refused != line.traits.simulated);
    }
    const auto made_up = detail::complete_stream("A", {{"made_up", true}});
    REQUIRE_FALSE(made_up);
    CHECK(made_up.error().description == "the memory server does not know made_up");
    CHECK(detail::check_stream_update({{"retention", "limits"}}, {{"retention", "interest"}}));
    CHECK_FALSE(detail::check_stream_update({{"max_age", 1}}, {{"max_age", 2}}));
}
