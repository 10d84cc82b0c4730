// SPDX-License-Identifier: Apache-2.0
// The code of docs/dependencies.md.
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../../tests/support/wait.hpp"
#include "connected.hpp"
#include "orders.hpp"

using freshet::testing::eventually;

// [function]
struct User {
    std::string name;
};

User user(freshet::Header<"user"> name) { return {.name = std::string{*name}}; }

double discount(freshet::Depends<&user> user) { return user->name == "ann" ? 0.1 : 0; }
// [function]

// [expected]
freshet::Expected<User> known_user(freshet::Header<"user", std::optional<std::string_view>> name) {
    if (!*name) return std::unexpected{freshet::RemoteError{401, "say who you are: send the header user"}};
    return User{.name = std::string{**name}};
}
// [expected]

// [session]
class Database {  // used from several threads at once, so it locks
public:
    void apply(const std::vector<std::string>& rows) {
        const std::lock_guard lock{mutex_};
        rows_.insert(rows_.end(), rows.begin(), rows.end());
    }
    std::vector<std::string> rows() const {
        const std::lock_guard lock{mutex_};
        return rows_;
    }

private:
    mutable std::mutex mutex_ = {};
    std::vector<std::string> rows_ = {};
};

class Session {
public:
    explicit Session(Database& database) : database_{database} {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void insert(std::string row) { rows_.push_back(std::move(row)); }
    void on_outcome(const freshet::Outcome& outcome) {
        if (outcome == freshet::Outcome::ack) database_.apply(rows_);
    }

private:
    Database& database_;
    std::vector<std::string> rows_ = {};
};

Session open_session(freshet::Inject<Database> database) { return Session{*database}; }
// [session]

// [interface]
class Rates {
public:
    virtual ~Rates() = default;
    virtual double rate(std::string_view country) const = 0;
};

class FixedRates final : public Rates {
public:
    double rate(std::string_view) const override { return 1.2; }
};
// [interface]

namespace {

using Fixture = snippets::Connected;

}  // namespace

TEST_CASE_METHOD(Fixture, "functions") {
    // [use]
    broker.subscriber<"orders.price">().handle([](const Order& order, freshet::Depends<&user> user,
                                                  freshet::Depends<&discount> discount) -> Invoice {
        return {.order_id = user->name + order.id, .total = order.amount * (1 - *discount)};
    });
    // [use]
    broker.start();
    const auto invoice = broker.request<Invoice>("orders.price", Order{"1", 100}, {.headers = {{"user", "ann"}}});
    CHECK(invoice.order_id == "ann1");
    CHECK(invoice.total == 90);
}

TEST_CASE_METHOD(Fixture, "errors") {
    broker.subscriber<"me">().handle([](freshet::Depends<&known_user> user) { return user->name; });
    broker.start();
    CHECK(broker.try_request<std::string>("me", "").error().remote_code() == 401);
}

TEST_CASE_METHOD(Fixture, "a session per message") {
    const auto database = std::make_shared<Database>();
    // [commit]
    broker.provide(database);
    broker.subscriber<"orders.put">().handle([](const Order& order, freshet::Depends<&open_session> session) {
        session->insert(order.id);
        if (order.amount < 0) throw freshet::RemoteError{422, "a negative amount"};  // nothing is inserted
    });
    // [commit]
    broker.start();
    broker.publish("orders.put", Order{"bad", -1});
    broker.publish("orders.put", Order{"good", 1});
    CHECK(eventually([&] { return broker.stats().received == 2 && database->rows().size() == 1; }));
    CHECK(database->rows() == std::vector<std::string>{"good"});
}

TEST_CASE_METHOD(Fixture, "interfaces") {
    // [provide]
    broker.provide<Rates>(std::make_shared<FixedRates>());
    broker.subscriber<"rate.{country}">().handle([](freshet::Path<"country"> country, freshet::Inject<Rates> rates) {
        return rates->rate(*country);
    });
    // [provide]
    broker.start();
    CHECK(broker.request<double>("rate.at", "") == 1.2);
}

TEST_CASE_METHOD(Fixture, "tests") {
    // [override]
    broker.override_dependency<&user>([] { return User{.name = "tester"}; });
    // [override]
    broker.subscriber<"me">().handle([](freshet::Depends<&user> user) { return user->name; });
    broker.start();
    CHECK(broker.request<std::string>("me", "") == "tester");
    // [direct]
    User ann{.name = "ann"};
    CHECK(discount(freshet::Depends<&user>{ann}) == 0.1);
    // [direct]
}
