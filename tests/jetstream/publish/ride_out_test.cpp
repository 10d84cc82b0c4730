// SPDX-License-Identifier: Apache-2.0
// Publishing while something stands in the way: no leader, a service on the same subject, a slow connection.
#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/must.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using testing::JetStreamFixture;

namespace {

/// Between clients and a server: what the server sends passes at so many bytes in a second.
class SlowLine {
public:
    SlowLine(std::uint16_t server, std::size_t bytes_per_second) : server_{server}, rate_{bytes_per_second} {
        auto address = local(0);
        socklen_t size = sizeof address;
        testing::must(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        testing::must(::listen(listener_, 8) == 0);
        testing::must(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        accepting_ = std::jthread{[this] { accept_all(); }};
    }
    ~SlowLine() {
        ::shutdown(listener_, SHUT_RDWR);
        accepting_.join();
        for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
        copying_.clear();
        for (const int socket : sockets_) ::close(socket);
        ::close(listener_);
    }
    std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

private:
    static sockaddr_in local(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    void accept_all() {
        for (int client = 0; (client = ::accept(listener_, nullptr, nullptr)) >= 0;) {
            const int server = ::socket(AF_INET, SOCK_STREAM, 0);
            auto address = local(server_);
            testing::must(::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
            sockets_.push_back(client);
            sockets_.push_back(server);
            copying_.emplace_back([client, server] { copy(client, server, 0); });
            copying_.emplace_back([client, server, rate = rate_] { copy(server, client, rate); });
        }
    }
    static void copy(int from, int to, std::size_t rate) {
        std::array<char, 16'384> bytes{};
        for (;;) {
            const auto count = ::read(from, bytes.data(), bytes.size());
            if (count <= 0) break;
            if (rate != 0)
                std::this_thread::sleep_for(std::chrono::microseconds{count * 1'000'000 / static_cast<ssize_t>(rate)});
            if (::send(to, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) break;
        }
        ::shutdown(to, SHUT_RDWR);
    }

    const std::uint16_t server_;
    const std::size_t rate_;
    const int listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    std::uint16_t port_ = 0;
    std::vector<int> sockets_ = {};
    std::vector<std::jthread> copying_ = {};
    std::jthread accepting_ = {};
};

const js::Stream batches{
    .name = "B", .subjects = {"b"}, .storage = js::Storage::memory, .allow_direct = true, .allow_atomic = true};

}  // namespace

TEST_CASE("a message with an id is published again for longer than an election takes") {
    Broker broker;
    testing::TestBroker test{broker};
    const auto js = broker.jetstream();
    const auto begin = test.now();
    CHECK(js.try_publish("nobody", "x", {.id = "1"}).error().code() == Errc::no_stream);
    CHECK(test.now() - begin >= 10s);

    auto publisher = js.async_publisher();
    const auto second = test.now();
    publisher.publish("nobody", "x", {.id = "2"});
    CHECK(publisher.try_flush(1min).error().code() == Errc::no_stream);
    CHECK(test.now() - second >= 10s);

    const auto third = test.now();
    CHECK(js.try_publish("nobody", "x", {.id = "3", .timeout = 1s}).error().code() == Errc::no_stream);
    CHECK(test.now() - third <= 1s);
}

TEST_CASE("a message whose acknowledgement is lost is stored, and its expectation is not held against it") {
    testing::MemoryServer server;
    Broker broker;
    testing::TestBroker test{broker, server};
    int lost = 0;
    server.intercept([&](const testing::Passage& passage) {
        const bool ack = passage.subject.starts_with("_INBOX") && as_text(passage.payload).starts_with("{\"stream\":");
        return testing::Fate{.copies = ack && lost > 0 && lost-- > 0 ? 0U : 1U};
    });
    const auto js = broker.jetstream();
    js.declare({.name = "S", .subjects = {"s"}});
    const bool waits = GENERATE(true, false);
    auto publisher = js.async_publisher();
    const auto publish = [&](std::string_view body, const js::PublishOptions& options) -> Expected<js::PublishAck> {
        if (waits) return js.try_publish("s", body, options);
        try {
            return publisher.publish_future("s", body, options).get();
        } catch (const Error& error) { return std::unexpected{error}; }
    };
    lost = 1;
    const auto first = publish("one", {.id = "1", .expect_last_sequence = 0});
    INFO((first ? "" : first.error().what()));
    REQUIRE(first);
    CHECK(first->sequence == 1);
    lost = 2;
    const auto second = publish("two", {.id = "2", .expect_last_subject_sequence = 1});
    REQUIRE(second);
    CHECK(second->sequence == 2);
    CHECK(publish("three", {.id = "3", .expect_last_sequence = 1}).error().code() == Errc::wrong_last_sequence);
    CHECK(js.stream("S").info().state.messages == 2);
}

TEST_CASE_METHOD(JetStreamFixture, "a service on a batch's subject consents to nothing, and stands in no way") {
    const std::string answer = GENERATE("", "thank you", R"({"stored":true})");
    Broker service{{.servers = {server.url()}}};
    service.subscriber("b").handle([&] { return answer; });
    service.start();
    const auto js = started();
    js.declare(batches);
    for (int round = 1; round <= 20; ++round) {
        INFO(answer << ' ' << round);
        auto batch = js.atomic_batch();
        for (int i = 0; i < 5; ++i) REQUIRE(batch.try_add("b", "x"));
        const auto ack = batch.try_commit();
        REQUIRE(ack);
        CHECK(ack->batched == 5);
    }
    CHECK(js.stream("B").info().state.messages == 100);

    js.stream("B").remove();
    auto nowhere = broker.jetstream({.timeout = 300ms}).atomic_batch();
    const auto added = nowhere.try_add("b", "x");
    CHECK(added);
    std::ignore = nowhere.try_add("b", "x");
    CHECK_FALSE(nowhere.try_commit());
}

TEST_CASE_METHOD(JetStreamFixture, "a batch that the server forgot is sent again as a whole") {
    const auto js = started();
    js.declare({.name = "B", .subjects = {"b"}, .allow_direct = true, .allow_atomic = true});
    auto batch = js.atomic_batch();
    for (int i = 0; i < 5; ++i) batch.add("b", std::to_string(i));
    server.restart();
    const auto ack = batch.try_commit();
    INFO((ack ? "" : ack.error().what()));
    REQUIRE(ack);
    CHECK(ack->batched == 5);
    const auto stored = js.stream("B").messages();
    REQUIRE(stored.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) CHECK(stored.at(i).text() == std::to_string(i));
}

TEST_CASE_METHOD(JetStreamFixture, "messages that take longer than one timeout in all are read") {
    const auto js = started();
    js.declare({.name = "S", .subjects = {"s.*"}, .storage = js::Storage::memory, .allow_direct = true});
    const std::string large(500'000, 'x');
    for (int i = 0; i < 8; ++i) js.publish("s." + std::to_string(i), large);
    const SlowLine line{server.port(), 1'500'000};
    Broker slow{{.servers = {line.url()}, .ping_interval = 1min}};
    slow.start();
    const auto stream = slow.jetstream({.timeout = 1'500ms}).stream("S");
    const auto all = stream.try_messages();
    INFO((all ? "" : all.error().what()));
    REQUIRE(all);
    CHECK(all->size() == 8);
    const auto last = stream.try_last_messages({"s.>"});
    REQUIRE(last);
    CHECK(last->size() == 8);
}
