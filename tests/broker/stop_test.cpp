// SPDX-License-Identifier: Apache-2.0
// Stopping under load loses no message that was taken: in the process, and by SIGTERM.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/doorstep.hpp"
#include "../support/process.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::eventually;

namespace {

constexpr int enough = 2'000;  // messages of each kind before the stop, so that it comes in the middle of the load
constexpr int killed_by_sigterm = 128 + SIGTERM;

/// Publishes to each of the subjects in turn, as fast as it can while it lives.
class Load {
public:
    Load(Broker& broker, std::vector<std::string> subjects)
        : thread_{[&broker, subjects = std::move(subjects)](const std::stop_token& stop) {
              for (std::size_t i = 0; !stop.stop_requested(); ++i)
                  std::ignore = broker.try_publish(subjects[i % subjects.size()], "x");
          }} {}

private:
    std::jthread thread_;
};

/// Counts what comes on the subjects `prefix.*`.
class Counter {
public:
    Counter(Broker& broker, const std::string& prefix) {
        for (const auto* kind : {"plain", "workers", "ordered", "dedicated"}) {
            auto& count = *counts_.emplace(kind, std::make_unique<std::atomic<std::uint64_t>>(0)).first->second;
            broker
                .subscriber(prefix + kind,
                            {.max_pending_messages = 10'000'000, .max_pending_bytes = std::size_t{1} << 30})
                .handle([&count](std::string_view) { ++count; });
        }
    }

    std::uint64_t of(const std::string& kind) const { return *counts_.at(kind); }
    bool all_reach(std::uint64_t least) const {
        return std::ranges::all_of(counts_, [&](const auto& entry) { return *entry.second >= least; });
    }

private:
    std::map<std::string, std::unique_ptr<std::atomic<std::uint64_t>>> counts_ = {};
};

std::vector<std::string> work_subjects() {
    std::vector<std::string> subjects;
    for (const auto* kind : {"plain", "workers", "ordered", "dedicated"})
        for (int n = 0; n < 5; ++n) subjects.push_back("work." + std::string{kind} + '.' + std::to_string(n));
    return subjects;
}

/// The number behind `text` in a program's output.
std::uint64_t number_after(const std::string& output, const std::string& text) {
    const auto at = output.find(text);
    REQUIRE(at != std::string::npos);
    return std::stoull(output.substr(at + text.size()));
}

struct ServiceFixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}}};

    std::unique_ptr<testing::Process> start(const std::string& mode) const {
        return std::make_unique<testing::Process>(std::vector<std::string>{FRESHET_STOP_SERVICE, mode},
                                                  std::vector<std::string>{"NATS_URL=" + server.url()});
    }
    /// Publishes until the service says that it handles a message.
    void publish_until(testing::Process& service, const std::string& said) {
        REQUIRE(eventually([&] {
            broker.publish("work.it", "");
            return service.output().find(said) != std::string::npos;
        }));
    }
};

}  // namespace

TEST_CASE("stop under load: everything received is handled and published, and nothing happens afterwards") {
    testing::NatsServer server;
    Broker source{{.servers = {server.url()}}};
    Counter effects{source, "effect."};
    source.start();

    Broker broker{{.servers = {server.url()}, .stop_timeout = 1h}};
    std::atomic<std::uint64_t> handled = 0;
    const std::vector<std::pair<std::string, SubscriberOptions>> kinds{{"plain", {}},
                                                                       {"workers", {.workers = 3}},
                                                                       {"ordered", {.workers = 3, .ordered_by = "n"}},
                                                                       {"dedicated", {.dedicated = true}}};
    std::vector<std::pair<std::string, Subscriber>> subscribers;
    for (const auto& [kind, options] : kinds) {
        subscribers.emplace_back(kind, broker.subscriber("work." + kind + ".{n}", options)
                                           .publish_to("effect." + kind)
                                           .handle([&](std::string_view body) {
                                               ++handled;
                                               return std::string{body};
                                           }));
    }
    auto stream = broker.subscriber("work.>", {.dedicated = true, .max_pending_messages = 10'000'000}).messages();
    broker.start();

    const Load load{source, work_subjects()};
    REQUIRE(eventually([&] { return effects.all_reach(enough); }));
    REQUIRE(broker.stop());

    const auto handled_at_stop = handled.load();
    std::uint64_t received = 0;
    for (const auto& [kind, subscriber] : subscribers) {
        CAPTURE(kind);
        const auto stats = subscriber.stats();
        CHECK(eventually([&] { return effects.of(kind) == stats.received; }));
        CHECK(stats.failed == 0);
        CHECK(stats.pending == 0);
        received += stats.received;
    }
    CHECK(handled_at_stop == received);
    CHECK(broker.stats().received == received + stream.stats().received);
    std::uint64_t read = 0;
    while (stream.next()) ++read;
    CHECK(read == stream.stats().received);
    CHECK(source.ping(20s) > 0ns);
    CHECK(handled == handled_at_stop);
}

