// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
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

/// The value that a parameter has if it is absent, as a fact of its schema.
template <DefaultValue Default>
consteval FieldFact default_fact() {
    using Value = std::remove_cvref_t<decltype(Default.value)>;
    if constexpr (requires { Default.value.view(); }) {
        return field_fact("default", Default.value.view());
    } else if constexpr (HasEnumNames<Value>) {
        for (const auto& name : enum_names_of<Value>.list)
            if (name.value == static_cast<std::int64_t>(Default.value)) return field_fact("default", name.name);
        return field_fact("default", std::string_view{});
    } else if constexpr (std::is_enum_v<Value>) {
        return field_fact("default", static_cast<std::underlying_type_t<Value>>(Default.value));
    } else {
        return field_fact("default", Default.value);
    }
}
template <DefaultValue Default>
inline constexpr FieldFact default_of = default_fact<Default>();

/// What names the type of a body, and the body.
template <NamedBody T>
inline constexpr TypeShape naming_shape{.kind = ShapeKind::names, .names = body_names<T>.list};
template <NamedBody T>
inline constexpr std::array<ParameterShape, 2> named_body_parameters{
    ParameterShape{.kind = HeaderBody<T> ? ParameterKind::header : ParameterKind::path,
                   .name = body_key<T>.name,
                   .text = &naming_shape<T>},
    ParameterShape{.kind = ParameterKind::body, .body = &body_shape<T, Direction::read>}};
template <NamedBody T>
inline constexpr HandlerShape named_body_shape{.parameters = named_body_parameters<T>};

template <class V>
struct ParameterOf {
    static consteval ParameterShape shape() {
        if constexpr (requires { &Extractor<V>::describe; })
            return {.kind = ParameterKind::described, .describe = &Extractor<V>::describe};
        else return {.kind = ParameterKind::unknown, .name = type_name<V>()};
    }
};
template <FixedString Name, class T, DefaultValue... Default>
struct ParameterOf<Path<Name, T, Default...>> {
    static constexpr FixedString name = Name;
    static consteval ParameterShape shape() {
        return {.kind = ParameterKind::path, .name = name.view(), .text = &text_shape<T>};
    }
};
template <FixedString Name, class T, DefaultValue... Default>
struct ParameterOf<Header<Name, T, Default...>> {
    static constexpr FixedString name = Name;
    static consteval ParameterShape shape() {
        ParameterShape result{.kind = ParameterKind::header,
                              .required = !has_default<Default...>,
                              .name = name.view(),
                              .text = &text_shape<T>};
        ((result.otherwise = &default_of<Default>), ...);
        return result;
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
        if constexpr (NamedBody<T>) return {.kind = ParameterKind::nested, .nested = &named_body_shape<T>};
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
    if constexpr (kind == ArgumentKind::named_body)
        return {.kind = ParameterKind::nested, .nested = &named_body_shape<V>};
    if constexpr (kind == ArgumentKind::message) return {.kind = ParameterKind::message};
    else if constexpr (kind >= ArgumentKind::text && kind <= ArgumentKind::body)
        return {.kind = ParameterKind::body, .body = &body_shape<V, Direction::read>};
    else if constexpr (kind == ArgumentKind::extracted || kind == ArgumentKind::depends) return ParameterOf<V>::shape();
    else return {};
}

/// Yields, as a TypeList, those of the types that are a Field.
template <class Found, class... Values>
struct FieldsAmong {
    using Type = Found;
};
template <class... Found, class V, class... Values>
struct FieldsAmong<TypeList<Found...>, V, Values...>
    : FieldsAmong<std::conditional_t<is_field<V>, TypeList<Found..., V>, TypeList<Found...>>, Values...> {};

template <class V>
struct FieldOf;
template <FixedString Name, class T, DefaultValue... Default>
struct FieldOf<Field<Name, T, Default...>> {
    using Type = T;
    static consteval auto make() {
        if constexpr (has_default<Default...>) return field<nullptr>(Name.data, or_default, default_of<Default>...);
        else return field<nullptr>(Name.data);
    }
};
template <class... Fields>
inline constexpr auto field_parameters = field_list(own_facts(), FieldOf<Fields>::make()...);
/// The body of which parameters Field are members: an object that has no type.
template <class... Fields>
inline constexpr TypeShape fields_shape{.kind = ShapeKind::object,
                                        .parts = shapes<typename FieldOf<Fields>::Type...>,
                                        .fields = field_parameters<Fields...>.info,
                                        .facts = field_parameters<Fields...>.facts};
template <class... Fields>
inline constexpr BodyShape fields_body{.kind = BodyKind::json, .type = &fields_shape<Fields...>};

template <class Fields, class... Values>
inline constexpr std::array<ParameterShape, sizeof...(Values)> all_parameter_shapes{parameter_shape<Values>()...};
template <class Field, class... Fields, class... Values>
inline constexpr std::array<ParameterShape, sizeof...(Values) + 1>
    all_parameter_shapes<TypeList<Field, Fields...>, Values...>{
        parameter_shape<Values>()...,
        ParameterShape{.kind = ParameterKind::body, .body = &fields_body<Field, Fields...>}};
template <class... Values>
inline constexpr std::span<const ParameterShape> parameter_shapes =
    all_parameter_shapes<typename FieldsAmong<TypeList<>, Values...>::Type, Values...>;

template <class R>
inline constexpr HandlerShape result_shape = {.result = body_shape<R, Direction::write>, .has_result = true};
template <>
inline constexpr HandlerShape result_shape<void> = {};
template <>
inline constexpr HandlerShape result_shape<Outcome> = {};
template <>
inline constexpr HandlerShape result_shape<RemoteError> = {};
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
