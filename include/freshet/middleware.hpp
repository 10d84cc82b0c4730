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

/// What a middleware wraps: the middlewares within it, and at last the handler with its answer and publications.
///
///     broker.use([](Context& context, Next next) { auto outcome = next(context); ...; return outcome; });
///
/// Calling it never throws what is within: whatever fails there comes back as an Outcome, and Context::failure says why.
/// Not calling it keeps the handler from running; the message is settled as the middleware says. A second call throws
/// Error(Errc::bad_setup). Move-only; for the thread and the time of the call that got it.
class Next {
public:
    explicit Next(detail::Step* const* rest) noexcept : rest_{rest} {}
    Next(Next&& other) noexcept : rest_{std::exchange(other.rest_, nullptr)} {}
    Next& operator=(Next&&) = delete;
    ~Next() = default;

    Outcome operator()(Context& context);
    /// The same with another body: what is within reads `body` as the message's payload. It must live until this returns; then
    /// the message is again what came, and is settled, or made a dead letter, as that.
    Outcome operator()(Context& context, Bytes body);

private:
    detail::Step* const* rest_;
};

/// A function or an object that goes around a delivery. It is called from every thread that handles messages.
template <class F>
concept Middleware = requires(F& middleware, Context& context, Next& next) {
    { middleware(context, std::move(next)) } -> std::same_as<Outcome>;
};

}  // namespace freshet
