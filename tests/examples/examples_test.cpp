// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <freshet/freshet.hpp>
#include <freshet/services.hpp>

#include "../support/process.hpp"
#include "../support/server.hpp"

using Catch::Matchers::ContainsSubstring;
using freshet::testing::NatsServer;
using freshet::testing::Process;

namespace {

/// A program of examples/, talking to this server.
class Example : public Process {
public:
    Example(const NatsServer& server, const std::string& path, std::vector<std::string> arguments = {})
        : Process{command(path, std::move(arguments)), {"NATS_URL=" + server.url()}} {}

private:
    static std::vector<std::string> command(const std::string& path, std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), FRESHET_EXAMPLES "/" + path);
        return arguments;
    }
};

/// One that serves until it is told to end; it serves when the constructor returns.
class Service : public Example {
public:
    Service(const NatsServer& server, const std::string& path) : Example{server, path} { wait_for("ready: "); }
};

/// Runs one that ends by itself, and gives what it wrote.
std::string run(const NatsServer& server, const std::string& path, std::vector<std::string> arguments = {}) {
    Example program{server, path, std::move(arguments)};
    const int code = program.wait();
    INFO(program.output());
    CHECK(code == 0);
    return program.output();
}

void check_stops(Process& service) {
    const int code = service.terminate();
    INFO(service.output());
    CHECK(code == 0);
}

}  // namespace

TEST_CASE("billing makes invoices of orders and answers") {
    const NatsServer server;
    Service service{server, "billing/billing"};
    const auto output = run(server, "billing/billing_client");
    CHECK_THAT(output, ContainsSubstring("asked for invoice a1 in eu: 60.00"));
    CHECK_THAT(output, ContainsSubstring("received invoice b2 on invoices.asia: 12.00"));
    CHECK_THAT(output, ContainsSubstring("received invoice d4 on invoices.us: 119.40"));
    CHECK_THAT(output, ContainsSubstring("5 of 5 invoices are right"));
    check_stops(service);
    CHECK_THAT(service.output(), ContainsSubstring("billing c3 in eu"));
}

TEST_CASE("billing's client says when there is no service") {
    const NatsServer server;
    Example client{server, "billing/billing_client"};
    CHECK(client.wait() == 1);
    CHECK_THAT(client.output(), ContainsSubstring("nobody listens on \"orders.eu.created\""));
}

TEST_CASE("rpc calls, fails, times out and asks everyone") {
    const NatsServer server;
    Service first{server, "rpc/rpc_server"};
    Service second{server, "rpc/rpc_server"};
    const auto output = run(server, "rpc/rpc_client", {"2"});
    CHECK_THAT(output, ContainsSubstring("10 / 4 = 2.5\n"));
    CHECK_THAT(output, ContainsSubstring("10 / 0: code 422, "));
    CHECK_THAT(output, ContainsSubstring("slow: no answer from \"calc.slow\" within 50 ms"));
    CHECK_THAT(output, ContainsSubstring("sum of 1000 halves: 249750\n"));
    CHECK_THAT(output, ContainsSubstring("2 servers, 1002 divisions\n"));
    check_stops(first);
    check_stops(second);
}

TEST_CASE("calc_service is found, calculates, and tells what it has done") {
    const NatsServer server;
    Service first{server, "calc_service/calc_service"};
    Service second{server, "calc_service/calc_service"};
    freshet::Broker broker{{.servers = {server.url()}}};
    broker.start();
    CHECK(broker.request<std::string>("calc.add", R"({"a":1,"b":2})") == R"({"value":3})");
    CHECK(broker.try_request<std::string>("calc.divide", R"({"a":1,"b":0})").error().remote_code() == 422);
    while (true) {  // an answer may come before it is counted
        std::uint64_t requests = 0;
        for (const auto& stats : broker.services().stats("calc"))
            for (const auto& endpoint : stats.endpoints) requests += endpoint.num_requests;
        if (requests == 2) break;
    }
    const auto output = run(server, "calc_service/find_services", {"calc"});
    CHECK_THAT(output, ContainsSubstring("calc 1.2.0 (") && ContainsSubstring("): Adds and divides numbers\n"));
    CHECK_THAT(output, ContainsSubstring("  divide on calc.divide\n"));
    CHECK_THAT(output, ContainsSubstring("calc divide: 1 requests, 1 errors, the last one 422:cannot divide by 0\n"));
    check_stops(first);
    check_stops(second);
    CHECK_THAT(run(server, "calc_service/find_services"), !ContainsSubstring("calc"));
}

