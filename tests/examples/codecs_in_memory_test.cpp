// SPDX-License-Identifier: Apache-2.0
// examples/codecs without its main, tested in memory.
#define main codecs_main
#include "../../examples/codecs/codecs.cpp"
#undef main

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/testing.hpp>

TEST_CASE("codecs answer in the format they were asked in, in memory") {
    freshet::Broker broker;
    wire(broker);
    freshet::testing::TestBroker test{broker};
    const auto format = GENERATE(freshet::Format::json, freshet::Format::messagepack, freshet::Format::cbor);
    const Sample sample{.sensor = "roof", .values = {1, 2.5}};
    const auto answer = test.request<freshet::Message>("samples.double", sample, {.format = format});
    CHECK(answer.header("content-type").value_or("application/json") == freshet::content_type(format));
    CHECK(freshet::decode<Sample>(answer).values == std::vector<double>{2, 5});
    CHECK(test.request<Celsius>("heat", Celsius{20.5}).degrees == 21.5);
    CHECK(test.publish("heat", "hot") == freshet::Outcome::term());
}
