// SPDX-License-Identifier: Apache-2.0
// What cnats does to the whole process.
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/native.hpp>
#include <freshet/transport.hpp>

#include "../support/certificates.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;
using Kind = ConnectionEvent::Kind;

namespace {

std::ptrdiff_t threads() {
    const std::filesystem::directory_iterator tasks{"/proc/self/task"};
    return std::distance(begin(tasks), end(tasks));
}

/// What cnats does when it is opened.
bool ignores_sigpipe() {
    struct sigaction action{};
    ::sigaction(SIGPIPE, nullptr, &action);
    return action.sa_handler == SIG_IGN;
}

/// What the process writes to stderr while it lives.
class StderrCapture {
public:
    StderrCapture() : file_{std::tmpfile()}, saved_{::dup(STDERR_FILENO)} { ::dup2(::fileno(file_), STDERR_FILENO); }
    StderrCapture(const StderrCapture&) = delete;
    StderrCapture& operator=(const StderrCapture&) = delete;
    ~StderrCapture() {
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
        std::fclose(file_);
    }

    std::string text() const {
        std::array<char, 4'096> bytes{};
        const auto size = ::pread(::fileno(file_), bytes.data(), bytes.size(), 0);
        return {bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    }

private:
    std::FILE* file_;
    int saved_;
};

/// Runs `check` in a child process; its number of failed checks.
template <class F>
int failures_in_child(F check) {
    const auto child = ::fork();
    if (child == 0) ::_exit(check());
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

// cnats has no threads in the child: what is published there is accepted and lost, a flush times out.
TEST_CASE("a forked child is told that it cannot use its parent's connections, nor make its own") {
    NatsServer server;
    auto transport = connect(server);
    auto inbox = std::make_shared<Inbox>();
    auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    const auto is_refused = [](const auto& result) {
        return !result && result.error().code() == Errc::bad_setup &&
               std::string{result.error().what()}.find("fork first, then start") != std::string::npos;
    };
    const int failed = failures_in_child([&] {
        int failures = 0;
        const Headers headers{{"k", "v"}};
        failures += !is_refused(transport->publish({.subject = "x"}));
        failures += !is_refused(transport->publish({.subject = "x", .headers = &headers}));
        failures += !is_refused(transport->subscribe({.subject = "x"}, inbox));
        failures += !is_refused(subscription->auto_unsubscribe(1));
        failures += !is_refused(transport->flush(1s));
        failures += !is_refused(nats_transport({.servers = {server.url()}})->open(1s, {}));
        failures += !transport->server().url.empty();
        subscription->drain(1s);
        transport->drain_deliveries(1s);
        transport->close(1s);
        subscription.reset();
        transport.reset();
        return failures;
    });
    CHECK(failed == 0);
    publish(*transport, "x", "the parent goes on");
    CHECK(inbox->wait_for(1));
}

TEST_CASE("a child that was forked before the first broker has its own") {
    if (ignores_sigpipe()) SKIP("another test of this process has opened cnats");
    const int failed = failures_in_child([] {
        NatsServer server;
        auto transport = connect(server);
        auto inbox = std::make_shared<Inbox>();
        const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
        publish(*transport, "x", "1");
        return inbox->wait_for(1) ? 0 : 1;
    });
    CHECK(failed == 0);
}

// Opening and closing the library races; a connection that outlives it crashes. It is opened once, and stays.
TEST_CASE("many threads open their first transports at once") {
    NatsServer server;
    std::atomic<int> echoed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, subject = "x." + std::to_string(i)] {
            auto transport = connect(server);
            auto inbox = std::make_shared<Inbox>();
            const auto subscription = subscribe(*transport, inbox, {.subject = subject});
            publish(*transport, subject, "1");
            echoed += inbox->wait_for(1);
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(echoed == 8);
}

TEST_CASE("a transport may live until the end of the process") {
    static NatsServer server{{.tls = {.certificate = certificates().server, .private_key = certificates().server_key}}};
    static const auto transport = connect(server, {.tls = {.ca_file = certificates().ca}});
    static auto inbox = std::make_shared<Inbox>();
    static const auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    publish(*transport, "x", "1");
    CHECK(inbox->wait_for(1));
}

TEST_CASE("writing to a server that is gone does not end the process") {
    NatsServer server;
    auto transport = connect(server);
    CHECK(ignores_sigpipe());
}

TEST_CASE("nothing is printed, whatever goes wrong") {
    const StderrCapture capture;
    NatsServer server{
        {.config = "authorization { users: [ { user: u, password: p, permissions: { publish: \"ok\" } } ] }"}};
    EventLog events;
    auto transport =
        connect(server, {.credentials = UserPassword{"u", "p"}, .reconnect = {.min_wait = 1ms, .max_wait = 10ms}},
                events.sink());
    publish(*transport, "secret", "x");
    CHECK(events.wait_for(Kind::error));
    server.kill();
    CHECK(events.wait_for(Kind::disconnected));
    server.restart();
    CHECK(events.wait_for(Kind::reconnected));
    transport.reset();
    CHECK(capture.text().empty());
}

TEST_CASE("subscribers share the delivery threads") {
    NatsServer server;
    auto transport = connect(server, {.delivery_threads = 3});
    auto first = subscribe(*transport, std::make_shared<Inbox>(), {.subject = "x"});
    const auto before = threads();
    std::vector<std::unique_ptr<TransportSubscription>> held;
    for (int i = 0; i < 100; ++i)
        held.push_back(value_or_raise(transport->subscribe({.subject = "x"}, std::make_shared<Inbox>())));
    CHECK(threads() <= before + 2);
    auto reply = subscribe(*transport, std::make_shared<Inbox>(), {.subject = "y", .lane = Lane::replies});
    CHECK(threads() <= before + 3);
}

// The environment can move every subscription to cnats's pool, or none.
TEST_CASE("replies arrive while every delivery thread waits for one") {
    ::setenv("NATS_DEFAULT_TO_LIB_MSG_DELIVERY", "true", 1);
    NatsServer server;
    auto transport = connect(server, {.delivery_threads = 2});
    auto other = connect(server);
    auto service =
        std::make_shared<Inbox>([&](const Message& message) { publish(*other, message.reply_to(), "answer"); });
    const auto serving = subscribe(*other, service, {.subject = "ask", .lane = Lane::replies});
    auto replies = std::make_shared<Inbox>();
    const auto waiting = subscribe(*transport, replies, {.subject = "_INBOX.p.*", .lane = Lane::replies});

    constexpr int handlers = 32;  // more than the pool can have threads here
    std::atomic<int> blocked = 0;
    std::latch answered{1};
    std::vector<std::unique_ptr<TransportSubscription>> held;
    for (int i = 0; i < handlers; ++i) {
        held.push_back(subscribe(*transport, std::make_shared<Inbox>([&](const Message&) {
            ++blocked;
            answered.wait();
        }),
                                 {.subject = "block"}));
    }
    publish(*transport, "block", "x");
    REQUIRE(eventually([&] { return blocked >= 2; }));
    value_or_raise(transport->publish({.subject = "ask", .reply_to = "_INBOX.p.1", .flush = Flush::now}));
    CHECK(replies->wait_for(1));
    CHECK(blocked < handlers);
    answered.count_down();
    CHECK(eventually([&] { return blocked == handlers; }));
    transport->close(1s);
    other->close(1s);
}

TEST_CASE("a message outlives its transport") {
    NatsServer server;
    auto transport = connect(server);
    std::vector<Message> kept;
    auto inbox = std::make_shared<Inbox>([&](Message message) { kept.push_back(std::move(message)); });
    auto subscription = subscribe(*transport, inbox, {.subject = "x"});
    const Headers headers{{"k", "v"}};
    value_or_raise(transport->publish({.subject = "x", .payload = as_bytes("body"), .headers = &headers}));
    REQUIRE(inbox->wait_for(1));
    subscription.reset();
    transport.reset();
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].subject() == "x");
    CHECK(kept[0].text() == "body");
    CHECK(kept[0].header("k") == "v");
    CHECK(kept[0].header("absent") == std::nullopt);
}
