// SPDX-License-Identifier: Apache-2.0
// What a declaration says is what the stream has: nothing is left to differ, and nothing that it takes away stays.
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using testing::JetStreamFixture;

namespace {

class RandomStream {
public:
    explicit RandomStream(unsigned seed) : random_{seed} {}

    js::Stream make() {
        js::Stream stream{
            .name = "S", .subjects = {"s.>"}, .storage = js::Storage::memory, .declare = js::Declare::reconcile};
        if (one_in(2)) stream.description = "what it is for";
        maybe(stream.retention, js::Retention::limits);
        maybe(stream.replicas, 0, 1);
        maybe(stream.max_msgs, -1, 0, 1'000);
        maybe(stream.max_bytes, -1, 0, 100'000);
        maybe(stream.max_age, 0ns, 1h, 30s);
        maybe(stream.max_msgs_per_subject, -1, 0, 5);
        maybe(stream.max_msg_size, -1, 0, 2'000);
        maybe(stream.max_consumers, -1, 0);
        maybe(stream.discard, js::Discard::oldest, js::Discard::incoming);
        maybe(stream.discard_new_per_subject, false, true);
        maybe(stream.duplicate_window, 0ns, 10s, 2min);
        maybe(stream.compression, js::Compression::none);
        maybe(stream.no_ack, false, true);
        maybe(stream.placement, js::Placement{});
        maybe(stream.transform, js::SubjectTransform{},
              js::SubjectTransform{.source = "s.*", .destination = "s.x.{{wildcard(1)}}"});
        maybe(stream.republish, js::Republish{}, js::Republish{.destination = "copy.>"},
              js::Republish{.source = "s.*", .destination = "copy.{{wildcard(1)}}", .headers_only = true});
        maybe(stream.allow_direct, false, true);
        maybe(stream.mirror_direct, false);
        maybe(stream.allow_rollup, false, true);
        maybe(stream.deny_delete, false);
        maybe(stream.deny_purge, false);
        maybe(stream.sealed, false);
        maybe(stream.consumer_limits, js::ConsumerLimits{},
              js::ConsumerLimits{.inactive_threshold = 0ns, .max_ack_pending = 0},
              js::ConsumerLimits{.inactive_threshold = 5min, .max_ack_pending = 100});
        maybe(stream.allow_msg_ttl, false, true);
        maybe(stream.subject_delete_marker_ttl, 0ns, 10s);
        maybe(stream.allow_atomic, false, true);
        maybe(stream.allow_msg_schedules, false);
        maybe(stream.persist_mode, js::PersistMode::flushed);
        maybe(stream.allow_batched, false, true);
        if (one_in(2)) stream.metadata["team"] = one_in(2) ? "a" : "";
        if (one_in(3)) stream.sources.push_back({.name = "A"});
        if (one_in(3)) stream.sources.push_back({.name = "B", .filter_subject = one_in(2) ? "b.*" : ""});
        if (one_in(4))
            stream.sources.push_back(
                {.name = "C", .start_sequence = 7, .transforms = {{.source = "c.>", .destination = "d.>"}}});
        if (one_in(6)) stream.sources.push_back({.name = "D", .domain = "hub"});
        return stream;
    }

private:
    bool one_in(int n) { return std::uniform_int_distribution{1, n}(random_) == 1; }

    template <class T, class... Values>
    void maybe(std::optional<T>& setting, const Values&... values) {
        if (one_in(2)) return;
        const std::vector<T> all{static_cast<T>(values)...};
        setting = all.at(std::uniform_int_distribution<std::size_t>{0, all.size() - 1}(random_));
    }

    std::mt19937 random_;
};

std::string text(const std::vector<js::Difference>& differences) {
    std::string text;
    for (const auto& [setting, found, wanted] : differences) text += setting + ": " + found + ", not " + wanted + "; ";
    return text;
}

}  // namespace

TEST_CASE_METHOD(JetStreamFixture, "whatever a declaration sets, the stream that it made has") {
    const auto js = started();
    int made = 0;
    for (unsigned seed = 1; seed <= 200; ++seed) {
        RandomStream random{seed};
        auto stream = random.make();
        const auto declared = js.try_declare(stream);
        if (!declared) {  // the server refuses some combinations
            CHECK(declared.error().code() != Errc::settings_differ);
            continue;
        }
        ++made;
        INFO("seed " << seed);
        CHECK(text(js.differences(stream)) == "");
        stream.declare = js::Declare::verify;
        CHECK(js.try_declare(stream));

        // Another declaration of the same stream: it is as that one says, or the change is refused aloud.
        auto changed = random.make();
        changed.retention = stream.retention;
        if (js.try_declare(changed)) CHECK(text(js.differences(changed)) == "");
        js.stream("S").remove();
    }
    CHECK(made > 50);
}

TEST_CASE_METHOD(JetStreamFixture, "reconcile takes away what the declaration has no longer") {
    const auto js = started();
    js.declare({.name = "ORIGIN", .subjects = {"o.>"}, .storage = js::Storage::memory});
    const js::Stream with{.name = "S",
                          .description = "old words",
                          .subjects = {"s.>"},
                          .storage = js::Storage::memory,
                          .sources = {{.name = "ORIGIN"}},
                          .republish = js::Republish{.destination = "copy.>"}};
    js.declare(with);
    js::Stream without{.name = "S", .subjects = {"s.>"}, .republish = js::Republish{}, .declare = js::Declare::verify};
    CHECK(js.try_declare(without).error().code() == Errc::settings_differ);
    without.declare = js::Declare::reconcile;
    const auto config = js.declare(without).config;
    CHECK(config.sources.empty());
    CHECK(config.description.empty());
    CHECK_FALSE(config.republish);
    CHECK(js.stream("S").info().config.sources.empty());
}

TEST_CASE_METHOD(JetStreamFixture, "a mirror that the declaration has no longer is ended, or the declaration fails") {
    const auto js = started();
    js.declare({.name = "ORIGIN", .subjects = {"o.>"}, .storage = js::Storage::memory});
    js.declare({.name = "S", .storage = js::Storage::memory, .mirror = js::StreamSource{.name = "ORIGIN"}});
    js::Stream own{.name = "S", .subjects = {"s.>"}, .declare = js::Declare::verify};
    CHECK(js.try_declare(own).error().code() == Errc::settings_differ);
    own.declare = js::Declare::reconcile;
    const auto changed = js.try_declare(own);
    INFO((changed ? "" : changed.error().what()));
    CHECK(changed.has_value() == !js.stream("S").info().config.mirror);
}

TEST_CASE_METHOD(JetStreamFixture, "a sealed object store keeps its description and its settings") {
    broker.start();
    const auto files = broker.object_store("files", {.description = "reports", .storage = js::Storage::memory});
    files.seal();
    CHECK(files.status().description == "reports");
    CHECK(files.status().sealed);
}
