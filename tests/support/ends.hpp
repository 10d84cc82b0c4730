// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <utility>

namespace freshet::testing {

/// Returns true when `function`, which runs in a thread of its own, has returned; passes on what it throws. Ends the
/// test program if it hangs.
inline bool ends(std::function<void()> function) {
    auto ended = std::async(std::launch::async, std::move(function));
    if (ended.wait_for(std::chrono::seconds{20}) == std::future_status::ready) return ended.get(), true;
    std::fprintf(stderr, "it hangs\n");
    std::abort();  // the future would wait
}

}  // namespace freshet::testing
