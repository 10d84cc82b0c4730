// SPDX-License-Identifier: Apache-2.0
// How much a source takes, and how often it asks.
#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

namespace {

constexpr std::size_t large = 900'000;
constexpr int many = 60;  // of the large ones: three times what may be in hand

/// Also sees what is asked of the server.
struct BoundsFixture : PullFixture {
    BoundsFixture() {
        other.subscriber<"$JS.API.CONSUMER.MSG.NEXT.>">().handle([this](const Message& message) {
            asked.add(text(message));
            if (!forges) return;
            other.publish(message.reply_to(), std::string{},
                          {.headers = {{"Status", "408"}, {"Description", "Request Timeout"}}});
        });
    }
    void publish_large(int count) {
        for (int i = 0; i < count; ++i) publish(std::string(large, 'x'));
    }
    /// What consumers of the stream have delivered, once it is `count`, or has not changed for a while.
    std::uint64_t delivered(const std::string& stream, std::uint64_t count) {
        std::uint64_t sum = 0;
        eventually(
            [&] {
                sum = 0;
                for (const auto& info : other.jetstream().consumers(stream)) sum += info.delivered_consumer_sequence;
                return sum >= count;
            },
            2s);
        return sum;
    }
    /// How many pull requests are sent in a second.
    std::size_t asked_in_a_second() {
        const auto before = asked.count();
        std::this_thread::sleep_for(1s);
        return asked.count() - before;
    }

    Seen asked;
    std::atomic<bool> forges = false;  // answers each request, as if it had ended
};

}  // namespace

TEST_CASE_METHOD(BoundsFixture, "a window that grew with small messages holds few large ones") {
    std::atomic<int> small = 0;
    std::latch release{1};
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"})
        .handle([&](const Message& message) {
            if (message.payload().size() < large) ++small;
            else release.wait();
        });
    for (int i = 0; i < 20'000; ++i) other.publish("orders.eu", std::string{"x"});
    REQUIRE(eventually([&] { return other.jetstream().stream("ORDERS").info().state.messages == 20'000; }, 60s));
    publish_large(many);
    broker.start();
    REQUIRE(eventually([&] { return small == 20'000; }, 60s));
    CHECK(delivered("ORDERS", 20'000 + many) <= 20'000 + (16U << 20U) / large);
    release.count_down();
    CHECK(all_settled());
}

TEST_CASE_METHOD(BoundsFixture, "a message larger than what may be in hand comes alone") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .prefetch_bytes = 1'000})
        .handle([&](const Message& message) { seen.add(std::to_string(message.payload().size())); });
    for (const auto size : {100, 900, 5'000, 100, 2'000, 2'000, 400}) publish(std::string(size, 'x'));
    broker.start();
    CHECK(seen.wait_for(7));
    CHECK(all_settled());
    CHECK(asked.count() < 40);
}

TEST_CASE_METHOD(BoundsFixture, "an ordered subscriber takes no more bytes ahead than it may hold") {
    std::latch release{1};
    std::atomic<int> handled = 0;
    broker.subscriber<"orders.*">(js::Ordered{.stream = "ORDERS"}).handle([&](const Message&) {
        release.wait();
        ++handled;
    });
    publish_large(many);
    broker.start();
    CHECK(delivered("ORDERS", many) <= (16U << 20U) / large);
    release.count_down();
    CHECK(eventually([&] { return handled == many; }));
}

TEST_CASE_METHOD(BoundsFixture, "a watch drops nothing, and takes no more than its handler's threads can hold") {
    auto values = other.kv<std::string>("texts");
    constexpr int count = 80;  // more than 64 MiB
    for (int i = 0; i < count; ++i) values.put(std::to_string(i), std::string(large, 'x'));
    std::latch release{1};
    std::atomic<int> handled = 0;
    broker.subscriber<"*">(kv::Watch{.bucket = "texts", .workers = 2}).handle([&](const kv::Entry<std::string>&) {
        release.wait();
        ++handled;
    });
    broker.start();
    CHECK(delivered("KV_texts", count) <= (16U << 20U) / large);
    release.count_down();
    CHECK(eventually([&] { return handled == count; }));
    CHECK(broker.stats().dropped == 0);
}

TEST_CASE_METHOD(BoundsFixture, "a watcher takes no more ahead of its reader than it may hold") {
    auto values = other.kv<std::string>("texts");
    for (int i = 0; i < many; ++i) values.put(std::to_string(i), std::string(large, 'x'));
    auto watcher = values.watch();
    CHECK(delivered("KV_texts", many) <= (16U << 20U) / large);
    CHECK(watcher.initial().size() == many);
}

TEST_CASE_METHOD(BoundsFixture, "what reads a bucket asks for bytes, too, and gets all of it") {
    auto values = other.kv<std::string>("texts");
    for (int i = 0; i < many; ++i) values.put(std::to_string(i), std::string(i % 3 == 0 ? large : 10, 'x'));
    CHECK(values.entries().size() == many);
    CHECK(values.keys().size() == many);
    for (const auto& body : asked.all()) CHECK_THAT(body, ContainsSubstring("max_bytes"));
    CHECK(other.jetstream().consumers("KV_texts").size() <= 2);
}

TEST_CASE_METHOD(BoundsFixture, "a message that does not fit is waited for, not asked for without end") {
    std::latch release{1};
    std::atomic<int> running = 0;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .prefetch_bytes = 1'000})
        .handle([&](const Message&) {
            ++running;
            release.wait();
        });
    publish(std::string(400, 'x'));
    publish(std::string(900, 'x'));
    broker.start();
    REQUIRE(eventually([&] { return running == 1; }));
    CHECK(asked_in_a_second() < 20);
    release.count_down();
    CHECK(all_settled());
}

TEST_CASE_METHOD(BoundsFixture,
                 "a consumer that lets requests wait for a moment only is asked now and then, and read") {
    consumer().declare({.filter_subjects = {"orders.*"}, .max_request_expires = 50ms});
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"})
        .handle([&](const Message& message) { seen.add(text(message)); });
    broker.start();
    CHECK(asked_in_a_second() < 30);
    publish(3);
    CHECK(seen.wait_for(3));
}

TEST_CASE_METHOD(BoundsFixture, "a consumer that refuses what is asked is asked at longer and longer intervals") {
    consumer().declare({.filter_subjects = {"orders.*"},
                        .priority_policy = js::PriorityPolicy::overflow,
                        .priority_groups = {"jobs"}});
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"}).handle([](const Message&) {});
    broker.start();
    log.wait_for("Priority Group");
    CHECK(asked_in_a_second() < 8);
    auto messages = consumer().messages();
    CHECK_THROWS_AS(messages.next(20s), Error);
    CHECK_THROWS_AS(*messages.begin(), Error);
}

TEST_CASE_METHOD(BoundsFixture, "statuses that somebody forges are not answered one for one") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"})
        .handle([&](const Message& message) { seen.add(text(message)); });
    forges = true;
    broker.start();
    CHECK(asked_in_a_second() < 30);
    publish(3);
    CHECK(seen.wait_for(3));
}
