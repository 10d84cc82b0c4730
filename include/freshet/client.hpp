// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include <freshet/detail/core.hpp>
#include <freshet/detail/future.hpp>
#include <freshet/future.hpp>
#include <freshet/options.hpp>

namespace freshet {

namespace detail {

/// What the answer to a request is; a Message may be anything.
template <class R>
inline constexpr BodyShape answer_shape = body_shape<R, Direction::read>;
template <>
inline constexpr BodyShape answer_shape<Message> = {.kind = BodyKind::raw};

template <class Function>
inline constexpr OutgoingShape client_shape{};
template <class R, class... A>
inline constexpr OutgoingShape client_shape<R(A...)>{.kind = OutgoingShape::Kind::client,
                                                     .answer = &answer_shape<std::remove_cvref_t<R>>};
template <class R, class A>
inline constexpr OutgoingShape client_shape<R(A)>{.kind = OutgoingShape::Kind::client,
                                                  .body = &body_shape<std::remove_cvref_t<A>, Direction::write>,
                                                  .answer = &answer_shape<std::remove_cvref_t<R>>};

}  // namespace detail

template <class Function>
class Client {
    static_assert(
        sizeof(Function*) == 0,
        "freshet: a client is declared with a function type, such as broker.client<Invoice(const Order&)>(...). See "
        "docs/requests.md");
};

/// A remote function: `auto make = broker.client<Invoice(const Order&)>("invoices.make"); Invoice i = make(order);` R
/// is a type with a codec, Message, or void (any answer will do); A is the type of the one argument, if there is one.
/// Cheap to copy; usable as long as its broker lives. Thread-safe.
template <class R, class... A>
class Client<R(A...)> {
    static_assert(sizeof...(A) <= 1,
                  "freshet: a client takes one argument, the body of the request. See docs/requests.md");

public:
    Client(detail::Link& link, std::string subject, RequestOptions options)
        : link_{&link},
          counts_{&detail::request_counts(link, subject)},
          subject_{std::move(subject)},
          options_{std::move(options)} {}

    /// Sends the request and blocks until the answer or the deadline. Throws Error: Condition::timeout,
    /// Condition::no_responders, Condition::disconnected, Condition::bad_payload; RemoteError when the other side
    /// answered with an error (ADR-32).
    R operator()(const std::remove_cvref_t<A>&... argument) const { return value_or_raise(try_call(argument...)); }
    /// Sends the request with `options` instead of the client's own, as in `make({.headers = ...}, order)`, and blocks
    /// until the answer or the deadline. Throws the errors of the call without options.
    R operator()(const RequestOptions& options, const std::remove_cvref_t<A>&... argument) const {
        return value_or_raise(try_call(options, argument...));
    }

    /// Calls as operator() does, but returns the Error instead of throwing it.
    Expected<R> try_call(const std::remove_cvref_t<A>&... argument) const { return try_call(options_, argument...); }
    /// Calls as operator() does, with `options` instead of the client's own, and returns the Error instead of throwing
    /// it.
    Expected<R> try_call(const RequestOptions& options, const std::remove_cvref_t<A>&... argument) const {
        return with_argument(
            options,
            [&](const detail::Encoded& encoded) -> Expected<R> {
                return detail::decode_reply<R>(subject_, detail::request(*link_, *counts_, subject_, encoded, options));
            },
            argument...);
    }

    /// Sends the request and returns at once. Thousands of requests may be in flight; each has its own deadline. The
    /// Future gives the answer, or throws the Error that operator() would throw.
    Future<R> async(const std::remove_cvref_t<A>&... argument) const { return async(options_, argument...); }
    /// Sends the request with `options` instead of the client's own and returns a Future of the answer at once.
    Future<R> async(const RequestOptions& options, const std::remove_cvref_t<A>&... argument) const {
        return detail::as_future<R>(*link_, [&](auto done) { start(std::move(done), options, argument...); });
    }

    /// Sends the request and returns at once; `done(Expected<R>)` is called exactly once, on one of these threads: the
    /// thread that reads the broker's answers, the timer's thread at the deadline, a thread that freshet makes to stop
    /// the broker, or, if the request could not be sent, the calling thread before async() returns. `done` must not
    /// block, since all other answers wait for it; an exception from it is logged.
    template <class Done>
        requires std::is_invocable_v<Done&, Expected<R>>
    void async(const std::remove_cvref_t<A>&... argument, Done done) const {
        start(std::move(done), options_, argument...);
    }
    /// Sends the request with `options` instead of the client's own; `done(Expected<R>)` is called exactly once, and
    /// must not block. docs/threads.md says on which thread.
    template <class Done>
        requires std::is_invocable_v<Done&, Expected<R>>
    void async(const RequestOptions& options, const std::remove_cvref_t<A>&... argument, Done done) const {
        start(std::move(done), options, argument...);
    }

private:
    template <class Done>
    void start(Done done, const RequestOptions& options, const std::remove_cvref_t<A>&... argument) const {
        detail::ReplyHandler handler = [done = std::move(done), subject = subject_](Expected<Message> reply) mutable {
            done(detail::decode_reply<R>(subject, std::move(reply)));
        };
        const auto sent = with_argument(
            options,
            [&](const detail::Encoded& encoded) -> Expected<void> {
                detail::request_async(*link_, *counts_, subject_, encoded, options, std::move(handler));
                return {};
            },
            argument...);
        if (!sent) detail::refuse_async(*link_, subject_, std::move(handler), sent.error());
    }

    template <class Send>
    auto with_argument(const RequestOptions& options, Send&& send, const std::remove_cvref_t<A>&... argument) const {
        if constexpr (sizeof...(A) == 0) return send(detail::Encoded{});
        else return detail::with_encoded(*link_, argument..., options.format, send);
    }

    detail::Link* link_;
    detail::RequestCounts* counts_;  // of link_
    std::string subject_;
    RequestOptions options_;
};

}  // namespace freshet
