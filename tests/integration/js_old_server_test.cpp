// SPDX-License-Identifier: Apache-2.0
// An old nats-server: what it has works, and what it has not is an error that names the version.
#include <chrono>
#include <cstdlib>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/jetstream.hpp"
#include "../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string old_program() {
    const char* program = std::getenv("FRESHET_OLD_NATS_SERVER");
    if (program == nullptr || *program == '\0') {
        SKIP("FRESHET_OLD_NATS_SERVER is not set: to the path of a nats-server 2.9, such as Debian 12's");
        return {};
    }
    return program;
}

struct OldServer {
    testing::NatsServer server = testing::NatsServer{{.jetstream = true, .program = old_program()}};
    Broker broker{{.servers = {server.url()}}};
    js::JetStream js = (broker.start(), broker.jetstream());

    void needs(const char* version, const char* setting, const js::Stream& stream) const {
        const auto declared = js.try_declare(stream);
        REQUIRE_FALSE(declared);
        INFO(declared.error().message());
        CHECK(declared.error().code() == Errc::server_too_old);
        CHECK_THAT(std::string{declared.error().message()}, ContainsSubstring(version) && ContainsSubstring(setting));
        CHECK(js.stream(stream.name).try_info().error().code() == Errc::stream_not_found);
    }
};

}  // namespace

TEST_CASE_METHOD(OldServer, "old server: streams, publishing, reading") {
    const js::Stream stream{.name = "ORDERS",
                            .subjects = {"orders.>"},
                            .storage = js::Storage::memory,
                            .max_age = 1h,
                            .compression = js::Compression::none,
                            .allow_direct = true,
                            .allow_atomic = false,
                            .declare = js::Declare::verify};
    js.declare(stream);
    CHECK(js.differences(stream).empty());
    CHECK(js.declare({.name = "ORDERS", .max_age = 2h, .declare = js::Declare::reconcile}).config.max_age == 2h);
    CHECK(js.publish("orders.eu", Order{"a", 1}, {.id = "a"}).sequence == 1);
    CHECK(js.publish("orders.eu", Order{"a", 1}, {.id = "a"}).duplicate);
    CHECK(js.try_publish("orders.eu", Order{}, {.expect_last_sequence = 7}).error().code() ==
          Errc::wrong_last_sequence);
    auto publisher = js.async_publisher();
    for (int i = 0; i < 1'000; ++i) publisher.publish("orders.us", Order{"b", 2});
    publisher.flush(30s);
    const auto orders = js.stream("ORDERS");
    CHECK(orders.info({.subjects = ">"}).state.subjects.at("orders.us") == 1'000);
    for (const auto read : {js::Read::leader, js::Read::direct}) {
        CHECK(orders.message(1, read).decode<Order>().id == "a");
        CHECK(orders.last_message("orders.us", read).sequence == 1'001);
        CHECK(orders.message(1, read).time.time_since_epoch() > 0s);
    }
    CHECK(orders.purge({.keep = 1}) == 1'000);
}

TEST_CASE_METHOD(OldServer,
                 "old server: what it does not know is named with its version, and no stream is left behind") {
    needs("2.10", "compression", {.name = "A", .subjects = {"a"}, .compression = js::Compression::s2});
    needs("2.10", "metadata", {.name = "A", .subjects = {"a"}, .metadata = {{"k", "v"}}});
    needs("2.10", "first_seq", {.name = "A", .subjects = {"a"}, .first_seq = 5});
    needs("2.10", "subject_transform", {.name = "A", .subjects = {"a"}, .transform = js::SubjectTransform{"a", "b"}});
    needs("2.11", "allow_msg_ttl", {.name = "A", .subjects = {"a"}, .allow_msg_ttl = true});
    needs("2.12", "allow_atomic", {.name = "A", .subjects = {"a"}, .allow_atomic = true});
    needs("2.14", "allow_batched", {.name = "A", .subjects = {"a"}, .allow_batched = true});

    js.declare({.name = "ORDERS", .subjects = {"orders"}, .allow_direct = true});
    const auto too_old = [](const auto& result) { return !result && result.error().code() == Errc::server_too_old; };
    CHECK(too_old(js.try_publish("orders", Order{}, {.ttl = 5s})));
    CHECK(too_old(js.try_publish("orders", Order{}, {.schedule = js::Schedule{.every = 5s, .target = "orders"}})));
    CHECK(too_old(js.try_increment("orders")));
    CHECK(too_old(js.atomic_batch().try_add("orders", Order{})));
    CHECK(too_old(js.async_publisher().try_publish("orders", Order{}, {.ttl = 5s})));
    CHECK(too_old(js.stream("ORDERS").try_messages()));
    CHECK(js.stream("ORDERS").info().state.messages == 0);
}
