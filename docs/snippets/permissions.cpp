// SPDX-License-Identifier: Apache-2.0
// The configurations of docs/permissions.md: each runs what the page says that it is for, and nothing is refused.
#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/service.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/sinks.hpp"
#include "../../tests/support/wait.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;
using freshet::testing::NatsServer;
using snippets::shown;
namespace js = freshet::js;
namespace kv = freshet::kv;
namespace obj = freshet::obj;

namespace {

/// A server with an administrator, who may do everything, and the user of a configuration.
class Rights {
public:
    explicit Rights(const std::string& user)
        : server_{{.config = "authorization { users: [ { user: admin, password: pw }, " + user + " ] }",
                   .jetstream = true}} {
        admin.start();
    }

    /// Returns whether the condition came true, or false if something was refused before.
    bool wait(const std::function<bool()>& condition) {
        bool fulfilled = false;
        return eventually([&] { return (fulfilled = condition()) || refused(); }) && fulfilled;
    }
    bool refused() const { return events_.count(freshet::ConnectionEvent::Kind::error) > 0; }
    std::string refusal() const { return events_.last(freshet::ConnectionEvent::Kind::error).detail; }

private:
    NatsServer server_;
    freshet::testing::EventLog events_ = {};

    freshet::BrokerOptions as(const std::string& user, freshet::EventSink sink) {
        return {.servers = {server_.url()},
                .credentials = freshet::UserPassword{user, user == "admin" ? "pw" : "s3cret"},
                .on_event = std::move(sink)};
    }

public:
    freshet::Broker admin{as("admin", {})};
    freshet::Broker broker{as("service", events_.sink())};
};

/// Returns the rights to publish in the configuration, with their quotes.
std::vector<std::string> rights_to_publish(const std::string& user) {
    std::vector<std::string> rights;
    const auto list = user.find("publish: [");
    if (list == std::string::npos) return rights;
    const auto end = user.find(']', list);
    for (auto begin = user.find('"', list); begin < end; begin = user.find('"', begin)) {
        const auto close = user.find('"', begin + 1);
        rights.push_back(user.substr(begin, close + 1 - begin));
        begin = close + 1;
    }
    return rights;
}

/// Runs a program with the user's rights, in which nothing is refused, and with one right less, in which something is.
void check_least(std::string_view text, const std::function<bool(Rights&)>& runs) {
    const auto user = shown(text);
    {
        Rights rights{user};
        CHECK(runs(rights));
        INFO(rights.refusal());
        CHECK_FALSE(rights.refused());
    }
    for (const auto& right : rights_to_publish(user)) {
        auto less = user;
        less.replace(less.find(right), right.size(), "\"nothing\"");
        Rights rights{less};
        bool ran = false;
        try {
            ran = runs(rights);
        } catch (const freshet::Error&) { ran = false; }
        INFO("without " << right);
        CHECK(eventually([&] { return rights.refused() || !ran; }));  // nobody waits for what is best effort
    }
}

}  // namespace

TEST_CASE("a responder") {
    check_least(R"(
// [responder]
{ user: service, password: s3cret, permissions: { subscribe: "orders.>", allow_responses: true } }
// [responder]
)",
 [](Rights& f) {
    f.broker.subscriber<"orders.count">({.queue = "orders"}).handle([](const std::string& text) { return text; });
    f.broker.start();
    if (!(f.admin.request<std::string>("orders.count", "x") == "x")) return false;
 return true; });
}

TEST_CASE("a service that others find") {
    check_least(R"(
// [service]
{ user: service, password: s3cret, permissions: {
    subscribe: [ "orders.>", "$SRV.PING", "$SRV.PING.orders.>", "$SRV.PING.orders",
                 "$SRV.INFO", "$SRV.INFO.orders.>", "$SRV.INFO.orders",
                 "$SRV.STATS", "$SRV.STATS.orders.>", "$SRV.STATS.orders" ],
    allow_responses: true } }
// [service]
)",
 [](Rights& f) {
    auto orders = f.broker.service<"orders", "1.0.0">({});
    orders.endpoint<"orders.count">().handle([](const std::string& text) { return text; });
    f.broker.start();
    if (!(f.admin.request<std::string>("orders.count", "x") == "x")) return false;
    if (f.admin.services().info("orders").size() != 1) return false;
    if (f.admin.services().ping("orders", orders.id()).size() != 1) return false;
    if (f.admin.services().stats().size() != 1) return false;
 return true; });
}

TEST_CASE("a caller") {
    check_least(R"(
// [caller]
{ user: service, password: s3cret, permissions: { publish: "orders.>", subscribe: "_INBOX.>" } }
// [caller]
)",
 [](Rights& f) {
    f.admin.subscriber<"orders.count">().handle([](const std::string& text) { return text; });
    f.broker.start();
    if (!(f.broker.request<std::string>("orders.count", "x") == "x")) return false;
    if (!f.wait([&] { return f.broker.try_request<std::string>("orders.none", "x").error() ==
                                  freshet::Condition::no_responders; })) return false;
 return true; });
}

