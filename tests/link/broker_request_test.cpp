// SPDX-License-Identifier: Apache-2.0
// Asking: typed clients, many in flight, many answers, errors, deadlines, restarts of the server.
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;

namespace {

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker service{{.servers = {server.url()}, .name = "service"}};
    Broker caller{{.servers = {server.url()}, .name = "caller"}};

    void start() {
        service.start();
        caller.start();
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a client is a remote function: call, try_call, async") {
    service.subscriber<"calc.add">().handle([](const Add& add) { return Sum{add.a + add.b}; });
    service.subscriber<"calc.ping">().handle([] { return Response<>{}; });
    start();
    const auto add = caller.client<Sum(const Add&)>("calc.add");
    CHECK(add(Add{1, 2}).value == 3);
    CHECK(add.try_call(Add{3, 4})->value == 7);
    CHECK(add.async(Add{5, 6}).get().value == 11);
    std::promise<int> promise;
    add.async(Add{7, 8}, [&](Expected<Sum> sum) { promise.set_value(sum->value); });
    CHECK(promise.get_future().get() == 15);
    caller.client<void()>("calc.ping")();
    CHECK_THROWS_AS((caller.client<Sum(const Add&)>("bad subject")), Error);
}

TEST_CASE_METHOD(Fixture, "a call of a client may have options of its own, instead of the client's") {
    service.subscriber<"who">().handle([](const Add& add, Header<"tenant"> tenant) {
        return std::string{*tenant} + std::to_string(add.a);
    });
    service.subscriber<"mute">().handle([] {});
    start();
    const auto who = caller.client<std::string(const Add&)>("who", {.headers = {{"tenant", "a"}}});
    const RequestOptions of_b{.headers = {{"tenant", "b"}}};
    CHECK(who(Add{1, 0}) == "a1");
    CHECK(who({.headers = {{"tenant", "b"}}}, Add{1, 0}) == "b1");
    CHECK(who.try_call(of_b, Add{2, 0}).value() == "b2");
    CHECK(who.async(of_b, Add{3, 0}).get() == "b3");
    std::promise<std::string> promise;
    who.async(of_b, Add{4, 0}, [&](Expected<std::string> answer) { promise.set_value(answer.value()); });
    CHECK(promise.get_future().get() == "b4");
    const auto mute = caller.client<void()>("mute", {.timeout = 60s});
    CHECK(mute.try_call({.timeout = 1ms}).error().code() == Errc::timeout);
}

TEST_CASE_METHOD(Fixture, "thousands of requests are in flight at once, each gets its own answer") {
    constexpr int count = 5'000;
    service.subscriber<"calc.twice">({.workers = 2}).handle([&](const Add& add) { return Sum{2 * add.a}; });
    start();
    const auto twice = caller.client<Sum(const Add&)>("calc.twice", {.timeout = 30s});
    std::vector<std::future<Sum>> futures;
    for (int i = 0; i < count; ++i) futures.push_back(twice.async(Add{i, 0}));
    for (int i = 0; i < count; ++i) CHECK(futures[static_cast<std::size_t>(i)].get().value == 2 * i);
    CHECK(caller.stats().requests_in_flight == 0);
}

TEST_CASE_METHOD(Fixture, "a request made inside a handler, and inside an async answer") {
    service.subscriber<"inner">({.dedicated = true}).handle([](const Add& add) { return Sum{add.a + add.b}; });
    service.subscriber<"outer">({.dedicated = true}).handle([](const Add& add, Broker& broker) {
        return Sum{broker.request<Sum>("inner", add).value * 10};
    });
    start();
    CHECK(caller.request<Sum>("outer", Add{1, 2}).value == 30);
    std::promise<int> promise;
    const auto inner = caller.client<Sum(const Add&)>("inner");
    inner.async(Add{1, 1}, [&](Expected<Sum> first) {
        inner.async(Add{first->value, 1}, [&](Expected<Sum> second) { promise.set_value(second->value); });
    });
    CHECK(promise.get_future().get() == 3);
}

TEST_CASE_METHOD(Fixture, "request_many reads every answer until a stall, a count or the deadline") {
    for (int i = 0; i < 3; ++i) service.subscriber<"status.all">().handle([i](const Add&) { return Sum{i}; });
    start();
    int sum = 0;
    int answers = 0;
    for (auto& reply : caller.request_many<Sum>("status.all", Add{}, {.timeout = 10s, .max_replies = 3})) {
        sum += reply.value;
        ++answers;
    }
    CHECK(answers == 3);
    CHECK(sum == 3);

    answers = 0;
    for ([[maybe_unused]] auto& reply : caller.request_many<Sum>("status.all", Add{}, {.timeout = 30s, .stall = 500ms}))
        ++answers;
    CHECK(answers == 3);

    answers = 0;
    for ([[maybe_unused]] auto& reply : caller.request_many<Sum>("status.all", Add{}, {.timeout = 700ms})) ++answers;
    CHECK(answers == 3);

    {
        auto unread = caller.request_many<Sum>("status.all", Add{}, {.timeout = 60s});
        CHECK(unread.next().value()->value >= 0);
    }
    CHECK(caller.stats().requests_in_flight == 0);

    auto nobody = caller.request_many<Sum>("status.none", Add{}, {.timeout = 10s});
    const auto first = nobody.next();
    REQUIRE(first);
    CHECK(first->error().code() == Condition::no_responders);
    CHECK_FALSE(nobody.next());
}

TEST_CASE_METHOD(Fixture, "the caller learns at once that nobody listens, or that the service failed") {
    service.subscriber<"fail.std">().handle([](const Add&) -> Sum { throw std::runtime_error{"the disk is full"}; });
    service.subscriber<"fail.int">().handle([](const Add&) -> Sum { throw 42; });
    service.subscriber<"fail.missing">().handle([](const Add&) -> Expected<Sum> {
        return failure(Errc::not_found, "no such sum");
    });
    service.subscriber<"fail.late">().handle([](const Add&) -> Sum {
        throw Error{Errc::timeout, "the database is slow"};
    });
    service.subscriber<"fail.answer">().handle([](const Add&) { return std::string{"no JSON"}; });
    service.subscriber<"fail.code">().handle([](const Add&) -> Sum { throw RemoteError{404, "no such order"}; });
    start();
    const auto error_of = [&](const char* subject) {
        const auto result = caller.try_request<Sum>(subject, Add{}, {.timeout = 30s});
        REQUIRE_FALSE(result);
        return result.error();
    };
    CHECK(error_of("nobody").code() == Condition::no_responders);
    CHECK(error_of("nobody").message().find("\"nobody\"") != std::string_view::npos);
    CHECK(error_of("fail.std").code() == Condition::remote);
    CHECK(error_of("fail.std").remote_code() == 500);
    CHECK(error_of("fail.std").message().find("internal error; correlation id ") != std::string_view::npos);
    CHECK(error_of("fail.int").remote_code() == 500);
    CHECK(error_of("fail.code").remote_code() == 404);
    CHECK(error_of("fail.missing").remote_code() == 404);
    CHECK(error_of("fail.late").remote_code() == 504);
    const auto undecodable = error_of("fail.answer");
    CHECK(undecodable.condition() == Condition::bad_payload);
    CHECK(undecodable.message().starts_with("the answer to \"fail.answer\" cannot be decoded: "));
    try {
        (void)caller.request<Sum>("fail.code", Add{});
        FAIL("no exception");
    } catch (const RemoteError& error) { CHECK(error.remote_code() == 404); }
    CHECK_THROWS_AS((caller.client<Sum(const Add&)>("fail.std").async(Add{}).get()), RemoteError);
}

TEST_CASE_METHOD(Fixture, "a deadline ends a request that nobody answers") {
    service.subscriber<"mute">().handle([](const Add&) {});
    start();
    const auto result = caller.try_request<Sum>("mute", Add{}, {.timeout = 50ms});
    CHECK(result.error().code() == Condition::timeout);
    CHECK(result.error().message().find("\"mute\" within 50 ms") != std::string_view::npos);
    CHECK_THROWS_AS((caller.client<Sum(const Add&)>("mute", {.timeout = 50ms}).async(Add{}).get()), Error);
    CHECK(caller.stats().requests_in_flight == 0);
}

TEST_CASE_METHOD(Fixture, "stopping a broker ends what it waits for") {
    service.subscriber<"mute">().handle([](const Add&) {});
    start();
    auto blocked =
        std::async(std::launch::async, [&] { return caller.try_request<Sum>("mute", Add{}, {.timeout = 60s}); });
    auto future = caller.client<Sum(const Add&)>("mute", {.timeout = 60s}).async(Add{});
    REQUIRE(eventually([&] { return caller.stats().requests_in_flight == 2; }));
    caller.stop();
    CHECK(blocked.get().error().code() == Errc::closed);
    CHECK_THROWS_AS(future.get(), Error);
    CHECK(caller.try_request<Sum>("mute", Add{}).error().code() == Errc::closed);
    CHECK(caller.try_publish("mute", Add{}).error().code() == Errc::closed);
}

TEST_CASE_METHOD(Fixture, "a server that is killed and comes back: subscribers, publishers and requests go on") {
    std::atomic<int> received = 0;
    service.subscriber<"re.event">().handle([&](const Add&) { ++received; });
    service.subscriber<"re.add">().handle([](const Add& add) { return Sum{add.a + add.b}; });
    start();
    std::atomic<bool> stop = false;
    std::atomic<int> published = 0;
    std::jthread traffic{[&] {
        while (!stop) {
            if (caller.try_publish("re.event", Add{1, 1})) ++published;
            std::this_thread::sleep_for(1ms);
        }
    }};
    REQUIRE(eventually([&] { return received > 20; }));
    for (int round = 0; round < 2; ++round) {
        server.kill();
        server.restart();
        const int before = received;
        CHECK(eventually([&] { return received > before + 20; }));
        CHECK(eventually([&] { return caller.try_request<Sum>("re.add", Add{2, 2}, {.timeout = 500ms}).has_value(); }));
    }
    stop = true;
    traffic.join();
    CHECK(eventually([&] { return caller.stats().transport.reconnects >= 1; }));
    CHECK(service.running());
    CHECK(service.stop());
}

TEST_CASE("a connection that is closed for good ends the broker") {
    testing::NatsServer server;
    Broker broker{{.servers = {server.url()}, .reconnect = {.enabled = false}}};
    auto stream = broker.subscriber("quiet").messages();
    broker.start();
    CHECK(broker.running());
    server.kill();
    for (const auto& message : stream) FAIL(message.subject());
    CHECK(eventually([&] { return !broker.running(); }));
    CHECK(broker.try_publish("quiet", "x").error().condition() == Condition::disconnected);
}

TEST_CASE("a subscriber may be declared while the broker starts") {
    testing::NatsServer server;
    std::atomic<int> received = 0;
    Broker* that = nullptr;
    Broker broker{{.servers = {server.url()}, .on_event = [&](const ConnectionEvent& event) {
                       if (event.kind != ConnectionEvent::Kind::connected) return;
                       that->subscriber<"late.{n}">().handle([&](Path<"n", int> n) { received += n; });
                   }}};
    that = &broker;
    broker.start();
    broker.publish("late.3", "");
    CHECK(eventually([&] { return received == 3; }));
}
