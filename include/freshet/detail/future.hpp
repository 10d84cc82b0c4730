// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <future>
#include <type_traits>
#include <utility>

#include <freshet/detail/chrono.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/error.hpp>
#include <freshet/future.hpp>

namespace freshet::detail {

/// Returns a future whose get() moves a clock of tests on while it waits, since otherwise nothing would make the future
/// ready while its thread waits. With any other clock, returns `future` itself.
template <class R>
Future<R> readied_by_waiting(Link& link, std::future<R> future) {
    if (!run_until(link, [] { return true; })) return Future<R>{std::move(future)};
    return Future<R>{std::async(std::launch::deferred, [&link, pending = Future<R>{std::move(future)}]() mutable {
        constexpr std::chrono::seconds at_once{0};
        if (pending.wait_for(at_once) != std::future_status::ready) require_may_wait("get() of a Future");
        run_until(link, [&] { return pending.wait_for(at_once) == std::future_status::ready; });
        return pending.get();
    })};
}

/// Calls `start(done)`, which begins an operation that calls `done(Expected<R>)` once, and returns a future that gives
/// the value or throws the error.
template <class R, class Start>
Future<R> as_future(Link& link, Start&& start) {
    std::promise<R> promise;
    auto future = promise.get_future();
    start([promise = std::move(promise)](Expected<R> result) mutable {
        try {
            if constexpr (std::is_void_v<R>) {
                value_or_raise(std::move(result));
                promise.set_value();
            } else {
                promise.set_value(value_or_raise(std::move(result)));
            }
        } catch (...) { promise.set_exception(std::current_exception()); }
    });
    return readied_by_waiting(link, std::move(future));
}

}  // namespace freshet::detail
