// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>
#include <type_traits>

#include <freshet/describer.hpp>
#include <freshet/detail/argument.hpp>
#include <freshet/detail/batch_handler.hpp>
#include <freshet/detail/result.hpp>
#include <freshet/detail/signature.hpp>
#include <freshet/extract.hpp>

// What functions take and return, as static data.
namespace freshet::detail {

template <class Signature>
inline constexpr HandlerShape handler_shape{};

template <class V>
struct ParameterOf {
    static consteval ParameterShape shape() {
        if constexpr (requires { &Extractor<V>::describe; })
            return {.kind = ParameterKind::described, .describe = &Extractor<V>::describe};
        else return {.kind = ParameterKind::unknown, .name = type_name<V>()};
    }
};
template <FixedString Name, class T>
struct ParameterOf<Path<Name, T>> {
    static constexpr FixedString name = Name;
    static consteval ParameterShape shape() {
        return {.kind = ParameterKind::path, .name = name.view(), .text = &text_shape<T>};
    }
};
template <FixedString Name, class T>
struct ParameterOf<Header<Name, T>> {
    static constexpr FixedString name = Name;
    static consteval ParameterShape shape() {
        return {.kind = ParameterKind::header, .name = name.view(), .text = &text_shape<T>};
    }
};
template <FixedString Name, class T>
struct ParameterOf<Header<Name, std::optional<T>>> {
    static constexpr FixedString name = Name;
    static consteval ParameterShape shape() {
        return {.kind = ParameterKind::header, .required = false, .name = name.view(), .text = &text_shape<T>};
    }
};
template <class T>
struct ParameterOf<Inject<T>> {
    static consteval ParameterShape shape() { return {}; }
};
template <class T>
struct ParameterOf<std::span<const T>> {
    static consteval ParameterShape shape() {
        return {.kind = ParameterKind::batch, .body = &body_shape<T, Direction::read>};
    }
};
template <auto Function>
struct ParameterOf<Depends<Function>> {
    static consteval ParameterShape shape() {
        if constexpr (HasSignature<decltype(Function)>)
            return {.kind = ParameterKind::nested,
                    .nested =
                        &handler_shape<void(typename Signature<std::remove_cv_t<decltype(Function)>>::Arguments)>};
        else return {};
    }
};

template <class V>
consteval ParameterShape parameter_shape() {
    constexpr auto kind = argument_kind<V>;
    if constexpr (kind == ArgumentKind::message) return {.kind = ParameterKind::message};
    else if constexpr (kind >= ArgumentKind::text && kind <= ArgumentKind::body)
        return {.kind = ParameterKind::body, .body = &body_shape<V, Direction::read>};
    else if constexpr (kind == ArgumentKind::extracted || kind == ArgumentKind::depends) return ParameterOf<V>::shape();
    else return {};
}
template <class... Values>
inline constexpr std::array<ParameterShape, sizeof...(Values)> parameter_shapes{parameter_shape<Values>()...};

template <class R>
inline constexpr HandlerShape result_shape = {.result = body_shape<R, Direction::write>, .has_result = true};
template <>
inline constexpr HandlerShape result_shape<void> = {};
template <>
inline constexpr HandlerShape result_shape<Outcome> = {};
template <>
inline constexpr HandlerShape result_shape<Response<void>> = {.has_result = true};
template <class T>
inline constexpr HandlerShape result_shape<Response<T>> = result_shape<T>;
template <class T>
inline constexpr HandlerShape result_shape<Expected<T>> = result_shape<T>;
template <class T>
inline constexpr HandlerShape result_shape<std::optional<T>> = {
    .result = result_shape<T>.result, .has_result = result_shape<T>.has_result, .may_skip = true};

template <class R, class... A>
consteval HandlerShape make_handler_shape() {
    HandlerShape result = result_shape<R>;
    result.parameters = parameter_shapes<std::remove_cvref_t<A>...>;
    return result;
}
template <class R, class... A>
inline constexpr HandlerShape handler_shape<R(TypeList<A...>)> = make_handler_shape<R, A...>();

}  // namespace freshet::detail
