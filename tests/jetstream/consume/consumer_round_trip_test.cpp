// SPDX-License-Identifier: Apache-2.0
// What a declaration says is what the consumer has: nothing is left to differ, and nothing that it takes away stays.
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../testing/both.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using testing::JetStreamFixture;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory};

class RandomConsumer {
public:
    explicit RandomConsumer(unsigned seed) : random_{seed} {}

    js::ConsumerConfig make() {
        js::ConsumerConfig config;
        maybe(config.filter_subjects, Texts{"orders.eu"}, Texts{"orders.eu", "orders.us"}, Texts{"orders.*.new"});
        maybe(config.headers_only, true);
        maybe(config.ack_wait, 2'000ms, 1'500ms);
        maybe(config.max_ack_pending, -1, 7);
        maybe(config.max_deliver, -1, 4, 9);
        maybe(config.backoff, Times{1s}, Times{500ms, 3s});
        maybe(config.inactive_threshold, 1h, 5min);
        maybe(config.max_waiting, 16, 512);
        maybe(config.max_request_batch, 10, 200);
        maybe(config.max_request_bytes, 10'000);
        maybe(config.max_request_expires, 20s);
        maybe(config.sample_frequency, "30%", "100");
        maybe(config.replicas, 1);
        maybe(config.memory_storage, true);
        if (one_in(3)) {
            config.priority_policy = one_in(2) ? js::PriorityPolicy::overflow : js::PriorityPolicy::pinned_client;
            config.priority_groups = {"a"};
            maybe(config.priority_timeout, 10s);
        }
        maybe(config.description, "what it is for");
        if (one_in(2)) config.metadata["team"] = "a";
        return config;
    }

    /// Sets what a server takes only when a consumer is made.
    js::ConsumerConfig make_new() {
        auto config = make();
        maybe(config.acks, js::Acks::explicit_, js::Acks::all, js::Acks::none);
        maybe(config.replay, js::Replay::instant, js::Replay::original);
        maybe(config.deliver, js::Deliver::all, js::Deliver::fresh, js::Deliver::last, js::Deliver::last_per_subject,
              js::Deliver::from_sequence, js::Deliver::from_time);
        if (config.deliver == js::Deliver::from_sequence) config.start_sequence = 3;
        if (config.deliver == js::Deliver::from_time)
            config.start_time = std::chrono::sys_days{2026y / 1 / 2} + 3'456'789us;
        return config;
    }

private:
    using Texts = std::vector<std::string>;
    using Times = std::vector<std::chrono::milliseconds>;

    bool one_in(int n) { return std::uniform_int_distribution{1, n}(random_) == 1; }

    template <class T>
    struct Bare {
        using type = T;
    };
    template <class T>
    struct Bare<std::optional<T>> {
        using type = T;
    };
    template <class T, class... Values>
    void maybe(T& setting, const Values&... values) {
        if (one_in(2)) return;
        const std::vector<typename Bare<T>::type> all{static_cast<typename Bare<T>::type>(values)...};
        setting = all.at(std::uniform_int_distribution<std::size_t>{0, all.size() - 1}(random_));
    }

    std::mt19937 random_;
};

std::string why(const Expected<js::ConsumerInfo>& declared) { return declared ? "" : declared.error().what(); }

}  // namespace

TEST_CASE_METHOD(JetStreamFixture, "whatever a declaration sets, the consumer that it made has") {
    const auto js = started();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    int made = 0;
    int changed = 0;
    for (unsigned seed = 1; seed <= 200; ++seed) {
        INFO("seed " << seed);
        RandomConsumer random{seed};
        const auto config = random.make_new();
        const auto declared = worker.try_declare(config, js::Declare::create_if_missing);
        if (!declared) {  // the server refuses some combinations
            CHECK(declared.error().code() != Errc::settings_differ);
            continue;
        }
        ++made;
        CHECK(why(worker.try_declare(config, js::Declare::verify)) == "");
        CHECK(why(worker.try_declare(config, js::Declare::reconcile)) == "");

        // Another declaration of the same consumer: it is as that one says, or the change is refused aloud.
        auto other = random.make();
        other.deliver = config.deliver;
        other.start_sequence = config.start_sequence;
        other.start_time = config.start_time;
        other.acks = config.acks;
        other.replay = config.replay;
        other.max_waiting = config.max_waiting;
        if (worker.try_declare(other, js::Declare::reconcile)) {
            ++changed;
            CHECK(why(worker.try_declare(other, js::Declare::verify)) == "");
            const auto found = worker.info().config;
            CHECK(found.filter_subjects == other.filter_subjects);
            CHECK(found.description == other.description);
            CHECK(found.headers_only == other.headers_only);
            CHECK(found.backoff == other.backoff);
            CHECK(found.priority_groups == other.priority_groups);
            CHECK(found.inactive_threshold == other.inactive_threshold);
            CHECK(found.max_request_batch == other.max_request_batch);
        }
        worker.remove();
    }
    CHECK(made > 50);
    CHECK(changed > 15);
}

TEST_CASE_METHOD(testing::Both, "reconcile takes away what the declaration of a consumer has no longer") {
    start();
    const auto js = broker.jetstream();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    worker.declare({.filter_subjects = {"orders.eu", "orders.us"},
                    .headers_only = true,
                    .max_deliver = 5,
                    .backoff = {7s, 9s},
                    .inactive_threshold = 1h,
                    .max_request_batch = 5,
                    .description = "old words"});
    const auto different = worker.try_declare({}, js::Declare::verify);
    REQUIRE_FALSE(different);
    CHECK(different.error().code() == Errc::settings_differ);  // the filters are what the consumer is
    const auto config = worker.declare({.filter_subjects = {"orders.eu"}}, js::Declare::reconcile).config;
    CHECK(config.filter_subjects == std::vector<std::string>{"orders.eu"});
    CHECK_FALSE(config.headers_only);
    CHECK(config.max_deliver <= 0);
    CHECK(config.backoff.empty());
    CHECK(config.ack_wait == 30s);
    CHECK(config.inactive_threshold == 0ms);
    CHECK(config.max_request_batch == 0);
    CHECK(config.description.empty());
    CHECK(worker.declare({}, js::Declare::reconcile).config.filter_subjects.empty());
}
