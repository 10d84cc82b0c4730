// SPDX-License-Identifier: Apache-2.0
// The types that rpc_server and rpc_client share.
#pragma once

#include <cstdint>

#include <freshet/json.hpp>

struct Division {
    double number{};
    double by{};
};
struct Quotient {
    double value{};
};
struct Status {
    int process{};
    std::uint64_t divisions{};
};
FRESHET_JSON(Division, number, by);
FRESHET_JSON(Quotient, value);
FRESHET_JSON(Status, process, divisions);
