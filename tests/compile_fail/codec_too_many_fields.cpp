// SPDX-License-Identifier: Apache-2.0
// expect: freshet: FRESHET_JSON takes up to 64 fields. See docs/codecs.md
#include <freshet/json.hpp>

struct Wide {
    int f = 0;
};
FRESHET_JSON(Wide, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f,
             f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f);