TEST_CASE("stop under load answers every request that was taken") {
    testing::NatsServer server;
    Broker caller{{.servers = {server.url()}}};
    caller.start();
    Broker service{{.servers = {server.url()}, .stop_timeout = 1h}};
    std::atomic<int> handled = 0;
    const auto options = GENERATE(SubscriberOptions{}, SubscriberOptions{.workers = 3});
    service.subscriber("twice", options).handle([&](const Add& add) {
        ++handled;
        return Sum{2 * add.a};
    });
    service.start();
    const auto twice = caller.client<Sum(const Add&)>("twice", {.timeout = 60s});
    std::atomic<int> answered = 0;
    std::atomic<int> refused = 0;  // nobody listens any more
    std::atomic<int> other = 0;
    std::atomic<int> asked = 0;
    std::atomic<bool> enough_asked = false;
    std::jthread load{[&] {
        while (!enough_asked) {
            if (asked - answered - refused > 1'000) {
                std::this_thread::yield();
                continue;
            }
            ++asked;
            twice.async(Add{asked, 0}, [&](const Expected<Sum>& sum) {
                if (sum) ++answered;
                else if (sum.error().code() == Condition::no_responders) ++refused;
                else ++other;
            });
        }
    }};
    REQUIRE(eventually([&] { return answered > enough; }));
    REQUIRE(service.stop());
    REQUIRE(eventually([&] { return refused > 0; }));
    enough_asked = true;
    load.join();
    CHECK(eventually([&] { return answered + refused + other == asked; }));
    CHECK(other == 0);
    CHECK(answered == handled);
}

TEST_CASE_METHOD(ServiceFixture, "SIGTERM under load: every message that the service received has had its effect") {
    Counter effects{broker, "effect."};
    broker.start();
    const auto service = start("work");
    const Load load{broker, work_subjects()};
    REQUIRE(eventually([&] { return effects.all_reach(enough); }));
    CHECK(service->terminate() == 0);
    for (const std::string kind : {"plain", "workers", "ordered", "dedicated"}) {
        CAPTURE(kind);
        const auto received = number_after(service->output(), "received " + kind + ' ');
        CHECK(received >= enough);
        CHECK(eventually([&] { return effects.of(kind) == received; }));
    }
}

TEST_CASE_METHOD(ServiceFixture,
                 "a handler that never returns: run returns 1 at the deadline, a second signal ends the process") {
    broker.start();
    const auto service = start("hang");
    publish_until(*service, "handling");
    service->signal(SIGTERM);
    service->wait_for("run returned 1");
    service->signal(SIGTERM);
    CHECK(service->wait() == killed_by_sigterm);
}

TEST_CASE_METHOD(ServiceFixture, "a second signal ends a process that waits for its handlers") {
    broker.start();
    const auto service = start("wait");
    publish_until(*service, "handling");
    service->signal(SIGTERM);
    service->wait_for("stopping on signal 15");
    service->signal(SIGINT);
    CHECK(service->wait() == 128 + SIGINT);
}

TEST_CASE_METHOD(ServiceFixture, "a signal does not interrupt what a handler waits for") {
#ifdef __SANITIZE_THREAD__
    SKIP("ThreadSanitizer holds a signal back until read() returns");
#endif
    broker.start();
    const auto service = start("read");
    publish_until(*service, "the read");
    CHECK(service->wait() == 0);
    CHECK_THAT(service->output(), ContainsSubstring("the read went on"));
}

TEST_CASE_METHOD(ServiceFixture, "SIGTERM ends a service that still looks for its server") {
    server.stop();
    const testing::Doorstep nobody{server.port()};
    const auto service = start("work");
    REQUIRE(nobody.turn_away());
    CHECK(service->terminate() == 0);
}