TEST_CASE("a publisher into a stream") {
    check_least(R"(
// [publisher]
{ user: service, password: s3cret, permissions: {
    publish: [ "orders.>" ],
    subscribe: "_INBOX.>" } }
// [publisher]
)",
 [](Rights& f) {
    f.admin.jetstream().declare({.name = "ORDERS", .subjects = {"orders.>"}});
    f.broker.start();
    if (!(f.broker.jetstream().publish("orders.new", "x").sequence == 1)) return false;
    if (!(f.broker.jetstream().publish("orders.new", "x", {.id = "7"}).sequence == 2)) return false;
 return true; });
}

TEST_CASE("a worker whose consumer exists") {
    check_least(R"(
// [worker]
{ user: service, password: s3cret, permissions: {
    publish: [ "$JS.API.STREAM.INFO.ORDERS", "$JS.API.CONSUMER.INFO.ORDERS.worker",
               "$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker", "$JS.ACK.ORDERS.worker.>" ],
    subscribe: "_INBOX.>" } }
// [worker]
)",
 [](Rights& f) {
    f.admin.jetstream().declare({.name = "ORDERS", .subjects = {"orders.>"}});
    f.admin.jetstream().consumer("ORDERS", "worker").declare({.ack_wait = 30s});
    std::atomic<int> handled = 0;
    f.broker
        .subscriber<"orders.>">(js::Pull{
            .stream = "ORDERS", .durable = "worker", .declare = js::Declare::never, .retry = {.max_attempts = 5}})
        .handle([&](const std::string&) { ++handled; });
    f.broker.start();
    f.admin.jetstream().publish("orders.new", "x");
    if (!f.wait([&] { return handled == 1; })) return false;
    if (!f.wait([&] { return f.admin.jetstream().consumer("ORDERS", "worker").info().ack_pending == 0; })) return false;
    f.broker.stop();
 return true; });
}

TEST_CASE("a worker that makes its consumer, with dead letters") {
    check_least(R"(
// [worker-declares]
{ user: service, password: s3cret, permissions: {
    publish: [ "$JS.API.CONSUMER.INFO.ORDERS.worker", "$JS.API.CONSUMER.CREATE.ORDERS.worker",
               "$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker", "$JS.ACK.ORDERS.worker.>",
               "$JS.API.STREAM.INFO.DEAD", "dead.orders" ],
    subscribe: "_INBOX.>" } }
// [worker-declares]
)",
 [](Rights& f) {
    f.admin.jetstream().declare({.name = "ORDERS", .subjects = {"orders.>"}});
    f.admin.jetstream().declare({.name = "DEAD", .subjects = {"dead.>"}});
    f.broker
        .subscriber<"orders.>">(js::Pull{
            .stream = "ORDERS",
            .durable = "worker",
            .retry = {.max_attempts = 1, .dead_letter = "dead.orders", .dead_letter_stream = "DEAD"}})
        .handle([](const std::string&) -> void { throw std::runtime_error{"no"}; });
    f.broker.start();
    f.admin.jetstream().publish("orders.new", "x");
    if (!f.wait([&] { return f.admin.jetstream().stream("DEAD").info().state.messages == 1; })) return false;
    f.broker.stop();
 return true; });
}

TEST_CASE("reading keys") {
    check_least(R"(
// [kv-get]
{ user: service, password: s3cret, permissions: {
    publish: [ "$JS.API.STREAM.INFO.KV_flags", "$JS.API.DIRECT.GET.KV_flags.$KV.flags.>" ],
    subscribe: "_INBOX.>" } }
// [kv-get]
)",
 [](Rights& f) {
    auto all = f.admin.kv<std::string>("flags");
    all.put("ui", "on");
    f.broker.start();
    auto flags = f.broker.kv<std::string>("flags", {.declare = js::Declare::never});
    if (!(flags.get("ui")->value == "on")) return false;
    if (flags.get("none")) return false;
 return true; });
}

TEST_CASE("writing keys") {
    check_least(R"(
// [kv-put]
{ user: service, password: s3cret, permissions: {
    publish: [ "$JS.API.STREAM.INFO.KV_flags", "$JS.API.DIRECT.GET.KV_flags.$KV.flags.>", "$KV.flags.>" ],
    subscribe: "_INBOX.>" } }
// [kv-put]
)",
 [](Rights& f) {
    auto all = f.admin.kv<std::string>("flags");
    all.put("ui", "on");
    f.broker.start();
    auto flags = f.broker.kv<std::string>("flags", {.declare = js::Declare::never});
    flags.put("ui", "off");
    flags.create("new", "1");
    flags.erase("new");
    if (!(flags.get("ui")->value == "off")) return false;
 return true; });
}

