// SPDX-License-Identifier: Apache-2.0
#include "base/may_wait.hpp"

#include <string>

namespace freshet::detail {

Error wait_refused(std::string_view what) {
    return {
        Errc::bad_setup,
        std::string{what} +
            ": refused, since it would block the thread that brings the broker's answers and ends them at their "
            "deadlines. A function given to async must not block: call async in it, or hand the work to a thread of "
            "your own. See docs/threads.md#functions-given-to-async"};
}

}  // namespace freshet::detail
