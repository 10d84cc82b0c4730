// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/freshet.hpp>

struct Thumbnail {
    std::string image;
    int width = 0;
};
FRESHET_JSON(Thumbnail, image, width);
