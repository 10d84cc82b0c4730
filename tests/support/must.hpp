// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace freshet::testing {

/// A check for handlers and other threads than the test's, which is the only one that may use Catch2's assertions: also
/// one that waits in a CHECK is in the middle of it. Ends the program, and with it the test, when it does not hold.
inline void must(bool holds, std::source_location where = std::source_location::current()) {
    if (holds) return;
    std::fprintf(stderr, "%s:%u: this must hold, and does not\n", where.file_name(),
                 static_cast<unsigned>(where.line()));
    std::abort();
}

}  // namespace freshet::testing
