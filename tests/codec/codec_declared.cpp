// SPDX-License-Identifier: Apache-2.0
#include "codec_declared.hpp"

namespace declared {

FRESHET_JSON(Reading, sensor, value);

}  // namespace declared

FRESHET_CODEC_DEFINE(declared::Reading);
