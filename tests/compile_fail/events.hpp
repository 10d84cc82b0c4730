// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include <freshet/json.hpp>

struct Created {
    std::string id = {};
};
FRESHET_JSON(Created, id);
struct Deleted {
    std::string id = {};
};
FRESHET_JSON(Deleted, id);
using Event = std::variant<Created, Deleted>;
