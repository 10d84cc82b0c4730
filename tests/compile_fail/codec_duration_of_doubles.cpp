// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a duration in JSON must be an integer count of nanoseconds or of a multiple of them: use such a duration, use a double, or specialise freshet::JsonAs. See docs/codecs.md
#include <chrono>

#include <freshet/codec.hpp>

struct Order {
    std::chrono::duration<double> age = {};
};
FRESHET_JSON(Order, age);

Order read(const freshet::Message& message) { return freshet::decode<Order>(message); }
