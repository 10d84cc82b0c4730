// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>

#include <freshet/buffer.hpp>
#include <freshet/error.hpp>
#include <freshet/headers.hpp>
#include <freshet/outcome.hpp>

namespace freshet {

class Context;

namespace detail {
class Step;
class PublishStep;
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

/// A message on its way out, as publish middlewares see and change it. What the views refer to must live until `next`
/// has returned.
struct Outgoing {
    enum class Kind : std::uint8_t {
        event,    ///< publish, publish_to
        reply,    ///< the answer to a request, also one that tells an error
        request,  ///< request, request_many, client; JetStream's publications, which are answered
    };

    Kind kind = Kind::event;
    std::string_view subject = {};       ///< checked again if it was changed
    Bytes body = {};                     ///< encoded
    std::string_view content_type = {};  ///< of the body; empty for bytes and strings
    std::string_view reply_to = {};      ///< of a request it must stay as it is
    Headers& headers;                    ///< its own; what the envelope adds comes later
    const Context* delivery = nullptr;   ///< the message being handled meanwhile; null outside of handlers
};

/// What a publish middleware wraps: the ones within it, and at last the connection. It does not throw. Not calling it
/// keeps the message from being sent: return an error then, unless dropping it is meant. A second call sends nothing
/// and returns an error. Move-only, as Next.
class NextPublish {
public:
    NextPublish(detail::PublishStep* const* rest, detail::PublishStep* const* end, detail::PublishStep& last) noexcept
        : rest_{rest}, end_{end}, last_{&last} {}
    NextPublish(NextPublish&& other) noexcept
        : rest_{other.rest_}, end_{other.end_}, last_{std::exchange(other.last_, nullptr)} {}
    NextPublish& operator=(NextPublish&&) = delete;
    ~NextPublish() = default;

    Expected<void> operator()(Outgoing& out);

private:
    detail::PublishStep* const* rest_;
    detail::PublishStep* const* end_;
    detail::PublishStep* last_;
};

/// A function or an object that goes around a delivery. It is called from every thread that handles messages.
template <class F>
concept Middleware = requires(F& middleware, Context& context, Next& next) {
    { middleware(context, std::move(next)) } -> std::same_as<Outcome>;
};

/// The same around a publication.
template <class F>
concept PublishMiddleware = requires(F& middleware, Outgoing& out, NextPublish& next) {
    { middleware(out, std::move(next)) } -> std::same_as<Expected<void>>;
};

}  // namespace freshet
