// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

namespace freshet::detail {

/// Counts the threads that work for a broker and that belong to no subscriber, so that the broker does not go before
/// they have ended. Thread-safe.
class Background {
public:
    /// Counts as one thread while it lives. Must not outlive the Background.
    class Work {
    public:
        explicit Work(Background& all) : all_{&all} { all.change(1); }
        Work(Work&& other) noexcept : all_{std::exchange(other.all_, nullptr)} {}
        Work& operator=(Work&&) = delete;
        ~Work() {
            if (all_ != nullptr) all_->change(-1);
        }

    private:
        Background* all_;
    };

    /// Blocks until no thread works.
    void wait();

private:
    void change(std::ptrdiff_t by);

    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::ptrdiff_t running_ = 0;
};

}  // namespace freshet::detail
