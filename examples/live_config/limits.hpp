// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/json.hpp>

/// What customers may do: a value of the bucket "limits", under the key `customer.<name>`.
struct Limit {
    int requests_per_minute = 60;
    bool blocked = false;
};
FRESHET_JSON(Limit, requests_per_minute, blocked);
