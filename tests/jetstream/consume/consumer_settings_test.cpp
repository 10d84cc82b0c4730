// SPDX-License-Identifier: Apache-2.0
// A setting of a consumer is one line of one table: all that reads the table is tried with each line.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "jetstream/consume/consumer_json.hpp"
#include "jetstream/consume/consumer_settings.hpp"
#include "testing/memory/jetstream/settings.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::detail;

namespace {

/// Gives every member another value than its default, so that a new setting is not forgotten here.
struct Filler {
    void operator()(const char*, std::int64_t& value, const SettingTraits& = {}) { value = 7; }
    void operator()(const char*, std::uint64_t& value, const SettingTraits& = {}) { value = 7; }
    void operator()(const char*, int& value, const SettingTraits& = {}) { value = 3; }
    void operator()(const char*, bool& value, const SettingTraits& = {}) { value = true; }
    void operator()(const char*, std::string& value, const SettingTraits& = {}) { value = "x"; }
    void operator()(const char*, std::chrono::milliseconds& value, const SettingTraits& = {}) { value = 1'500ms; }
    void operator()(const char*, std::map<std::string, std::string>& value, const SettingTraits& = {}) {
        value = {{"k", "v"}};
    }
    template <class T>
    void operator()(const char* key, std::optional<T>& value, const SettingTraits& = {}) {
        (*this)(key, value.emplace());
    }
    template <class T>
    void operator()(const char* key, std::vector<T>& value, const SettingTraits& = {}) {
        for (int i = 0; i < 2; ++i) (*this)(key, value.emplace_back());
    }
    void operator()(const char*, std::chrono::system_clock::time_point& value, const SettingTraits& = {}) {
        value = std::chrono::sys_days{2030y / 1 / 2} + 3'456'789us;
    }
    template <class E>
        requires std::is_enum_v<E>
    void operator()(const char*, E& value, const SettingTraits& = {}) {
        value = std::prev(names(E{}).end())->value;  // the latest addition
    }
};

js::ConsumerConfig every_setting() {
    js::ConsumerConfig config;
    Filler filler;
    js::fields(config, filler);
    return config;
}

/// The lines that are members of ConsumerConfig.
std::vector<SettingLine> lines() {
    SettingLines collected;
    const js::ConsumerConfig config;
    js::fields(config, collected);
    return collected.lines;
}

}  // namespace

TEST_CASE("each setting of a consumer is written, and read again") {
    const auto config = every_setting();
    const auto json = consumer_to_json(config);
    for (const auto& line : lines()) {
        CAPTURE(line.key);
        CHECK(json.contains(line.key));
    }
    CHECK(json.size() == lines().size());
    CHECK(consumer_from_json(json) == config);
    CHECK(consumer_to_json({}).empty());
    CHECK(consumer_to_json({.filter_subjects = {"a"}}) == Json{{"filter_subject", "a"}});
    CHECK(consumer_from_json({{"filter_subject", "a"}}).filter_subjects == std::vector<std::string>{"a"});
}

TEST_CASE("each setting of a consumer is compared with what exists") {
    const auto wanted = consumer_to_json(every_setting());
    CHECK(compare_settings(wanted, wanted, consumer_setting_lines()).empty());
    for (const auto& line : lines()) {
        CAPTURE(line.key);
        auto found = wanted;
        found.erase(line.key);
        const auto differences = compare_settings(wanted, found, consumer_setting_lines());
        REQUIRE(differences.size() == 1);
        CHECK(differences[0].setting.starts_with(line.key));
        if (line.duration) CHECK(differences[0].wanted == "1s500ms");
    }
}

TEST_CASE("the settings of a consumer that an older server does not know are named with the version that does") {
    const auto late = consumer_settings_with_version(consumer_to_json(every_setting()));
    const auto version_of = [&](std::string_view key) {
        const auto found = std::ranges::find(late, key, &SettingVersion::setting);
        return found == late.end() ? std::string_view{} : found->version;
    };
    for (const auto& line : lines()) {
        CAPTURE(line.key);
        if (line.late_values.empty()) CHECK(version_of(line.key) == line.traits.since);
    }
    CHECK(version_of("priority_policy") == "2.12");  // prioritized came later than the setting
    CHECK(consumer_settings_with_version({{"priority_policy", "overflow"}})[0].version == "2.11");
    CHECK(consumer_settings_with_version(consumer_to_json({})).empty());
}

TEST_CASE("the memory server takes the settings of a consumer that it simulates, and refuses the others by name") {
    const auto all = consumer_to_json(every_setting());
    for (const auto& line : consumer_setting_lines()) {
        CAPTURE(line.key);
        if (!all.contains(line.key)) continue;
        const std::string key{line.key};
        Json config{{key, all[key]}};
        const auto taken = complete_consumer(config, Json::object());
        const bool refused = !taken && taken.error().description.ends_with("does not know " + key);
        CHECK(refused != line.traits.simulated);
    }
    const auto made_up = complete_consumer({{"made_up", true}}, Json::object());
    REQUIRE_FALSE(made_up);
    CHECK(made_up.error().description == "the memory server does not know made_up");
    CHECK(check_consumer_update({{"ack_policy", "none"}}, {{"ack_policy", "explicit"}}));
    CHECK_FALSE(check_consumer_update({{"ack_wait", 1}}, {{"ack_wait", 2}}));
}
