// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this type has no codec
#include <freshet/codec.hpp>

struct Order {
    int id = 0;
};
FRESHET_CODEC_DECLARE(Order);
FRESHET_CODEC_DEFINE(Order);
