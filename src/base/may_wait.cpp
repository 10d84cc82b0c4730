// SPDX-License-Identifier: Apache-2.0
#include "base/may_wait.hpp"

#include <string>

namespace freshet::detail {

Error wait_refused(std::string_view what) {
    return {
        Errc::bad_setup,
        std::string{what} +
            ": refused, since a function given to async must not block: its thread receives the answers to all of the "
            "broker's requests and ends them at their timeouts; use async there as well, or hand the work to a thread "
            "of your own. See docs/threads.md#functions-given-to-async"};
}

}  // namespace freshet::detail
