// SPDX-License-Identifier: Apache-2.0
// expect: freshet: an argument of this log line cannot be formatted
#include <freshet/logger.hpp>

struct Order {
    int id = 0;
};

void note(freshet::Logger& log, const Order& order) { log.info("got {}", order); }
