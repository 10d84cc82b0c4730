// SPDX-License-Identifier: Apache-2.0
// The services of examples/jobs, examples/tenants and examples/sessions without their main, tested in memory.
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/middleware/rate_limit.hpp>
#include <freshet/testing.hpp>

namespace tenants {
#define main tenants_main
#include "../../examples/tenants/tenants.cpp"
#undef main
}  // namespace tenants
namespace sessions {
#define main sessions_main
#include "../../examples/sessions/sessions.cpp"
#undef main
}  // namespace sessions
namespace jobs_service {
#define main jobs_main
#include "../../examples/jobs/jobs.cpp"
#undef main
}  // namespace jobs_service

using freshet::Outcome;
using freshet::testing::TestBroker;
using namespace std::chrono_literals;

TEST_CASE("tenants: each has notes, a key and a limit of its own") {
    freshet::Broker broker;
    tenants::wire(broker);
    TestBroker test{broker};
    const freshet::RequestOptions acme{.headers = {{"key", "acme-key"}}};
    const freshet::RequestOptions umbrella{.headers = {{"key", "umbrella-key"}}};
    test.request<void>("notes.acme.7.put", "buy milk", acme);
    CHECK(test.request<std::string>("notes.acme.7.get", "", acme) == "buy milk");
    CHECK(test.request<tenants::Problem>("notes.umbrella.7.get", "", umbrella).code == 404);
    CHECK(test.try_request<void>("notes.umbrella.7.get", "", acme).error().remote_code() == 403);
    CHECK(test.try_request<void>("notes.nobody.7.get", "", acme).error().remote_code() == 403);
    CHECK(test.try_request<void>("notes.acme.7.get", "").error().remote_code() == 403);

    bool limited = false;
    for (int i = 0; i < 100 && !limited; ++i) limited = !test.try_request<void>("notes.acme.7.get", "", acme);
    CHECK(limited);
    CHECK(test.try_request<void>("notes.umbrella.7.put", "still fine", umbrella));
    test.advance(1s);
    CHECK(test.try_request<void>("notes.acme.7.get", "", acme));
}

TEST_CASE("sessions: what a message changes is written whole, or not at all") {
    freshet::Broker broker;
    const auto database = std::make_shared<sessions::Database>();
    broker.provide(database);
    sessions::wire(broker);
    TestBroker test{broker};
    using Balances = std::map<std::string, int>;
    using sessions::Move;

    CHECK(test.request<sessions::Moved>("accounts.move", Move{"ann", "bob", 30}).left == 70);
    CHECK(database->read() == Balances{{"ann", 70}, {"bob", 30}});
    CHECK(test.try_request<sessions::Moved>("accounts.move", Move{"ann", "eve", 30}).error().remote_code() == 404);
    CHECK(test.try_request<sessions::Moved>("accounts.move", Move{"ann", "bob", 80}).error().remote_code() == 409);
    CHECK(database->read() == Balances{{"ann", 70}, {"bob", 30}});
    CHECK(test.published("accounts.moved").size() == 1);
}

TEST_CASE("jobs: what fails is tried again, and kept at last") {
    freshet::Broker broker;
    jobs_service::wire(broker);
    TestBroker test{broker};
    using jobs_service::Thumbnail;
    CHECK(test.publish("jobs.thumbnail", Thumbnail{"a.png", 200}) == Outcome::ack);
    test.publish("jobs.thumbnail", Thumbnail{"a.png", 0});
    CHECK(test.published<Thumbnail>("dead.jobs").size() == 1);
    test.publish("jobs.thumbnail", Thumbnail{"a.broken", 200});
    CHECK(test.published<Thumbnail>("dead.jobs").size() == 1);
    test.advance(2s);
    REQUIRE(test.published<Thumbnail>("dead.jobs").size() == 2);
    CHECK(test.published<Thumbnail>("dead.jobs").at(1).image == "a.broken");
    CHECK(test.deliveries("dead.jobs").size() == 2);
}
