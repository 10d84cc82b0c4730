// SPDX-License-Identifier: Apache-2.0
#include "link/background.hpp"

namespace freshet::detail {

void Background::keep_calls() {
    for (auto* call = Call::current_; call != nullptr; call = call->outer_)
        if (&call->all_ == this && !call->work_) call->work_.emplace(*this);
}

void Background::wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return running_ == 0; });
}

void Background::change(std::ptrdiff_t by) {
    const std::lock_guard lock{mutex_};
    running_ += by;
    changed_.notify_all();  // under the lock: the object may go when wait() has returned
}

}  // namespace freshet::detail