TEST_CASE("watching keys, and listing them") {
    check_least(R"(
// [kv-watch]
{ user: service, password: s3cret, permissions: {
    publish: [ "$JS.API.STREAM.INFO.KV_flags",
               "$JS.API.CONSUMER.CREATE.KV_flags.>", "$JS.API.CONSUMER.MSG.NEXT.KV_flags.>",
               "$JS.API.CONSUMER.DELETE.KV_flags.>" ],
    subscribe: "_INBOX.>" } }
// [kv-watch]
)",
 [](Rights& f) {
    auto all = f.admin.kv<std::string>("flags");
    all.put("ui", "on");
    std::atomic<int> seen = 0;
    f.broker.subscriber<"ui">(kv::Watch{.bucket = "flags", .options = {.declare = js::Declare::never}})
        .handle([&](const std::string&) { ++seen; });
    f.broker.start();
    if (!f.wait([&] { return seen == 1; })) return false;
    auto flags = f.broker.kv<std::string>("flags", {.declare = js::Declare::never});
    if (!(flags.keys() == std::vector<std::string>{"ui"})) return false;
    if (!(flags.history("ui").size() == 1)) return false;
    f.broker.stop();
 return true; });
}

TEST_CASE("reading objects") {
    check_least(R"(
// [object-get]
{ user: service, password: s3cret, permissions: {
    publish: [ "$JS.API.STREAM.INFO.OBJ_files", "$JS.API.DIRECT.GET.OBJ_files.$O.files.M.>",
               "$JS.API.CONSUMER.CREATE.OBJ_files.>", "$JS.API.CONSUMER.MSG.NEXT.OBJ_files.>",
               "$JS.API.CONSUMER.DELETE.OBJ_files.>" ],
    subscribe: "_INBOX.>" } }
// [object-get]
)",
 [](Rights& f) {
    auto all = f.admin.object_store("files");
    all.put("report", "text");
    f.broker.start();
    auto files = f.broker.object_store("files", {.declare = js::Declare::never});
    if (!(files.get("report") == "text")) return false;
    if (!(files.list().size() == 1)) return false;
 return true; });
}

TEST_CASE("writing objects") {
    check_least(R"(
// [object-put]
{ user: service, password: s3cret, permissions: {
    publish: [ "$JS.API.STREAM.INFO.OBJ_files", "$JS.API.DIRECT.GET.OBJ_files.$O.files.M.>",
               "$JS.API.STREAM.MSG.GET.OBJ_files", "$O.files.C.>", "$O.files.M.>", "$JS.API.STREAM.PURGE.OBJ_files",
               "$JS.API.CONSUMER.CREATE.OBJ_files.>", "$JS.API.CONSUMER.MSG.NEXT.OBJ_files.>",
               "$JS.API.CONSUMER.DELETE.OBJ_files.>" ],
    subscribe: "_INBOX.>" } }
// [object-put]
)",
 [](Rights& f) {
    auto all = f.admin.object_store("files");
    f.broker.start();
    auto files = f.broker.object_store("files", {.declare = js::Declare::never});
    files.put("report", "text");
    files.put("report", "other");
    files.erase("report");
    if (!(all.list().empty())) return false;
 return true; });
}

TEST_CASE("a bucket of another account") {
    const std::string config = shown(R"(
// [accounts]
accounts {
  DATA {
    jetstream: enabled
    users: [ { user: owner, password: pw } ]
    exports: [
      { service: "$JS.API.STREAM.INFO.KV_flags" }
      { service: "$JS.API.DIRECT.GET.KV_flags.>" }
      { service: "$KV.flags.>" }
    ]
  }
  APP {
    users: [ { user: service, password: s3cret } ]
    imports: [
      { service: { account: DATA, subject: "$JS.API.STREAM.INFO.KV_flags" }, to: "data.API.STREAM.INFO.KV_flags" }
      { service: { account: DATA, subject: "$JS.API.DIRECT.GET.KV_flags.>" }, to: "data.API.DIRECT.GET.KV_flags.>" }
      { service: { account: DATA, subject: "$KV.flags.>" }, to: "data.API.$KV.flags.>" }
    ]
  }
}
// [accounts]
)");
    const auto runs = [](const std::string& rights) {
        NatsServer server{{.config = rights, .jetstream = true}};
        freshet::Broker owner{{.servers = {server.url("owner", "pw")}}};
        freshet::Broker broker{{.servers = {server.url("service", "s3cret")}}};
        owner.start();
        broker.start();
        auto all = owner.kv<std::string>("flags");
        // [imported]
        auto flags =
            broker.kv<std::string>("flags", {.declare = js::Declare::never, .context = {.prefix = "data.API"}});
        flags.put("ui", "on");
        // [imported]
        return all.get("ui")->value == "on" && flags.get("ui")->value == "on";
    };
    CHECK(runs(config));
    // Without one of the imports something fails.
    for (auto begin = config.find("{ service: { account"); begin != std::string::npos;
         begin = config.find("{ service: { account", begin + 1)) {
        auto less = config;
        less.erase(begin, less.find('\n', begin) - begin);
        INFO(less);
        CHECK_THROWS_AS(runs(less), freshet::Error);
    }
}
