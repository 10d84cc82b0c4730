// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>

#include <freshet/buffer.hpp>
#include <freshet/error.hpp>
#include <freshet/headers.hpp>

namespace freshet {

class Context;

namespace detail {
class PublishStep;
}  // namespace detail

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

/// A function or an object that goes around a publication. It is called from every thread that publishes.
template <class F>
concept PublishMiddleware = requires(F& middleware, Outgoing& out, NextPublish& next) {
    { middleware(out, std::move(next)) } -> std::same_as<Expected<void>>;
};

}  // namespace freshet
