// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/codec.hpp>

#include "codec_support.hpp"
#include "lane_cases.hpp"

// The type that lane_cases.hpp reads, once for each lane.

namespace probe {

enum class Color { red, green };
FRESHET_ENUM(Color, red, green);

namespace plain {

struct Inner {
    int a = 0;
    std::optional<int> b = {};
};

struct Probe {
    std::optional<int> i = {};
    std::optional<std::uint8_t> u8 = {};
    std::optional<std::int64_t> i64 = {};
    std::optional<std::uint64_t> u64 = {};
    std::optional<double> d = {};
    std::optional<float> f = {};
    std::optional<std::string> s = {};
    std::optional<Color> color = {};
    std::optional<Inner> inner = {};
    std::optional<std::vector<int>> list = {};
    std::optional<std::map<std::string, int>> map = {};
};

}  // namespace plain

namespace fields {

struct Inner {
    int a = 0;
    std::optional<int> b = {};
};
FRESHET_JSON(Inner, a, b);

struct Probe {
    std::optional<int> i = {};
    std::optional<std::uint8_t> u8 = {};
    std::optional<std::int64_t> i64 = {};
    std::optional<std::uint64_t> u64 = {};
    std::optional<double> d = {};
    std::optional<float> f = {};
    std::optional<std::string> s = {};
    std::optional<Color> color = {};
    std::optional<Inner> inner = {};
    std::optional<std::vector<int>> list = {};
    std::optional<std::map<std::string, int>> map = {};
};
FRESHET_JSON(Probe, i, u8, i64, u64, d, f, s, color, inner, list, map);

}  // namespace fields
}  // namespace probe

namespace freshet::testing {

template <class Probe>
void check_lane_cases() {
    for (const auto& [what, format, body, value] : lane_cases) {
        const auto got = read<Probe>(body, content_type(format));
        const std::string why = got ? "" : got.error().what();
        CAPTURE(what, content_type(format), body, why);
        CHECK(got.has_value() == value.has_value());
        if (got && value) CHECK(written(*got) == *value);
    }
}

}  // namespace freshet::testing
