// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <utility>

#include <freshet/buffer.hpp>
#include <freshet/outcome.hpp>
#include <freshet/outgoing.hpp>

namespace freshet {

class Context;

namespace detail {
class Step;
}  // namespace detail

/// The inner part that a middleware wraps: the middlewares within it, and at last the handler with its answer and
/// publications.
///
///     broker.use([](Context& context, Next next) { auto outcome = next(context); ...; return outcome; });
///
/// The call does not throw the exceptions of the inner part: a failure comes back as an Outcome, and Context::failure
/// says why. If the middleware does not call it, the handler does not run, and the message is settled as the
/// middleware's Outcome says. A second call throws Error(Errc::bad_setup). Move-only; use it only on the thread and
/// during the call that received it.
class Next {
public:
    explicit Next(detail::Step* const* rest) noexcept : rest_{rest} {}
    Next(Next&& other) noexcept : rest_{std::exchange(other.rest_, nullptr)} {}
    Next& operator=(Next&&) = delete;
    ~Next() = default;

    /// Runs the inner part and returns its Outcome. Call it once.
    Outcome operator()(Context& context);
    /// Runs the inner part with another body and returns its Outcome: the inner part reads a copy of `body` as the
    /// message's payload. Afterwards the message has the payload that came, and is settled, or made a dead letter, with
    /// it. Call it once.
    Outcome operator()(Context& context, Bytes body);

private:
    detail::Step* const* rest_;
};

/// Satisfied by a function or an object that wraps deliveries: `Outcome(Context&, Next)`. It is called from every
/// thread that handles messages.
template <class F>
concept Middleware = requires(F& middleware, Context& context, Next& next) {
    { middleware(context, std::move(next)) } -> std::same_as<Outcome>;
};

}  // namespace freshet
