// SPDX-License-Identifier: Apache-2.0
// The cost rule "no allocation of ours per message on the plain path", counted: every operator new of the process while
// messages flow. cnats allocates with malloc, which does not count here.
#include <atomic>
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../support/count_allocations.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::allocations;
using testing::eventually;

namespace {

constexpr int count = 2'000;

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}}};
    std::atomic<int> handled = 0;

    /// Allocations per message, once everything that is kept has been made.
    template <class Send>
    double per_message(Send send) {
        const auto run = [&] {
            handled = 0;
            for (int i = 0; i < count; ++i) send();
            REQUIRE(eventually([&] { return handled == count; }));
        };
        run();
        const auto before = allocations.load();
        run();
        return static_cast<double>(allocations - before) / count;
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "publishing and handling bytes allocates nothing, with path, header and inject neither") {
    broker.provide(std::make_shared<int>(1));
    broker.subscriber<"alloc.{id}.bytes">().handle([&](std::string_view body, Path<"id", int> id,
                                                       Header<"none", std::optional<int>> none, Inject<int> one,
                                                       Context&) {
        if (body.size() == 5 && id == 7 && !*none && *one == 1) ++handled;
    });
    broker.start();
    CHECK(per_message([&] { broker.publish("alloc.7.bytes", std::string_view{"hello"}); }) < 0.01);
}

namespace {
struct Held {
    explicit Held(int given) : value{given} {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() = default;
    void on_outcome(const Outcome& outcome) { value = outcome == Outcome::ack ? 0 : 1; }
    int value;
};
int plain(Path<"id", int> id) { return *id; }
Held held(Depends<&plain> given) { return Held{*given}; }
}  // namespace

TEST_CASE_METHOD(Fixture, "dependencies allocate nothing") {
    broker.subscriber<"alloc.{id}.depends">().handle([&](Depends<&held> first, Depends<&plain> second) {
        if (first->value == 7 && *second == 7) ++handled;
    });
    broker.start();
    CHECK(per_message([&] { broker.publish("alloc.7.depends", std::string_view{"hello"}); }) < 0.01);
}

TEST_CASE_METHOD(Fixture, "a typed publisher formats its subject and encodes without allocating") {
    broker.subscriber<"typed.{id}">().handle([&](Bytes) { ++handled; });
    broker.start();
    auto publisher = broker.publisher<Add, "typed.{id}">();
    CHECK(per_message([&] { publisher.publish(Add{1, 2}, 42); }) < 0.01);
}

TEST_CASE_METHOD(Fixture, "publish_to and replies reuse this thread's buffers") {
    broker.subscriber<"chain.{id}.in">().publish_to<"chain.{id}.out">().handle([](Bytes) { return Sum{1}; });
    broker.subscriber<"chain.{id}.out">().handle([&](Bytes) { ++handled; });
    broker.start();
    CHECK(per_message([&] { broker.publish("chain.1.in", std::string_view{"x"}); }) < 0.01);
}

TEST_CASE_METHOD(Fixture, "a blocking request and its answer allocate nothing") {
    broker.subscriber<"ask">({}).handle([&](std::string_view body) -> std::string_view { return body; });
    broker.start();
    const auto ask = broker.client<Message(std::string_view)>("ask");
    CHECK(per_message([&] {
              if (ask("hello").text() == "hello") ++handled;
          }) < 0.01);
}
