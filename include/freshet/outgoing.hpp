// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/buffer.hpp>
#include <freshet/error.hpp>
#include <freshet/headers.hpp>

namespace freshet {

class Context;

namespace detail {
class PublishStep;
}  // namespace detail

/// A view of a text, which must live until `next` has returned. Does not take a temporary std::string.
class OutgoingText : public std::string_view {
public:
    constexpr OutgoingText() noexcept = default;
    template <class Text>
        requires std::is_convertible_v<const Text&, std::string_view>
    constexpr OutgoingText(const Text& text) noexcept : std::string_view{text} {}
    OutgoingText(std::string&&) = delete;  // ends before the message is sent
};

/// A message on its way out, as publish middlewares see and change it. Texts and bytes behind the views must live until
/// `next` has returned.
struct Outgoing {
    enum class Kind : std::uint8_t {
        event,    ///< publish, publish_to
        reply,    ///< the answer to a request, also an answer that is an error
        request,  ///< request, request_many, client; publications to JetStream, which the server answers
    };

    Kind kind = Kind::event;
    OutgoingText subject = {};          ///< freshet checks it again if a middleware changed it
    Bytes body = {};                    ///< the encoded body
    OutgoingText content_type = {};     ///< content type of the body; empty for bytes and strings
    OutgoingText reply_to = {};         ///< a middleware must not change that of a request
    Headers& headers;                   ///< headers of this message; freshet adds those of the envelope later
    const Context* delivery = nullptr;  ///< the delivery that this thread handles; null outside of handlers
};

/// The inner part that a publish middleware wraps: the publish middlewares within it, and at last the connection. The
/// call does not throw; errors come back as a value. If the middleware does not call it, the message is not sent: the
/// middleware then returns an error, unless it drops the message on purpose. A second call sends nothing and returns an
/// error. Move-only; use it only on the thread and during the call that received it.
class NextPublish {
public:
    NextPublish(detail::PublishStep* const* rest, detail::PublishStep* const* end, detail::PublishStep& last) noexcept
        : rest_{rest}, end_{end}, last_{&last} {}
    NextPublish(NextPublish&& other) noexcept
        : rest_{other.rest_}, end_{other.end_}, last_{std::exchange(other.last_, nullptr)} {}
    NextPublish& operator=(NextPublish&&) = delete;
    ~NextPublish() = default;

    /// Sends the message through the inner part. Call it once.
    Expected<void> operator()(Outgoing& out);

private:
    detail::PublishStep* const* rest_;
    detail::PublishStep* const* end_;
    detail::PublishStep* last_;
};

/// Satisfied by a function or an object that wraps publications: `Expected<void>(Outgoing&, NextPublish)`. It is called
/// from every thread that publishes.
template <class F>
concept PublishMiddleware = requires(F& middleware, Outgoing& out, NextPublish& next) {
    { middleware(out, std::move(next)) } -> std::same_as<Expected<void>>;
};

}  // namespace freshet
