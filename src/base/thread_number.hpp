// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace freshet::detail {

/// A small number for each thread, so that counters have a place for each thread without a lock or a look-up.
class ThreadNumber {
public:
    /// Numbers are less than this.
    static constexpr unsigned limit = 64;
    /// The number of threads that have none of their own: those beyond the limit, those that end, and those that have
    /// not called take() yet.
    static constexpr unsigned none = 0;

    /// Returns the number of the calling thread. Two threads that live have the same one only if it is `none`; a thread
    /// that begins may get the number of one that has ended.
    static unsigned current() noexcept { return number_; }
    /// Gives the calling thread a number if it has none and one is free. Returns the number.
    static unsigned take() noexcept;

private:
    class Lease;

    static constinit inline thread_local unsigned number_ = none;
};

}  // namespace freshet::detail
