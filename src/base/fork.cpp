// SPDX-License-Identifier: Apache-2.0
#include "base/fork.hpp"

#include <atomic>
#include <mutex>
#include <string>

#include <pthread.h>

namespace freshet::detail {
namespace {

std::atomic<bool> is_forked{false};

extern "C" void freshet_mark_forked() { is_forked.store(true, std::memory_order_relaxed); }

}  // namespace

void watch_forks() {
    static std::once_flag once;
    std::call_once(once, [] { ::pthread_atfork(nullptr, nullptr, &freshet_mark_forked); });
}

bool forked() noexcept { return is_forked.load(std::memory_order_relaxed); }

Error forked_error(std::string_view what) {
    return {Errc::bad_setup, std::string{what} +
                                 ": this process was forked after its parent had started a broker, and has none "
                                 "of the threads that a broker needs; fork first, then start the brokers"};
}

}  // namespace freshet::detail
