// SPDX-License-Identifier: Apache-2.0
// The types and names that worker and producer share.
#pragma once

#include <freshet/json.hpp>

struct Job {
    int number{};
};
struct Done {
    int number{};
    int process{};
};
FRESHET_JSON(Job, number);
FRESHET_JSON(Done, number, process);
