// SPDX-License-Identifier: Apache-2.0
// The end of a process that has a static broker.
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/process.hpp"
#include "../support/server.hpp"

using namespace freshet;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a static broker goes after main returned, and before errors do") {
    testing::NatsServer server;
    testing::Process service{{FRESHET_EXIT_SERVICE, "return"}, {"NATS_URL=" + server.url()}};
    CHECK(service.wait() == 0);
    CHECK_THAT(service.output(), ContainsSubstring("ended"));
}

TEST_CASE("std::exit in a handler or callback of a static broker ends the process") {
    testing::NatsServer server;
    const std::string mode = GENERATE("handler", "run", "worker", "batch", "answer", "deadline", "event");
    testing::Process service{{FRESHET_EXIT_SERVICE, mode}, {"NATS_URL=" + server.url()}};
    CHECK(service.wait() == 3);
    CHECK_THAT(service.output(), ContainsSubstring("ended"));
}
