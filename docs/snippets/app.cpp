// SPDX-License-Identifier: Apache-2.0
// The code of docs/app.md.
#include <memory>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../../tests/support/server.hpp"

using freshet::testing::NatsServer;

struct Database {
    explicit Database(std::string given) : dsn{std::move(given)} {}
    std::string dsn;
};

TEST_CASE("an app with hooks") {
    const NatsServer server;
    const std::string dsn = "host=db";
    // [app]
    freshet::Broker broker{{.servers = {server.url()}}};
    broker.subscriber<"stop.{code}">().handle([](freshet::Path<"code", int> code) {
        throw freshet::ExitApp{*code, "asked to stop"};
    });

    freshet::App app{broker};
    app.lifespan([dsn](freshet::Broker& own) {  // closed when everything has stopped
        auto database = std::make_shared<Database>(dsn);
        own.provide(database);
        return database;
    });
    app.on_startup([](freshet::Inject<Database> database, freshet::Logger& log) {
        log.info("using {}", database->dsn);
    });
    app.after_startup([](freshet::Broker& own) { own.publish("services.ready", "billing"); });
    app.on_shutdown([](freshet::Broker& own) { own.publish("services.leaving", "billing"); });
    // [app]
    app.after_startup([](freshet::Broker& own) { own.publish("stop.3", ""); });
    CHECK(app.run() == 3);
}

TEST_CASE("several brokers") {
    const NatsServer server;
    const NatsServer leaf_server;
    // [several]
    freshet::Broker cloud{{.servers = {server.url()}}};
    freshet::Broker leaf{{.servers = {leaf_server.url()}}};
    leaf.subscriber<"measured">().handle([&](std::string_view value) { cloud.publish("measured", value); });
    freshet::App app{cloud, leaf};
    // [several]
    app.after_startup([&] { app.exit(); });
    CHECK(app.run() == 0);
}
