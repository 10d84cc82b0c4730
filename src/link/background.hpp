// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
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

    /// Marks, while it lives, that this thread is in a call that runs a user's code and then goes on with the broker,
    /// which that code may destroy. Nests. Must not outlive the Background.
    class Call {
    public:
        explicit Call(Background& all) noexcept : all_{all}, outer_{std::exchange(current_, this)} {}
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;
        ~Call() { current_ = outer_; }

    private:
        friend class Background;

        static constinit inline thread_local Call* current_ = nullptr;

        Background& all_;
        Call* outer_;
        std::optional<Work> work_ = {};  // of a call in which the broker was destroyed
    };

    /// Counts the calls that this thread is in as threads. Call it where a broker is destroyed that cannot wait for
    /// them.
    void keep_calls();

    /// Blocks until no thread works.
    void wait();

private:
    void change(std::ptrdiff_t by);

    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::ptrdiff_t running_ = 0;
};

}  // namespace freshet::detail
