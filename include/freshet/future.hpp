// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <string_view>
#include <utility>

#include <freshet/detail/chrono.hpp>

namespace freshet {
namespace detail {

/// Throws Error(Errc::bad_setup) on a thread that brings a broker's answers, which must not wait for one; `what` names
/// the call in the error.
void require_may_wait(std::string_view what);

}  // namespace detail

/// The result of an operation that async has begun: a std::future whose functions throw Error(Errc::bad_setup) where
/// they would block the thread that brings the result, in a function given to async. See docs/threads.md. It converts
/// to a std::future, which cannot see that.
template <class R>
class Future : public std::future<R> {
public:
    Future() noexcept = default;
    explicit Future(std::future<R> future) noexcept : std::future<R>{std::move(future)} {}

    /// Blocks until the operation has ended. Returns its result, or throws its error.
    R get() {
        check("get() of a Future");
        return std::future<R>::get();
    }
    /// Blocks until the operation has ended.
    void wait() const {
        check("wait() of a Future");
        std::future<R>::wait();
    }
    /// Blocks until the operation has ended, for `time` at most; with a `time` of 0 only looks.
    template <class Rep, class Period>
    std::future_status wait_for(const std::chrono::duration<Rep, Period>& time) const {
        if (time > time.zero()) check("wait_for() of a Future");
        return std::future<R>::wait_for(time);
    }
    /// Blocks until the operation has ended, until `time` at most.
    template <class Clock, class Duration>
    std::future_status wait_until(const std::chrono::time_point<Clock, Duration>& time) const {
        if (time > Clock::now()) check("wait_until() of a Future");
        return std::future<R>::wait_until(time);
    }

private:
    void check(std::string_view what) const {
        const bool waits =
            this->valid() && std::future<R>::wait_for(std::chrono::seconds{0}) == std::future_status::timeout;
        if (waits) detail::require_may_wait(what);
    }
};

}  // namespace freshet
