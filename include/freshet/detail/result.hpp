// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <freshet/codec.hpp>
#include <freshet/detail/buffer_lease.hpp>
#include <freshet/detail/handler.hpp>
#include <freshet/detail/traits.hpp>
#include <freshet/response.hpp>

namespace freshet::detail {

template <class R>
inline constexpr bool is_response = false;
template <class T>
inline constexpr bool is_response<Response<T>> = true;

template <class R>
inline constexpr bool is_expected = false;
template <class T>
inline constexpr bool is_expected<Expected<T>> = true;

/// True for types that a handler may return: void, Outcome, RemoteError, a type with a codec, and optional, Response,
/// Expected around these.
template <class R>
inline constexpr bool returnable = Encodable<R>;
template <>
inline constexpr bool returnable<void> = true;
template <>
inline constexpr bool returnable<Outcome> = true;
template <>
inline constexpr bool returnable<RemoteError> = true;
template <>
inline constexpr bool returnable<Response<void>> = true;
template <class T>
inline constexpr bool returnable<Response<T>> = Encodable<T>;
template <class T>
inline constexpr bool returnable<std::optional<T>> = returnable<T>;
template <class T>
inline constexpr bool returnable<Expected<T>> = returnable<T>;

/// True for result types that can carry something to answer or to publish.
template <class R>
inline constexpr bool carries_body =
    !std::is_void_v<R> && !std::is_same_v<R, Outcome> && !std::is_same_v<R, RemoteError>;
template <class T>
inline constexpr bool carries_body<std::optional<T>> = carries_body<T>;
template <class T>
inline constexpr bool carries_body<Expected<T>> = carries_body<T>;

template <class T>
Outcome send_result(Context& context, const T& value, std::optional<Format> format, const Headers* headers) {
    if (!ContextAccess::result_wanted(context)) return Outcome::ack;
    if constexpr (sent_raw<T>) {
        return ContextAccess::emit(context, raw_body(value), {}, headers);
    } else {
        const BufferLease buffer;
        const auto type = encode_body(value, format ? *format : ContextAccess::result_format(context), *buffer);
        return ContextAccess::emit(context, buffer->bytes(), type, headers);
    }
}

/// Answers, publishes or settles, as the type of a handler's result says, and returns the outcome.
template <class R>
Outcome finish(Context& context, R&& result) {
    using Result = std::remove_cvref_t<R>;
    if constexpr (std::is_same_v<Result, Outcome>) {
        const auto& decided = ContextAccess::decided(context);  // a call on the Context takes precedence
        return ContextAccess::decide(context, decided ? *decided : std::forward<R>(result));
    } else if constexpr (std::is_same_v<Result, RemoteError>) {
        return ContextAccess::fail(context, std::forward<R>(result));
    } else if constexpr (is_expected<Result>) {
        if (!result) return ContextAccess::fail(context, std::forward<R>(result).error());
        if constexpr (std::is_void_v<typename Result::value_type>) return Outcome::ack;
        else return finish(context, *std::forward<R>(result));
    } else if constexpr (is_optional<Result>) {
        if (!result) return Outcome::ack;
        return finish(context, *std::forward<R>(result));
    } else if constexpr (std::is_same_v<Result, Response<void>>) {
        return ContextAccess::emit(context, {}, {}, &result.headers);
    } else if constexpr (is_response<Result>) {
        return send_result(context, result.body, result.format, &result.headers);
    } else {
        return send_result(context, result, std::nullopt, nullptr);
    }
}

}  // namespace freshet::detail
