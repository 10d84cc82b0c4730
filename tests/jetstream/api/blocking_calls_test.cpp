// SPDX-License-Identifier: Apache-2.0
// Every public call that may block, inside a function that may not: on the thread that brings answers, and on the
// timer's. The table of docs/threads.md has the same rows.
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/app.hpp>
#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/service.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/log_lines.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

using Text = std::string;
using Call = std::pair<std::string, std::function<void()>>;
using Calls = std::vector<Call>;

const auto rule = ContainsSubstring("refused, since a function given to async must not block");

struct Fixture {
    testing::LogLines lines = testing::LogLines{};
    testing::NatsServer server = testing::NatsServer{{.jetstream = true}};
    Broker broker{options()};
    Router<"late."> router = Router<"late.">{};
    std::string where = GENERATE("an answer", "a deadline");
    kv::Kv<Text> undeclared = broker.kv<Text>("UNDECLARED");
    std::optional<js::JetStream> js = {};
    std::optional<js::Consumer> consumer = {};
    std::optional<js::Delivery> delivery = {};
    std::optional<js::AsyncPublisher> publisher = {};
    std::optional<kv::Kv<Text>> bucket = {};
    std::optional<obj::Store> files = {};

    Fixture() {
        broker.subscriber<"echo">().handle([](std::string_view body) { return Text{body}; });
        broker.subscriber<"mute">().handle([](std::string_view) {});
        router.subscriber<"x">().handle([](std::string_view) {});
        broker.start();
        js = broker.jetstream();
        js->declare({.name = "S", .subjects = {"s.>"}, .allow_atomic = true});
        consumer = js->consumer("S", "c");
        consumer->declare({});
        js->publish("s.1", "one");
        delivery = consumer->next(20s);
        publisher = js->async_publisher();
        bucket = broker.kv<Text>("B");
        files = broker.object_store("F");
    }

    BrokerOptions options() const { return {.servers = {server.url()}, .stop_timeout = 1h, .logger = lines.logger()}; }

    /// Runs `body` in a function that gets an answer, or is told of its deadline. Returns the error that it threw, as
    /// text; nothing: it returned.
    std::optional<std::string> inside(std::function<void()> body) {
        auto said = std::make_shared<std::promise<std::optional<std::string>>>();
        auto future = said->get_future();
        const auto subject = where == "an answer" ? "echo" : "mute";
        broker.client<void(Text)>(subject).async({.timeout = where == "an answer" ? 20s : 1ms}, "x",
                                                 [said, body = std::move(body)](const Expected<void>&) {
                                                     try {
                                                         body();
                                                         said->set_value(std::nullopt);
                                                     } catch (const std::exception& error) {
                                                         said->set_value(error.what());
                                                     }
                                                 });
        REQUIRE(future.wait_for(20s) == std::future_status::ready);
        return future.get();
    }

    void refuse(const Calls& calls) {
        for (const auto& [name, call] : calls) {
            INFO(name << " inside the function of " << where);
            CHECK_THAT(inside(call).value_or("it returned"), rule);
        }
        CHECK(broker.request<Text>("echo", "still there", {.timeout = 20s}) == "still there");
    }
    void allow(const Calls& calls) {
        for (const auto& [name, call] : calls) {
            INFO(name << " inside the function of " << where);
            CHECK(inside(call).value_or("it returned") == "it returned");
        }
        CHECK(broker.request<Text>("echo", "still there", {.timeout = 20s}) == "still there");
    }
};

/// The last column of the table in docs/threads.md, by the first one.
std::map<std::string, std::string> documented() {
    std::map<std::string, std::string> rows;
    std::ifstream page{FRESHET_THREADS_PAGE};
    bool in_table = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("| call | blocks |")) in_table = true;
        else if (!line.starts_with('|')) in_table = false;
        if (!in_table || line.starts_with("| call") || line.starts_with("|---")) continue;
        const auto last = line.rfind('|', line.size() - 2);
        rows[line.substr(2, line.find(" |", 2) - 2)] = line.substr(last + 2, line.size() - last - 4);
    }
    return rows;
}

constexpr auto refused = "refused";
constexpr auto does_not_wait = "does not wait";

}  // namespace

