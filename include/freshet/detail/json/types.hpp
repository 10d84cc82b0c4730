// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <freshet/detail/chrono.hpp>
#include <freshet/detail/glaze_fwd.hpp>
#include <freshet/detail/json/fields.hpp>
#include <freshet/detail/json/reader.hpp>
#include <freshet/detail/json/writer.hpp>
#include <freshet/detail/traits.hpp>
#include <freshet/json.hpp>

namespace freshet::detail {

/// A JSON library's way to convert T, which an opt-in header specialises:
/// `static bool read(JsonReader&, const JsonNode&, T&)` and `static bool write(JsonWriter&, const T&)`.
template <class T>
struct ForeignJson;

/// Converts a T that nothing else converts. Has the functions of ForeignJson.
template <class T>
struct FallbackJson;
template <class T>
concept HasFallbackJson = requires { sizeof(FallbackJson<T>); };

enum class Direction : bool { read, write };

template <class T>
concept JsonInteger =
    std::integral<T> && sizeof(T) <= 8 && !std::same_as<T, bool> && !std::same_as<T, char> &&
    !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;
template <class T>
concept JsonScalar =
    std::same_as<T, bool> || std::same_as<T, double> || std::same_as<T, float> || std::same_as<T, std::string>;
template <class T>
concept JsonView = std::same_as<T, std::string_view> || std::same_as<T, const char*>;

template <class T>
concept WritesAsJson = requires(const T& value) { JsonAs<T>::encode(value); };
template <class T>
concept ReadsAsJson = requires { &JsonAs<T>::decode; };

/// Yields the parameter type of JsonAs<T>::decode; only for decltype.
template <class Result, class Argument>
std::remove_cvref_t<Argument> argument_of(Result (*)(Argument));

template <class T>
inline constexpr bool is_array = false;
template <class T, std::size_t Size>
inline constexpr bool is_array<std::array<T, Size>> = true;

/// A std::pair or std::tuple. Travels as an array of as many elements.
template <class T>
inline constexpr bool is_tuple = false;
template <class First, class Second>
inline constexpr bool is_tuple<std::pair<First, Second>> = !std::is_const_v<First>;  // not an element of a multimap
template <class... Elements>
inline constexpr bool is_tuple<std::tuple<Elements...>> = true;

template <class T>
inline constexpr bool is_variant = false;
template <class... Alternatives>
inline constexpr bool is_variant<std::variant<Alternatives...>> = true;

/// A std::variant of which a member of the object names the alternative.
template <class T>
concept HasVariantNames = is_variant<T> && requires {
    { freshet_variant(For<T>{}).key } -> std::convertible_to<std::string_view>;
};
/// A std::variant that is a whole body, of which a header or a token of the subject names the alternative.
template <class T>
concept NamedBody = is_variant<T> && requires { freshet_variant(For<T>{}).key.name; };
template <class T>
concept HeaderBody =
    NamedBody<T> && std::same_as<std::remove_cvref_t<decltype(freshet_variant(For<T>{}).key)>, HeaderKey>;
template <class T>
concept PathBody = NamedBody<T> && !HeaderBody<T>;
/// A std::variant whose alternatives are tried in turn.
template <class T>
concept TriedBody = is_variant<T> && requires {
    { freshet_variant(For<T>{}) } -> std::same_as<DecodingKey>;
};

/// An owning pointer. Travels like a std::optional.
template <class T>
inline constexpr bool is_pointer = false;
template <class T>
inline constexpr bool is_pointer<std::unique_ptr<T>> = !std::is_array_v<T> && !std::is_const_v<T>;
template <class T>
inline constexpr bool is_pointer<std::shared_ptr<T>> = !std::is_array_v<T> && !std::is_const_v<T>;

template <class T>
inline constexpr bool is_nullable = is_optional<T> || is_pointer<T>;

template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;
/// A time of the system clock, which has a date.
template <class T>
inline constexpr bool is_time_point = false;
template <class Duration>
inline constexpr bool is_time_point<std::chrono::time_point<std::chrono::system_clock, Duration>> = true;

/// Detects NLOHMANN_JSON_SERIALIZE_ENUM: its to_json template takes any type as a JSON value, so also this one. An enum
/// with it is not written as an integer.
struct NoJson {};
template <class T>
concept EnumOfNlohmann = std::is_enum_v<T> && requires(NoJson& json, const T& value) { to_json(json, value); };

/// A type that can be a key of an object: a string, an integer or an enum.
template <class T>
concept JsonKey = std::same_as<T, std::string> || JsonInteger<T> || (std::is_enum_v<T> && !EnumOfNlohmann<T>);

template <class T>
concept JsonMap = JsonKey<typename T::key_type> && requires(T& map, const T& in) {
    typename T::mapped_type;
    map.clear();
    map.insert_or_assign(std::declval<typename T::key_type>(), std::declval<typename T::mapped_type>());
    in.begin() != in.end();
    in.size();
};
template <class T>
concept JsonSequence = !std::same_as<T, typename T::value_type> && requires(T& list, const T& in) {
    list.clear();
    list.insert(list.end(), std::declval<typename T::value_type>());
    in.begin() != in.end();
    in.size();
};

template <class T, Direction Way>
consteval bool is_json();

template <class T, Direction Way>
inline constexpr bool are_json = false;
template <class First, class Second, Direction Way>
inline constexpr bool are_json<std::pair<First, Second>, Way> = is_json<First, Way>() && is_json<Second, Way>();
template <class... Elements, Direction Way>
inline constexpr bool are_json<std::tuple<Elements...>, Way> = (is_json<Elements, Way>() && ...);
template <class... Alternatives, Direction Way>
inline constexpr bool are_json<std::variant<Alternatives...>, Way> = (is_json<Alternatives, Way>() && ...);

/// An enum or a variant that another library has been told more about than its type says.
template <class T>
concept ToldElsewhere = (std::is_enum_v<T> || is_variant<T>) && HasFallbackJson<T>;

/// Returns true. Ends the compilation for a T of which glaze has been told: <freshet/glaze.hpp>, which would know what,
/// has not been included.
template <class T, bool Told>
consteval bool check_told() {
    static_assert(!Told, "freshet: a glz::meta says how this type travels: include <freshet/glaze.hpp> wherever it is "
                         "sent or received, so that all agree. See docs/codecs.md#glaze");
    return true;
}

/// Returns true if T can be a value in JSON. Does not look into the fields of a type, which may be of that type itself.
template <class T, Direction Way>
consteval bool is_json() {
    if constexpr (ReadsAsJson<T> || WritesAsJson<T>) {
        return Way == Direction::read ? ReadsAsJson<T> : WritesAsJson<T>;
    } else if constexpr (HasFields<T> || JsonScalar<T> || JsonInteger<T> || HasEnumNames<T>) {
        return true;
    } else if constexpr (JsonView<T>) {
        return Way == Direction::write;
    } else if constexpr (requires { sizeof(ForeignJson<T>); }) {
        return true;
    } else if constexpr (ToldElsewhere<T>) {
        return true;
    } else if constexpr (std::is_enum_v<T>) {
        return check_told<T, NamedByGlaze<T>>() && !EnumOfNlohmann<T>;
    } else if constexpr (is_duration<T> || is_time_point<T> || std::same_as<T, std::monostate>) {
        return true;
    } else if constexpr (JsonMap<T>) {
        return is_json<typename T::mapped_type, Way>();
    } else if constexpr (is_optional<T> || is_array<T> || JsonSequence<T>) {
        return is_json<typename T::value_type, Way>();
    } else if constexpr (is_pointer<T>) {
        return is_json<typename T::element_type, Way>();
    } else if constexpr (is_variant<T>) {
        return check_told<T, NamedByGlaze<T>>() && are_json<T, Way>;
    } else if constexpr (is_tuple<T>) {
        return are_json<T, Way>;
    } else if constexpr (HasFallbackJson<T>) {
        return true;
    } else {
        return !check_told<T, ToldToGlaze<T>>();
    }
}

template <class T, auto Member>
using MemberType = std::remove_cvref_t<decltype(std::declval<T&>().*Member)>;

}  // namespace freshet::detail
