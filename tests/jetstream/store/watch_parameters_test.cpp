// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

using namespace freshet;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string refusal_of(Broker& broker) {
    try {
        const testing::TestBroker test{broker};
    } catch (const Error& error) { return error.what(); }
    return "it started";
}

const auto on_entry = [](const kv::Entry<std::string>&) {};
const auto on_info = [](const obj::Info&) {};

}  // namespace

TEST_CASE("a handler of a bucket's entries starts only with a watch of a bucket") {
    Broker broker;
    broker.subscriber<"core">().handle(on_entry);
    broker.subscriber<"pull">(js::Pull{.stream = js::Stream{.name = "S", .subjects = {"pull"}}, .durable = "d"})
        .handle(on_entry);
    broker.subscriber<"name">(obj::Watch{.bucket = "files"}).handle(on_entry);
    broker.subscriber<"key">(kv::Watch{.bucket = "flags"}).handle(on_entry);

    const auto text = refusal_of(broker);
    for (const auto* subject : {"core", "pull", "name"})
        CHECK_THAT(text, ContainsSubstring("subscriber \"" + std::string{subject} +
                                           "\": the handler takes kv::Entry, which only a kv::Watch delivers"));
    CHECK_FALSE(text.contains("\"key\""));
}

TEST_CASE("a handler of an object's description starts only with a watch of an object store") {
    Broker broker;
    broker.subscriber<"core">().handle(on_info);
    broker.subscriber<"key">(kv::Watch{.bucket = "flags"}).handle(on_info);
    broker.subscriber<"name">(obj::Watch{.bucket = "files"}).handle(on_info);

    const auto text = refusal_of(broker);
    for (const auto* subject : {"core", "key"})
        CHECK_THAT(text, ContainsSubstring("subscriber \"" + std::string{subject} +
                                           "\": the handler takes obj::Info, which only an obj::Watch delivers"));
    CHECK_FALSE(text.contains("\"name\""));
}
