// SPDX-License-Identifier: Apache-2.0
// The AsyncAPI documents of the examples are, byte for byte, those in golden/. To write them anew, set
// FRESHET_UPDATE_GOLDEN.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/asyncapi.hpp>

#include "example_services.hpp"

namespace {

std::string content_of(const std::string& path) {
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

TEST_CASE("the documents of the examples are the golden ones") {
    for (const auto& example : example_services()) {
        INFO(example.name);
        const auto path = std::string{FRESHET_GOLDEN "/"} + example.name + ".json";
        const auto document = freshet::asyncapi_json(describe(example));
        if (std::getenv("FRESHET_UPDATE_GOLDEN") != nullptr) std::ofstream{path} << document;
        CHECK(document == content_of(path));
    }
}

TEST_CASE("the document of a service is the same each time") {
    for (const auto& example : example_services())
        CHECK(freshet::asyncapi_json(describe(example)) == freshet::asyncapi_json(describe(example)));
}
