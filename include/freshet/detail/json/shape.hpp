// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <freshet/codec_format.hpp>
#include <freshet/detail/json/composites.hpp>
#include <freshet/detail/json/fields.hpp>
#include <freshet/detail/json/types.hpp>
#include <freshet/text.hpp>

// What types are in JSON, as static data: the schemas of descriptions are made from it (src/describe). It follows
// read_json in values.hpp.
namespace freshet {

template <class T>
struct Codec;

namespace detail {

enum class ShapeKind : std::uint8_t {
    unknown,    ///< nobody says what it is
    null,       ///< null
    boolean,    ///< true or false
    integer,    ///< a signed integer of `size` bytes
    natural,    ///< an unsigned integer of `size` bytes
    real,       ///< a number
    text,       ///< a string
    duration,   ///< a string: ISO 8601
    time,       ///< a string: RFC 3339
    names,      ///< one of `names`
    nullable,   ///< parts[0], or null, or absent if it is a field
    alias,      ///< parts[0]
    list,       ///< any number of parts[0]
    array,      ///< `size` times parts[0]
    tuple,      ///< each of `parts`
    map,        ///< an object with keys of parts[0] and values of parts[1]
    object,     ///< an object with `fields`, whose shapes are `parts`
    variant,    ///< one of `parts`; with a `key`, that member is the alternative's name in `names`
    written,    ///< what the JSON Schema of `schema` says
    elsewhere,  ///< what `declared` returns
};

/// What a type is in JSON. There is one for each type, in static storage.
struct TypeShape {
    ShapeKind kind = ShapeKind::unknown;
    std::string_view name = {};  // of the C++ type; empty for types that have no schema of their own
    std::size_t size = 0;
    std::span<const TypeShape* const> parts = {};
    const FieldInfo* fields = nullptr;  // one for each of `parts`, then the type's own
    const FieldFact* facts = nullptr;
    std::span<const EnumName> names = {};
    std::string_view key = {};
    std::string (*schema)() = nullptr;
    const TypeShape& (*declared)() = nullptr;
};

template <class T>
consteval TypeShape make_shape();

template <class T>
inline constexpr TypeShape shape = make_shape<T>();
template <class... Types>
inline constexpr std::array<const TypeShape*, sizeof...(Types)> shapes{&shape<Types>...};
template <class T>
inline constexpr auto variant_names_of = freshet_variant(For<T>{});

template <class T>
concept HasWrittenSchema = requires {
    { Codec<T>::schema() } -> std::convertible_to<std::string>;
};
template <class T>
concept HasDeclaredShape = requires { Codec<T>::shape(); };

template <class T>
std::string written_schema() {
    return std::string{Codec<T>::schema()};
}

/// The type as which a T with JsonAs travels.
template <class T>
consteval auto travels_as() {
    if constexpr (ReadsAsJson<T>) return std::type_identity<decltype(argument_of(&JsonAs<T>::decode))>{};
    else return std::type_identity<std::remove_cvref_t<decltype(JsonAs<T>::encode(std::declval<const T&>()))>>{};
}

template <class T, std::size_t Facts, auto... Members>
consteval TypeShape object_shape(const FieldList<Facts, Members...>&) {
    return {.kind = ShapeKind::object,
            .name = type_name<T>(),
            .parts = shapes<MemberType<T, Members>...>,
            .fields = fields_of<T>.info,
            .facts = fields_of<T>.facts};
}

template <class T>
struct PartsOf;
template <class First, class Second>
struct PartsOf<std::pair<First, Second>> {
    static constexpr std::span<const TypeShape* const> parts = shapes<First, Second>;
};
template <class... Elements>
struct PartsOf<std::tuple<Elements...>> {
    static constexpr std::span<const TypeShape* const> parts = shapes<Elements...>;
};
template <class... Alternatives>
struct PartsOf<std::variant<Alternatives...>> {
    static constexpr std::span<const TypeShape* const> parts = shapes<Alternatives...>;
};

template <class T>
consteval TypeShape composite_shape() {
    if constexpr (std::same_as<T, std::monostate>) {
        return {.kind = ShapeKind::null};
    } else if constexpr (is_duration<T>) {
        return {.kind = ShapeKind::duration};
    } else if constexpr (is_time_point<T>) {
        return {.kind = ShapeKind::time};
    } else if constexpr (is_pointer<T>) {
        return {.kind = ShapeKind::nullable, .parts = shapes<typename T::element_type>};
    } else if constexpr (is_variant<T>) {
        TypeShape result{.kind = ShapeKind::variant, .parts = PartsOf<T>::parts};
        if constexpr (HasVariantNames<T>) {
            result.names = variant_names_of<T>.list;
            result.key = variant_names_of<T>.key;
        }
        return result;
    } else {
        return {.kind = ShapeKind::tuple, .parts = PartsOf<T>::parts};
    }
}

template <class T>
consteval TypeShape fallback_shape() {
    if constexpr (requires { FallbackJson<T>::shape(); }) return FallbackJson<T>::shape();
    else return {.name = type_name<T>()};
}

template <class T>
consteval TypeShape make_library_shape() {
    if constexpr (ReadsAsJson<T> || WritesAsJson<T>) {
        return {.kind = ShapeKind::alias, .parts = shapes<typename decltype(travels_as<T>())::type>};
    } else if constexpr (HasFields<T>) {
        return object_shape<T>(fields_of<T>);
    } else if constexpr (std::same_as<T, bool>) {
        return {.kind = ShapeKind::boolean};
    } else if constexpr (std::floating_point<T>) {
        return {.kind = ShapeKind::real};
    } else if constexpr (std::same_as<T, std::string> || JsonView<T>) {
        return {.kind = ShapeKind::text};
    } else if constexpr (JsonInteger<T>) {
        return {.kind = std::is_signed_v<T> ? ShapeKind::integer : ShapeKind::natural, .size = sizeof(T)};
    } else if constexpr (requires { sizeof(ForeignJson<T>); }) {
        return {.name = type_name<T>()};
    } else if constexpr (ToldElsewhere<T>) {
        return fallback_shape<T>();
    } else if constexpr (HasEnumNames<T>) {
        return {.kind = ShapeKind::names, .name = type_name<T>(), .names = enum_names_of<T>.list};
    } else if constexpr (std::is_enum_v<T>) {
        return make_library_shape<std::underlying_type_t<T>>();
    } else if constexpr (is_optional<T>) {
        return {.kind = ShapeKind::nullable, .parts = shapes<typename T::value_type>};
    } else if constexpr (is_array<T>) {
        return {.kind = ShapeKind::array, .size = std::tuple_size_v<T>, .parts = shapes<typename T::value_type>};
    } else if constexpr (JsonMap<T>) {
        return {.kind = ShapeKind::map, .parts = shapes<typename T::key_type, typename T::mapped_type>};
    } else if constexpr (JsonSequence<T>) {
        return {.kind = ShapeKind::list, .parts = shapes<typename T::value_type>};
    } else if constexpr (IsComposite<T>) {
        return composite_shape<T>();
    } else {
        return fallback_shape<T>();
    }
}
/// What a T is without the user's Codec<T>.
template <class T>
inline constexpr TypeShape library_shape = make_library_shape<T>();

template <class T>
consteval TypeShape make_shape() {
    if constexpr (HasWrittenSchema<T>)
        return {.kind = ShapeKind::written, .name = type_name<T>(), .schema = &written_schema<T>};
    else if constexpr (HasDeclaredShape<T>) return {.kind = ShapeKind::elsewhere, .declared = &Codec<T>::shape};
    else return make_library_shape<T>();
}

template <class T, std::size_t Size>
consteval std::array<EnumName, Size> make_text_names() {
    std::array<EnumName, Size> names;
    for (std::size_t i = 0; i < Size; ++i) names[i].name = FromText<T>::values[i];
    return names;
}
template <class T>
inline constexpr auto text_names = make_text_names<T, std::size(FromText<T>::values)>();

/// What a T is as the token of a subject or the value of a header: see FromText.
template <class T>
consteval TypeShape make_text_shape() {
    if constexpr (requires { std::size(FromText<T>::values); }) {
        return {.kind = ShapeKind::names, .names = text_names<T>};
    } else if constexpr (std::same_as<T, bool>) {
        return {.kind = ShapeKind::boolean};
    } else if constexpr (std::integral<T>) {
        return {.kind = std::is_signed_v<T> ? ShapeKind::integer : ShapeKind::natural, .size = sizeof(T)};
    } else if constexpr (std::floating_point<T>) {
        return {.kind = ShapeKind::real};
    } else if constexpr (HasEnumNames<T>) {
        return {.kind = ShapeKind::names, .names = enum_names_of<T>.list};
    } else {
        return {.kind = ShapeKind::text};
    }
}
template <class T>
inline constexpr TypeShape text_shape = make_text_shape<T>();

/// How a body is written.
enum class BodyKind : std::uint8_t {
    none,  ///< there is none
    raw,   ///< bytes that freshet knows nothing about
    json,  ///< JSON, MessagePack or CBOR
    own,   ///< as a Codec of the user's writes it
};

/// What a body is.
struct BodyShape {
    BodyKind kind = BodyKind::none;
    std::string_view content_type = {};   // of a Codec of the user's
    std::string_view schema_format = {};  // of the text that its schema() returns; empty: JSON Schema
    const TypeShape* type = nullptr;      // null if there is none, or raw
};

}  // namespace detail
}  // namespace freshet
