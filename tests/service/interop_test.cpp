// SPDX-License-Identifier: Apache-2.0
// Services shared with nats.py and with the `nats` command: each finds and asks those of the others.
#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include <freshet/freshet.hpp>
#include <freshet/service.hpp>

#include "../support/nats_py.hpp"
#include "../support/process.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::NatsPy;
using freshet::testing::NatsServer;
using freshet::testing::Process;
using Json = nlohmann::json;

namespace {

Sum add(const Add& numbers) {
    if (numbers.b < 0) throw RemoteError{422, "negative"};
    return {numbers.a + numbers.b};
}

struct Calc {
    const NatsServer server{};
    Broker broker{{.servers = {server.url()}}};
    Service calc =
        broker.service<"calc", "1.2.0">({.about = {.text = "Adds numbers"}, .metadata = {{"team", "billing"}}});

    Calc() {
        calc.endpoint<"calc.add">().handle(add);
        calc.group<"calc.admin.">({.queue = ""}).endpoint<"{region}.reset">().handle([](std::string_view) {
            return Response<>{};
        });
        broker.start();
    }

    /// Runs the `nats` command; its exit code and what it prints.
    std::pair<int, std::string> nats(std::vector<std::string> arguments) const {
        std::vector<std::string> command{std::getenv("FRESHET_NATS_CLI"), "--server", server.url(), "--timeout", "5s"};
        command.insert(command.end(), arguments.begin(), arguments.end());
        Process program{std::move(command), {"HOME=/nonexistent", "XDG_CONFIG_HOME=/nonexistent", "NO_COLOR=1"}};
        const int code = program.wait();
        return {code, program.output()};
    }
    static bool has_nats() { return std::getenv("FRESHET_NATS_CLI") != nullptr; }
};

constexpr const char* no_nats = "the nats command is not there: `./dev nats-cli` builds it, FRESHET_NATS_CLI names it";
constexpr const char* no_nats_py = "nats.py is not installed; FRESHET_NATS_PY names a directory where it is";

}  // namespace

TEST_CASE_METHOD(Calc, "nats.py finds a service of freshet, and freshet one of nats.py") {
    if (!NatsPy::is_there()) SKIP(no_nats_py);
    const auto [code, output] = NatsPy::run({FRESHET_NATS_PY_SCRIPT, server.url(), "ask", calc.id()});
    INFO(output);
    REQUIRE(code == 0);
    const auto seen = Json::parse(output, nullptr, false);
    REQUIRE(seen.is_object());
    CHECK(seen["ping"]["name"] == "calc");
    CHECK(seen["ping"]["version"] == "1.2.0");
    CHECK(seen["ping"]["metadata"]["team"] == "billing");
    CHECK(seen["info"]["description"] == "Adds numbers");
    CHECK(seen["info"]["endpoints"] == Json::array({"calc_add calc.add q", "region_reset calc.admin.*.reset "}));
    CHECK(seen["sum"] == 3);
    CHECK(seen["error"] == Json::array({"422", "negative"}));
    CHECK(seen["stats"]["num_requests"] == 2);
    CHECK(seen["stats"]["num_errors"] == 1);
    CHECK(seen["stats"]["last_error"] == "422:negative");
}

TEST_CASE_METHOD(Calc, "freshet asks a service of nats.py") {
    if (!NatsPy::is_there()) SKIP(no_nats_py);
    const char* const directory = std::getenv("FRESHET_NATS_PY");
    Process service{{"/usr/bin/python3", FRESHET_NATS_PY_SCRIPT, server.url(), "serve"},
                    {std::string{"PYTHONPATH="} + (directory == nullptr ? "/opt/nats-py" : directory)}};
    service.wait_for("serving");
    const auto services = broker.services();
    CHECK(services.ping().size() == 2);
    const auto found = services.info("pycalc");
    REQUIRE(found.size() == 1);
    CHECK(found[0].service.version == "0.3.1");
    CHECK(found[0].service.metadata.at("lang") == "python");
    CHECK(found[0].description == "Adds in Python");
    REQUIRE(found[0].endpoints.size() == 1);
    CHECK(found[0].endpoints[0].name == "add");
    CHECK(found[0].endpoints[0].subject == "py.add");
    CHECK(found[0].endpoints[0].queue_group == "q");
    CHECK(broker.request<Sum>(found[0].endpoints[0].subject, Add{2, 3}).value == 5);
    CHECK(broker.try_request<Sum>("py.add", Add{2, -1}).error().remote_code() == 422);
    const auto stats = services.stats("pycalc", found[0].service.id).at(0);
    CHECK(stats.endpoints.at(0).num_requests == 2);
    CHECK(stats.endpoints.at(0).processing_time > 0ns);
    const auto age = std::chrono::system_clock::now() - stats.started;
    CHECK(age > 0s);
    CHECK(age < 1h);
}

TEST_CASE_METHOD(Calc, "nats micro lists, describes, measures and pings a service, and sends requests to it") {
    if (!has_nats()) SKIP(no_nats);
    const auto listed = nats({"micro", "list"});
    INFO(listed.second);
    CHECK(listed.first == 0);
    CHECK_THAT(listed.second, ContainsSubstring("calc") && ContainsSubstring("1.2.0") && ContainsSubstring(calc.id()));

    const auto info = nats({"micro", "info", "calc"});
    INFO(info.second);
    CHECK(info.first == 0);
    CHECK_THAT(info.second, ContainsSubstring("Adds numbers") && ContainsSubstring("calc_add") &&
                                ContainsSubstring("region_reset") && ContainsSubstring("billing"));

    CHECK(broker.request<Sum>("calc.add", Add{1, 2}).value == 3);
    CHECK_FALSE(broker.try_request<Sum>("calc.add", Add{1, -2}));
    CHECK(eventually([&] { return calc.stats().endpoints[0].num_requests == 2; }));
    const auto stats = nats({"micro", "stats", "calc", "--json"});
    INFO(stats.second);
    CHECK(stats.first == 0);
    CHECK_THAT(stats.second, ContainsSubstring("\"num_requests\": 2") && ContainsSubstring("422:negative"));
    const auto table = nats({"micro", "stats", "calc"});
    INFO(table.second);
    CHECK(table.first == 0);
    CHECK_THAT(table.second, ContainsSubstring(calc.id()) && ContainsSubstring("calc_add"));

    const auto ping = nats({"micro", "ping", "calc"});
    INFO(ping.second);
    CHECK(ping.first == 0);
    CHECK_THAT(ping.second, ContainsSubstring("calc"));

    const auto answer = nats({"micro", "request", "calc", "calc_add", R"({"a":4,"b":5})"});
    INFO(answer.second);
    CHECK(answer.first == 0);
    CHECK_THAT(answer.second, ContainsSubstring(R"({"value":9})"));
}