TEST_CASE("workers share jobs and keep the order of an account") {
    const NatsServer server;
    Service first{server, "workers/worker"};
    Service second{server, "workers/worker"};
    const auto output = run(server, "workers/producer", {"2"});
    CHECK_THAT(output, ContainsSubstring("2 processes did 200 different jobs\n"));
    CHECK_THAT(output, ContainsSubstring("300 of 300 deposits were booked in order\n"));
    check_stops(first);
    check_stops(second);
}

TEST_CASE("wildcards: the audit log sees every order") {
    const NatsServer server;
    Service audit{server, "wildcards/audit"};
    freshet::Broker broker{{.servers = {server.url()}}};
    broker.start();
    broker.publish("orders.eu.42.created", "hello", {.headers = {{"user", "ann"}}});
    broker.publish("orders.eu.42.cancelled", "", {.headers = {{"reason", "broken"}}});
    broker.publish("orders.eu.many.cancelled", "", {.headers = {{"reason", "broken"}}});
    audit.wait_for("5 bytes by ann");
    audit.wait_for("0 bytes by somebody");
    audit.wait_for("order 42 was cancelled: broken");
    audit.wait_for("\"many\" for {id}");
    check_stops(audit);
}

TEST_CASE("inject: a service class with what it was given") {
    const NatsServer server;
    Service shop{server, "inject/inject"};
    freshet::Broker broker{{.servers = {server.url()}}};
    broker.start();
    CHECK(broker.request<std::string>("stock.apple.take", R"({"count":2})") == R"({"item":"apple","left":3})");
    const auto refused = broker.try_request<std::string>("stock.apple.take", R"({"count":4})");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remote_code() == 409);
    CHECK_THAT(refused.error().what(), ContainsSubstring("only 3 left"));

    broker.publish("stock.count", "");
    shop.wait_for("counting");
    check_stops(shop);
    CHECK_THAT(shop.output(), ContainsSubstring("stopped counting"));
}

TEST_CASE("metrics tells in numbers what it does") {
    const NatsServer server;
    Service shop{server, "metrics/metrics"};
    freshet::Broker broker{{.servers = {server.url()}}};
    broker.start();
    for (const char* region : {"eu", "us", "asia"})
        std::ignore =
            broker.request<std::string>(std::string{"orders."} + region + ".created", R"({"id":"a1","amount":10})");
    CHECK_FALSE(broker.try_request<std::string>("orders.eu.created", R"({"id":"a2","amount":0})").has_value());
    CHECK_FALSE(broker.try_request<std::string>("orders.eu.created", "not JSON").has_value());
    const auto text = broker.request<std::string>("metrics.shop", "");
    const std::string orders = R"({service="shop",subject="orders.{region}.created",queue="shop")";
    CHECK_THAT(text, ContainsSubstring("freshet_messages_received_total" + orders + "} 5\n"));
    CHECK_THAT(text, ContainsSubstring("freshet_messages_declined_total" + orders + "} 1\n"));
    CHECK_THAT(text, ContainsSubstring("freshet_messages_rejected_total" + orders + ",reason=\"body\"} 1\n"));
    CHECK_THAT(text, ContainsSubstring("freshet_handler_duration_seconds_bucket" + orders + ",le=\"1\"} 5\n"));
    check_stops(shop);
}

TEST_CASE("listen prints what comes") {
    const NatsServer server;
    Example listen{server, "listen/listen", {"orders.>", "3"}};
    listen.wait_for("listening on orders.>");
    freshet::Broker broker{{.servers = {server.url()}}};
    broker.start();
    for (const char* text : {"one", "two", "three"}) broker.publish("orders.eu", text);
    CHECK(listen.wait() == 0);
    CHECK_THAT(listen.output(), ContainsSubstring("orders.eu: one\norders.eu: two\norders.eu: three\n"));
}

TEST_CASE("codecs answer in the format they were asked in") {
    const NatsServer server;
    const auto output = run(server, "codecs/codecs");
    CHECK_THAT(output, ContainsSubstring("application/json: 37 bytes, roof 2000\n"));
    CHECK_THAT(output, ContainsSubstring("application/msgpack: "));
    CHECK_THAT(output, ContainsSubstring("application/cbor: "));
    CHECK_THAT(output, ContainsSubstring("text/x-celsius: 21.5C\n"));
}

