// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <freshet/codec.hpp>
#include <freshet/detail/argument.hpp>
#include <freshet/detail/buffer_lease.hpp>
#include <freshet/detail/handler.hpp>
#include <freshet/detail/signature.hpp>
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

/// Returns true if a T is or contains a view of text or bytes: its target may end before the result is sent. Looks into
/// the standard's containers, not into classes of the user's.
template <class T>
consteval bool holds_view();
template <class... Elements>
consteval bool any_holds_view(std::type_identity<std::tuple<Elements...>>) {
    return (holds_view<Elements>() || ...);
}
template <class... Elements>
consteval bool any_holds_view(std::type_identity<std::variant<Elements...>>) {
    return (holds_view<Elements>() || ...);
}
template <class First, class Second>
consteval bool any_holds_view(std::type_identity<std::pair<First, Second>>) {
    return holds_view<First>() || holds_view<Second>();
}
template <class T>
consteval bool any_holds_view(std::type_identity<Response<T>>) {
    return holds_view<T>();
}
template <class T>
consteval bool holds_view() {
    using Value = std::remove_cv_t<T>;
    if constexpr (!std::is_class_v<Value>) return RawSentView<Value>;
    else if constexpr (UserEncodes<Value> || UserEncodesFormats<Value> || HasFields<Value>) return false;
    else if constexpr (RawSentView<Value>) return true;
    else if constexpr (requires { any_holds_view(std::type_identity<Value>{}); })
        return any_holds_view(std::type_identity<Value>{});
    else if constexpr (is_optional<Value> || is_expected<Value> || is_array<Value> || JsonSequence<Value>)
        return holds_view<typename Value::value_type>();
    else if constexpr (JsonMap<Value>) return holds_view<typename Value::mapped_type>();
    else return false;
}

/// True if every view that a function with these parameters returns may be one of the message's body.
template <class... A>
inline constexpr bool takes_body_view =
    ((argument_kind<A> == ArgumentKind::text || argument_kind<A> == ArgumentKind::bytes) || ... || false);

/// True if the result of a function with these parameters lives until it is sent.
template <class Result, class Arguments>
inline constexpr bool result_lives = true;
template <class Result, class... A>
inline constexpr bool result_lives<Result, TypeList<A...>> = !holds_view<Result>() || takes_body_view<A...>;

#define FRESHET_VIEW_RESULT                                                                                            \
    "freshet: this function returns a view (std::string_view, std::span, const char*), which is sent after it has "    \
    "returned: what it refers to may be gone by then. Return std::string or std::vector<std::byte>, or "               \
    "freshet::Borrowed{view} for what lives longer, such as a literal. See docs/handlers.md#views"

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
