// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/codec.hpp>

// A type whose codec is compiled in codec_declared.cpp only.

namespace declared {

struct Reading {
    std::string sensor = {};
    double value = 0;

    bool operator==(const Reading&) const = default;
};

}  // namespace declared

FRESHET_CODEC_DECLARE(declared::Reading);