TEST_CASE("errors: each failure has its condition") {
    const NatsServer server;
    const auto output = run(server, "errors/errors");
    CHECK_THAT(output, ContainsSubstring("nobody listens: no responders, code 0: "));
    CHECK_THAT(output, ContainsSubstring("no answer: timeout, code 0: "));
    CHECK_THAT(output, ContainsSubstring("throws RemoteError: remote error, code 404: "));
    CHECK_THAT(output, ContainsSubstring("throws std::exception: remote error, code 500: "));
    CHECK_THAT(output, ContainsSubstring("throws something else: remote error, code 500: "));
    CHECK_THAT(output, ContainsSubstring("returns an error: remote error, code 404: "));
    CHECK_THAT(output, ContainsSubstring("body does not decode: remote error, code 400: "));
    CHECK_THAT(output, ContainsSubstring("path does not parse: remote error, code 400: "));
    CHECK_THAT(output, ContainsSubstring("header is missing: remote error, code 400: "));
    CHECK_THAT(output, ContainsSubstring("answer does not decode: bad payload, code 0: "));
    CHECK_THAT(output, ContainsSubstring("bad subject: bad setup, code 0: "));
    CHECK_THAT(output, ContainsSubstring("payload too large: bad payload, code 0: "));
    CHECK_THAT(output, ContainsSubstring("broker is stopped: disconnected, code 0: "));
}

TEST_CASE("live_config: a change of the bucket applies at once") {
    const NatsServer server{{.jetstream = true}};
    Service service{server, "live_config/live_config"};
    CHECK_THAT(run(server, "live_config/set_config", {"acme", "10"}),
               ContainsSubstring("customer.acme is revision 1; 1 are kept of it"));
    service.wait_for("acme: 10 requests per minute");
    run(server, "live_config/set_config", {"acme", "block"});
    service.wait_for("acme: 10 requests per minute, blocked");
    CHECK_THAT(run(server, "live_config/set_config", {"acme", "default"}),
               ContainsSubstring("customer.acme is revision 3; 3 are kept of it"));
    service.wait_for("acme: the default");
    check_stops(service);
}

TEST_CASE("jobs: a job is done once, and one that nobody can do is kept") {
    const NatsServer server{{.jetstream = true}};
    Service service{server, "jobs/jobs"};
    CHECK_THAT(run(server, "jobs/give_jobs", {"a.png", "b.png", "a.png", "c.broken"}),
               ContainsSubstring("all of them are stored"));
    service.wait_for("a.png is 200 wide, at delivery 1");
    service.wait_for("b.png is 200 wide, at delivery 1");
    service.wait_for(R"(given up after 3 deliveries: {"image":"c.broken","width":200} (cannot read it))");

    // dead_letters: the letters of the stream, from a terminal
    CHECK_THAT(run(server, "dead_letters/dead_letters", {"DEAD_JOBS", "list"}),
               ContainsSubstring("1  jobs.thumbnail  given up by thumbnails after 3 deliveries: cannot read it"));
    CHECK_THAT(run(server, "dead_letters/dead_letters", {"DEAD_JOBS", "show", "1"}),
               ContainsSubstring("given up by thumbnails") && ContainsSubstring(R"({"image":"c.broken","width":200})"));
    CHECK_THAT(run(server, "dead_letters/dead_letters", {"DEAD_JOBS", "retry", "1"}),
               ContainsSubstring("message 4 of JOBS"));
    CHECK_THAT(run(server, "dead_letters/dead_letters", {"DEAD_JOBS", "list", "other.>"}),
               !ContainsSubstring("jobs.thumbnail"));
    CHECK_THAT(run(server, "dead_letters/dead_letters", {"DEAD_JOBS", "retry", "all"}), ContainsSubstring("retried "));
    check_stops(service);
}

TEST_CASE("file_drop: files go through the object store") {
    const NatsServer server{{.jetstream = true}};
    const auto source = server.directory() / "report.txt";
    const auto directory = server.directory() / "drop";
    const std::string text(300'000, 'x');
    std::filesystem::create_directory(directory);
    std::ofstream{source} << text;
    REQUIRE(::setenv("DROP_DIRECTORY", directory.c_str(), 1) == 0);
    Service service{server, "file_drop/file_drop"};
    CHECK_THAT(run(server, "file_drop/drop_file", {source}), ContainsSubstring("report.txt: 300000 bytes, SHA-256="));
    service.wait_for("report.txt has arrived: 300000 bytes");
    std::ostringstream copy;
    copy << std::ifstream{directory / "report.txt"}.rdbuf();
    CHECK(copy.str() == text);
    run(server, "file_drop/drop_file", {"--erase", "report.txt"});
    service.wait_for("report.txt is gone");
    CHECK_FALSE(std::filesystem::exists(directory / "report.txt"));
    check_stops(service);
}

#ifdef FRESHET_EXAMPLES_GLAZE
TEST_CASE("glaze: plain aggregates are bodies") {
    const NatsServer server;
    const auto output = run(server, "glaze/aggregates");
    CHECK_THAT(output, ContainsSubstring("ann pays 2.50\n  apple: 1.50\n  pear: 1.00\n"));
}
#endif
