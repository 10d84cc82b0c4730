// SPDX-License-Identifier: Apache-2.0
// The code of docs/routers.md.
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../../tests/support/server.hpp"

using freshet::testing::NatsServer;

struct Invoice {
    std::string id = {};
    double total = 0;
};
FRESHET_JSON(Invoice, id, total);

// [dependency]
struct Tenant {
    std::string name;
};

Tenant known_tenant(freshet::Path<"tenant"> name) {
    if (*name == "nobody") throw freshet::RemoteError{403, "unknown tenant"};
    return {.name = std::string{*name}};
}
// [dependency]

// [function]
freshet::Router<"billing.{tenant}."> billing_router() {
    freshet::Router<"billing.{tenant}."> billing;
    billing.depends<&known_tenant>();
    billing.use([](freshet::Context& context, freshet::Next next) {
        context.logger().debug("for {}", context.path("tenant").value_or("nobody"));
        return next(context);
    });
    billing.subscriber<"invoice.{id}">({.queue = "billing"})
        .publish_to<"invoices.{tenant}">()
        .handle([](freshet::Depends<&known_tenant> tenant, freshet::Path<"id"> id) -> Invoice {
            return {.id = tenant->name + "-" + std::string{*id}, .total = 12};
        });
    return billing;
}
// [function]

TEST_CASE("routers") {
    const NatsServer server;
    const std::string stage = "test";
    freshet::Broker broker{{.servers = {server.url()}}};
    // [include]
    broker.include(billing_router());

    freshet::Router staging{stage + "."};  // known at run time: names are checked by start()
    staging.include(billing_router());
    staging.subscriber<"version">().handle([] { return 2; });
    broker.include(staging);
    // [include]
    // [nested]
    freshet::Router<"shops.{shop}."> shops;
    auto orders = shops.router<"orders.{order}.">();
    orders.subscriber<"cancel">().handle([](freshet::Path<"shop"> shop, freshet::Path<"order"> order) {
        return "cancelled " + std::string{*order} + " of " + std::string{*shop};
    });
    broker.include(shops);
    // [nested]
    broker.start();
    CHECK(broker.request<std::string>("shops.s1.orders.o2.cancel", "") == "cancelled o2 of s1");
    CHECK(broker.request<Invoice>("billing.acme.invoice.7", "").id == "acme-7");
    CHECK(broker.request<Invoice>("test.billing.acme.invoice.7", "").id == "acme-7");
    CHECK(broker.request<int>("test.version", "") == 2);
    CHECK(broker.try_request<Invoice>("billing.nobody.invoice.7", "").error().remote_code() == 403);
}
