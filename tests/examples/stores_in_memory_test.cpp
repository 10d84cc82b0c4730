// SPDX-License-Identifier: Apache-2.0
// The services of examples/live_config and examples/file_drop without their main, tested in memory.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

namespace live_config {
#define main live_config_main
#include "../../examples/live_config/live_config.cpp"
#undef main
}  // namespace live_config
namespace file_drop {
#define main file_drop_main
#include "../../examples/file_drop/file_drop.cpp"
#undef main
}  // namespace file_drop

using freshet::testing::TestBroker;
namespace fs = std::filesystem;

namespace {

struct TemporaryDirectory {
    TemporaryDirectory() { fs::create_directories(path); }
    ~TemporaryDirectory() { fs::remove_all(path); }
    fs::path path = fs::temp_directory_path() / ("freshet_drop_" + std::to_string(::getpid()));
};

std::string content_of(const fs::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

TEST_CASE("live_config: a limit applies as soon as it is written") {
    live_config::Limits limits;
    freshet::Broker broker;
    live_config::wire(broker, limits);
    TestBroker test{broker};
    const auto bucket = test.client().kv<live_config::Limit>("limits");
    const auto limit_of_ann = [&] { return test.request<live_config::Limit>("limits.ann", ""); };
    CHECK(limit_of_ann().requests_per_minute == 60);
    const auto revision = bucket.put("customer.ann", {.requests_per_minute = 5});
    test.run();
    CHECK(limit_of_ann().requests_per_minute == 5);
    bucket.update("customer.ann", {.requests_per_minute = 5, .blocked = true}, revision);
    test.run();
    CHECK(limit_of_ann().blocked);
    bucket.erase("customer.ann");
    test.run();
    CHECK(limit_of_ann().requests_per_minute == 60);
}

TEST_CASE("file_drop: what is dropped arrives as a file, and goes when it is erased") {
    const TemporaryDirectory directory;
    ::setenv("DROP_DIRECTORY", directory.path.c_str(), 1);
    freshet::Broker broker;
    file_drop::wire(broker);
    TestBroker test{broker};
    const auto drop = test.client().object_store("drop");
    drop.put("a.txt", "hello");
    test.run();
    CHECK(content_of(directory.path / "a.txt") == "hello");
    drop.put("../outside.txt", "stays inside");
    test.run();
    CHECK(content_of(directory.path / "outside.txt") == "stays inside");
    drop.erase("a.txt");
    test.run();
    CHECK_FALSE(fs::exists(directory.path / "a.txt"));
}
