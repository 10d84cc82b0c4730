// SPDX-License-Identifier: Apache-2.0
// expect: LogFormat<
#include <freshet/logger.hpp>

void note(freshet::Logger& log) { log.info("{} of {}", 1); }
