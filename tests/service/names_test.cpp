// SPDX-License-Identifier: Apache-2.0
// What services, their endpoints and their versions may be called.
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/detail/service_grammar.hpp>
#include <freshet/freshet.hpp>
#include <freshet/service.hpp>
#include <freshet/testing.hpp>

#include "../support/types.hpp"

using namespace freshet;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string failed_start(Broker& broker) {
    try {
        testing::TestBroker test{broker};
    } catch (const Error& error) { return error.what(); }
    return "started";
}

Sum add(const Add& numbers) { return {numbers.a + numbers.b}; }

}  // namespace

TEST_CASE("names of services and endpoints") {
    for (const auto* name : {"calc", "Calc-2", "a_b", "1"}) CHECK(detail::is_service_name(name));
    for (const auto* name : {"", "a.b", "a b", "a*", "ä", ">"}) CHECK_FALSE(detail::is_service_name(name));
}

TEST_CASE("versions are semantic ones") {
    for (const auto* version :
         {"0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x-y-z.--",
          "1.0.0+20130313144700", "1.0.0-beta+exp.sha.5114f85", "1.0.0-rc.1+build.007", "1.0.0-0a",
          "1.2.3----R-S.12.9.1--.12+meta", "1.0.0+21AF26D3---117B344092BD", "99999999999999999999999.999.99"})
        CHECK(detail::is_semantic_version(version));
    for (const auto* version : {"",          "1",      "1.2",    "1.2.3.4",  "v1.2.3",     "1.2.3-",     "1.2.3+",
                                "01.2.3",    "1.02.3", "1.2.03", "1.2.3-01", "1.2.3-a..b", "1.2.3+a..b", "1.2.3+a+b",
                                "1.2.3-a_b", "1.2.-3", "a.b.c",  "-1.2.3",   "1.2.3 ",     "1.2.3-ä"})
        CHECK_FALSE(detail::is_semantic_version(version));
}

TEST_CASE("an endpoint's name comes from its subject, unless it has one") {
    Broker broker;
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"calc.add">().handle(add);
    calc.endpoint<"quotes.{symbol}.>">().handle(add);
    calc.endpoint<">", "all">().handle(add);
    calc.endpoint("calc.sum", {.name = "Sum-2"}).handle(add);
    auto admin = calc.group<"calc.admin.">();
    admin.endpoint<"reset">().handle(add);
    admin.group("keys.").endpoint("a.b").handle(add);
    std::string names;
    for (const auto& endpoint : calc.info().endpoints) names += endpoint.name + '=' + endpoint.subject + ' ';
    CHECK(names == "calc_add=calc.add quotes_symbol=quotes.*.> all=> Sum-2=calc.sum reset=calc.admin.reset "
                   "a_b=calc.admin.keys.a.b ");
    CHECK(calc.info().endpoints[1].metadata.at("freshet.subject") == "quotes.{symbol}.>");
}

TEST_CASE("start() lists every name and version that others would refuse") {
    Broker broker;
    auto bad = broker.service({.name = "my calc", .version = "1.0", .metadata = {{"_nats.x", ""}}, .prefix = "$SRV."});
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint("add", {.name = "a.b"}).handle(add);
    calc.endpoint("x.sum", {.name = "sum"}).handle(add);
    calc.endpoint("y.sum", {.name = "sum"}).handle(add);
    calc.endpoint("z.>.sum").handle(add);
    calc.endpoint("queued", {.queue = "a b", .metadata = {{"_nats", ""}}}).handle(add);
    const auto text = failed_start(broker);
    CHECK_THAT(text, ContainsSubstring("service \"my calc\": its name has letters, digits, '-' and '_'"));
    CHECK_THAT(text, ContainsSubstring("its version is \"1.0\"; use a semantic version, such as 1.2.0"));
    CHECK_THAT(text, ContainsSubstring("its prefix is \"$SRV.\""));
    CHECK_THAT(text, ContainsSubstring("service \"my calc\": its metadata has the key \"_nats.x\""));
    CHECK_THAT(text, ContainsSubstring("subscriber \"add\": its name as an endpoint is \"a.b\""));
    CHECK_THAT(text, ContainsSubstring("subscriber \"y.sum\": the endpoint of \"x.sum\" has its name as an endpoint, "
                                       "\"sum\": set EndpointOptions::name"));
    CHECK_THAT(text, ContainsSubstring("z.>.sum"));
    CHECK_THAT(text, ContainsSubstring("its queue group \"a b\""));
    CHECK_THAT(text, ContainsSubstring("subscriber \"queued\": its metadata has the key \"_nats\""));
}

TEST_CASE("a forgotten handle of an endpoint is told") {
    Broker broker;
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    { auto kept = calc.group<"calc.">().endpoint<"add">(); }
    CHECK_THAT(failed_start(broker), ContainsSubstring("subscriber \"calc.add\": it has no handler"));
}

TEST_CASE("two services of one name have different ids, and both are found") {
    Broker broker;
    const auto one = broker.service<"calc", "1.0.0">({});
    const auto two = broker.service<"calc", "2.0.0-rc.1">({});
    CHECK(one.id() != two.id());
    CHECK(two.version() == "2.0.0-rc.1");
    testing::TestBroker test{broker};
    CHECK(test.client().services().ping("calc").size() == 2);
    const auto found = test.client().services().info("calc", two.id());
    REQUIRE(found.size() == 1);
    CHECK(found[0].service.version == "2.0.0-rc.1");
}