TEST_CASE("the page about threads has a row for each call that may block") {
    CHECK(documented() ==
          std::map<std::string, std::string>{
              {"`publish`", does_not_wait},
              {"`request`, a client's call", refused},
              {"`async`", does_not_wait},
              {"`get`, `wait`, `wait_for`, `wait_until` of a `Future`", refused},
              {"`request_many`, reading its answers", refused},
              {"`ping`, `info` and `stats` of `Services`", refused},
              {"`next` of a `MessageStream`, iterating over it", refused},
              {"`ping`; `handle`, `messages`, `include` and `service` on a running broker", refused},
              {"`start` and `run` of a broker, `run` of an `App`", refused},
              {"`stop` of a broker", does_not_wait},
              {"`stop` of a `Subscriber` or `MessageStream`, the destructor of a `MessageStream`", does_not_wait},
              {"the destructor of `Broker`", does_not_wait},
              {"JetStream, key-value, object store", refused},
              {"`next` and `fetch` of a `Consumer`, `next` of its `Deliveries`", refused},
              {"`next` of `OrderedMessages`, iterating over them", refused},
              {"`ack_sync`", refused},
              {"`next` and `initial` of a `Watcher`", refused},
              {"`stop`, `drain` and the destructor of `Deliveries` and `OrderedMessages`, `stop` and the "
               "destructor of `Watcher`",
               does_not_wait},
              {"`publish` of an asynchronous publisher", does_not_wait},
              {"`flush` of an asynchronous publisher", refused},
          });
}

TEST_CASE_METHOD(Fixture, "requests, answers and futures do not block a thread that brings answers") {
    const auto mute = broker.client<Text(Text)>("mute", {.timeout = 1h});
    auto answers = broker.request_many<Text>("mute", "x", {.timeout = 1h});
    auto future = mute.async("x");
    auto echoed = broker.client<Text(Text)>("echo").async("done");
    REQUIRE(echoed.wait_for(20s) == std::future_status::ready);
    refuse({{"request", [&] { broker.request<Text>("mute", "x", {.timeout = 1h}); }},
            {"a client's call", [&] { mute("x"); }},
            {"try_call", [&] { value_or_raise(mute.try_call("x")); }},
            {"request_many", [&] { value_or_raise(*broker.request_many<Text>("mute", "x", {.timeout = 1h}).next()); }},
            {"reading answers", [&] { value_or_raise(*answers.next()); }},
            {"ping of Services", [&] { broker.services().ping(); }},
            {"info of Services", [&] { broker.services().info("x"); }},
            {"stats of Services", [&] { broker.services().stats("x", "y"); }},
            {"service", [&] { broker.service({.name = "x", .version = "1.0.0"}); }},
            {"get of a Future", [&] { future.get(); }},
            {"wait of a Future", [&] { future.wait(); }},
            {"wait_for of a Future", [&] { future.wait_for(1h); }},
            {"wait_until of a Future", [&] { future.wait_until(std::chrono::steady_clock::now() + 1h); }}});
    allow({{"publish", [&] { broker.publish("mute", "x"); }},
           {"async", [&] { mute.async("x", [](const Expected<Text>&) {}); }},
           {"a look at a Future", [&] { future.wait_for(0s); }},
           {"get of a Future that is ready", [&] {
                if (echoed.valid() && echoed.get() != "done") raise({Errc::remote, "another answer"});
            }}});
    CHECK(future.valid());
}

TEST_CASE_METHOD(Fixture, "streams of messages and starts do not block a thread that brings answers") {
    auto stream = broker.subscriber<"stream">().messages();
    Broker other{options()};
    App app{other};
    refuse({{"next of a MessageStream", [&] { stream.next(); }},
            {"next of a MessageStream with a time", [&] { stream.next(1h); }},
            {"iterating over a MessageStream", [&] { stream.begin(); }},
            {"ping", [&] { broker.ping(1h); }},
            {"handle", [&] { broker.subscriber<"new">().handle([](std::string_view) {}); }},
            {"messages", [&] { broker.subscriber<"new">().messages(); }},
            {"include", [&] { broker.include(router); }},
            {"start", [&] { Broker{options()}.start(); }},
            {"run", [&] { Broker{options()}.run(); }},
            {"run of an App", [&] {
                 if (app.run() == 1) raise({Errc::bad_setup, lines.find("start: refused")});
             }}});
    CHECK(broker.stats().subscribers == 3);
    allow({{"a look at a MessageStream", [&] { stream.next(0ms); }}});
    broker.publish("stream", "there");
    REQUIRE(testing::eventually([&] { return stream.stats().pending > 0; }));
    allow({{"next of a MessageStream that has a message", [&] { stream.next(); }}});
    broker.include(router);  // the refused call has left nothing behind
}

