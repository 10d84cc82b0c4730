// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>
#include <string_view>

#include <freshet/codec_format.hpp>

#include "lane_cases.hpp"

// Short bodies that are a few bytes away from the cases of lane_cases.hpp.

namespace freshet::testing {

/// Changes `body` in one to three places: a byte is replaced, inserted, removed, or copied from another place.
inline std::string mutated(std::string_view body, Format format, std::mt19937& random) {
    constexpr std::string_view common = "{}[]:,\"\\-+.eE0159truefalsn \n\x01\x7f\xc3\xa9\xed\xa0";
    std::string result{body};
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
        const auto at = random() % (result.size() + 1);
        const char byte = format == Format::json && random() % 8 != 0 ? common[random() % common.size()]
                                                                      : static_cast<char>(random());
        const auto kind = random() % 4;
        if (kind == 0 || at == result.size()) result.insert(at, 1, byte);
        else if (kind == 1) result.erase(at, 1);
        else if (kind == 2) result[at] = byte;
        else result[at] = result[random() % result.size()];
    }
    return result;
}

/// Calls `use(body, format)` with `rounds` mutations of each case. Each run of a program gets the same ones.
template <class Use>
void for_each_mutation(int rounds, const Use& use) {
    std::mt19937 random{16};
    for (const auto& lane_case : lane_cases) {
        for (int round = 0; round < rounds; ++round)
            use(mutated(lane_case.body, lane_case.format, random), lane_case.format);
    }
}

}  // namespace freshet::testing
