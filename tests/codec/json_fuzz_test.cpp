// SPDX-License-Identifier: Apache-2.0
#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/codec.hpp>

#include "codec_support.hpp"
#include "json_types.hpp"

using namespace freshet;
using namespace freshet::testing;

namespace {

const shop::Order order{.id = "a1",
                        .amount = 1e-3,
                        .lines = {{"x", -70000, 2.5}, {"é", 3, 0}},
                        .note = "soon",
                        .status = shop::Status::closed,
                        .level = shop::Level::high,
                        .counts = {{"a", 1}, {"b", 300}}};

/// Whatever is read must be writable and read back the same.
void check(const std::string& body, Format format) {
    const auto value = read<shop::Order>(body, content_type(format));
    if (!value) {
        CHECK_FALSE(value.error().message().empty());
        return;
    }
    if (value->amount == value->amount) CHECK(sent(*value, Format::cbor) == *value);
}

}  // namespace

TEST_CASE("damaged bodies are refused or read, in every format") {
    std::mt19937 random{7};
    for (const Format format : formats) {
        const std::string body = written(order, format);
        for (std::size_t size = 0; size < body.size(); ++size)
            CHECK_FALSE(read<shop::Order>(body.substr(0, size), content_type(format)));
        for (int round = 0; round < 3000; ++round) {
            std::string damaged = body;
            for (auto hits = 1 + random() % 4; hits > 0; --hits)
                damaged[random() % damaged.size()] = static_cast<char>(random());
            check(damaged, format);
        }
    }
}

TEST_CASE("random bytes are refused or read, in every format") {
    std::mt19937 random{11};
    for (int round = 0; round < 3000; ++round) {
        std::string body(random() % 64, '\0');
        for (char& c : body) c = static_cast<char>(random());
        for (const Format format : formats) {
            check(body, format);
            const auto tree = read<shop::Node>(body, content_type(format));
            const auto map = read<std::map<std::string, shop::Every>>(body, content_type(format));
            CHECK((tree || !tree.error().message().empty()));
            CHECK((map || !map.error().message().empty()));
        }
    }
}
