// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <string>
#include <type_traits>
#include <utility>

#include <freshet/detail/core.hpp>
#include <freshet/detail/future.hpp>
#include <freshet/options.hpp>

namespace freshet {

template <class Function>
class Client {
    static_assert(
        sizeof(Function*) == 0,
        "freshet: a client is declared with a function type, such as broker.client<Invoice(const Order&)>(...). See "
        "docs/requests.md");
};

/// A remote function: `auto make = broker.client<Invoice(const Order&)>("invoices.make"); Invoice i = make(order);`
/// R is a type with a codec, Message, or void (any answer is fine); A is the one argument, if any.
/// Cheap to copy; usable as long as its broker lives. Thread-safe.
template <class R, class... A>
class Client<R(A...)> {
    static_assert(sizeof...(A) <= 1,
                  "freshet: a client takes one argument, the body of the request. See docs/requests.md");

public:
    Client(detail::Link& link, std::string subject, RequestOptions options)
        : link_{&link}, subject_{std::move(subject)}, options_{std::move(options)} {}

    /// Asks and waits for the answer. Throws Error: Condition::timeout, no_responders, disconnected, bad_payload; RemoteError when
    /// the other side failed.
    R operator()(const std::remove_cvref_t<A>&... argument) const { return value_or_raise(try_call(argument...)); }
    /// The same with options of its own for this call, instead of the client's; so do all calls: `make({.headers = ...}, order)`.
    R operator()(const RequestOptions& options, const std::remove_cvref_t<A>&... argument) const {
        return value_or_raise(try_call(options, argument...));
    }

    /// The same, the error as a value.
    Expected<R> try_call(const std::remove_cvref_t<A>&... argument) const { return try_call(options_, argument...); }
    Expected<R> try_call(const RequestOptions& options, const std::remove_cvref_t<A>&... argument) const {
        return with_argument(
            options,
            [&](const detail::Encoded& encoded) -> Expected<R> {
                return detail::decode_reply<R>(subject_, detail::request(*link_, subject_, encoded, options));
            },
            argument...);
    }

    /// Asks and returns at once. Thousands may be in flight; each has its deadline. The future gives the answer or throws what
    /// operator() would.
    std::future<R> async(const std::remove_cvref_t<A>&... argument) const { return async(options_, argument...); }
    std::future<R> async(const RequestOptions& options, const std::remove_cvref_t<A>&... argument) const {
        return detail::as_future<R>(*link_, [&](auto done) { start(std::move(done), options, argument...); });
    }

    /// Asks and returns at once; `done(Expected<R>)` is called once: by the thread that reads the broker's answers, by its timer's at
    /// the deadline, by the one that stops the broker, or, if nothing could be sent, by this one before async returns. It must not
    /// block: all other answers wait for it. What it throws is logged.
    template <class Done>
        requires std::is_invocable_v<Done&, Expected<R>>
    void async(const std::remove_cvref_t<A>&... argument, Done done) const {
        start(std::move(done), options_, argument...);
    }
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
                detail::request_async(*link_, subject_, encoded, options, std::move(handler));
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
    std::string subject_;
    RequestOptions options_;
};

}  // namespace freshet