TEST_CASE_METHOD(Fixture, "JetStream does not block a thread that brings answers") {
    auto deliveries = consumer->messages();
    auto ordered = js->ordered({.stream = "S"});
    while (ordered.next(1s)) continue;
    auto batch = js->atomic_batch();
    batch.add("s.2", "x");
    refuse({{"declare", [&] { js->declare({.name = "T"}); }},
            {"streams", [&] { js->streams(); }},
            {"info of a stream", [&] { js->stream("S").info(); }},
            {"purge", [&] { js->stream("S").purge(); }},
            {"message", [&] { js->stream("S").message(1); }},
            {"messages of a stream", [&] { js->stream("S").messages(); }},
            {"publish", [&] { js->publish("s.1", "x"); }},
            {"increment", [&] { js->increment("s.1", 1); }},
            {"add to an atomic batch", [&] { batch.add("s.3", "x"); }},
            {"commit",
             [&] {
                 js->atomic_batch().add("s.1", "x");
                 batch.commit();
             }},
            {"flush", [&] { publisher->flush(1h); }},
            {"info of a consumer", [&] { consumer->info(); }},
            {"declare a consumer", [&] { consumer->declare({}); }},
            {"next of a consumer", [&] { consumer->next(1h); }},
            {"fetch", [&] { consumer->fetch({.messages = 1}); }},
            {"messages of a consumer", [&] { consumer->messages(); }},
            {"next of Deliveries", [&] { deliveries.next(1h); }},
            {"iterating over Deliveries", [&] { deliveries.begin(); }},
            {"ordered", [&] { js->ordered({.stream = "S"}); }},
            {"next of ordered messages", [&] { ordered.next(1h); }},
            {"iterating over ordered messages", [&] { ordered.begin(); }},
            {"ack_sync", [&] { delivery->ack_sync(); }}});
    auto second = std::make_unique<js::OrderedMessages>(js->ordered({.stream = "S"}));
    allow({{"publish of an asynchronous publisher", [&] { publisher->publish("s.1", "x"); }},
           {"a look at Deliveries", [&] { deliveries.next(0ms); }},
           {"stop of Deliveries", [&] { deliveries.stop(); }},
           {"drain of ordered messages", [&] { ordered.drain(); }},
           {"stop of ordered messages", [&] { ordered.stop(); }},
           {"the destructor of ordered messages", [&] { second.reset(); }}});
}

TEST_CASE_METHOD(Fixture, "buckets and object stores do not block a thread that brings answers") {
    auto watcher = bucket->watch();
    auto objects = files->watch();
    watcher.initial(), objects.initial();
    refuse({{"get", [&] { bucket->get("k"); }},
            {"put", [&] { bucket->put("k", "v"); }},
            {"create", [&] { bucket->create("k", "v"); }},
            {"erase", [&] { bucket->erase("k"); }},
            {"keys", [&] { bucket->keys(); }},
            {"history", [&] { bucket->history("k"); }},
            {"watch", [&] { bucket->watch(); }},
            {"status", [&] { bucket->status(); }},
            {"another bucket", [&] { broker.kv<Text>("C"); }},
            {"names of buckets", [&] { kv::bucket_names(broker); }},
            {"next of a kv::Watcher", [&] { watcher.next(); }},
            {"next of a kv::Watcher with a time", [&] { watcher.next(1h); }},
            {"iterating over a kv::Watcher", [&] { watcher.begin(); }},
            {"put an object", [&] { files->put("f", "bytes"); }},
            {"get an object", [&] { files->get("f"); }},
            {"info of an object", [&] { files->info("f"); }},
            {"list", [&] { files->list(); }},
            {"watch objects", [&] { files->watch(); }},
            {"another object store", [&] { broker.object_store("G"); }},
            {"next of an obj::Watcher", [&] { objects.next(); }}});
    allow({{"get_async", [&] { bucket->get_async("k", [](const auto&) {}); }},
           {"a look at a Watcher", [&] { watcher.next(0ms); }},
           {"initial when all have come", [&] { watcher.initial(); }},
           {"stop of a Watcher", [&] { watcher.stop(); }}});
}

TEST_CASE_METHOD(Fixture, "stops and destructors do not wait for a handler on a thread that brings answers") {
    std::counting_semaphore<> go{0};
    const auto hold = [&](std::string_view) { go.acquire(); };
    auto other = std::make_unique<Broker>(options());
    auto third = std::make_unique<Broker>(options());
    const SubscriberOptions own{.dedicated = true};
    auto subscriber = broker.subscriber<"held">(own).handle(hold);
    auto stream = std::make_unique<MessageStream>(broker.subscriber<"held">().messages());
    auto stream2 = std::make_unique<MessageStream>(broker.subscriber<"held">().messages());
    auto deliveries = std::make_unique<js::Deliveries>(consumer->messages());
    auto watcher = std::make_unique<kv::Watcher<Text>>(bucket->watch());
    for (auto* const each : {other.get(), third.get()}) {
        each->subscriber<"held">(own).handle(hold);
        each->start();
    }
    broker.publish("held", "x");
    REQUIRE(testing::eventually([&] {
        return subscriber.stats().received + other->stats().received + third->stats().received == 3;
    }));
    allow({{"stop of a subscriber", [&] { subscriber.stop(); }},
           {"stop of a MessageStream", [&] { stream->stop(); }},
           {"the destructor of a MessageStream", [&] { stream2.reset(); }},
           {"the destructor of Deliveries", [&] { deliveries.reset(); }},
           {"the destructor of a Watcher", [&] { watcher.reset(); }},
           {"stop of a broker", [&] { other->stop(); }},
           {"the destructor of a broker", [&] { third.reset(); }}});
    go.release(3);
    CHECK(other->stop());
}
