// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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

/// Detects NLOHMANN_JSON_SERIALIZE_ENUM: its to_json template takes any type as a JSON value, so also this one. An enum
/// with it is not written as an integer.
struct NoJson {};
template <class T>
concept EnumOfNlohmann = std::is_enum_v<T> && requires(NoJson& json, const T& value) { to_json(json, value); };

template <class T>
concept JsonMap = std::same_as<typename T::key_type, std::string> && requires(T& map, const T& in) {
    typename T::mapped_type;
    map.clear();
    map.insert_or_assign(std::string{}, std::declval<typename T::mapped_type>());
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
    } else if constexpr (std::is_enum_v<T>) {
        return !EnumOfNlohmann<T>;
    } else if constexpr (JsonMap<T>) {
        return is_json<typename T::mapped_type, Way>();
    } else if constexpr (is_optional<T> || is_array<T> || JsonSequence<T>) {
        return is_json<typename T::value_type, Way>();
    } else {
        return false;
    }
}

template <class T, auto Member>
using MemberType = std::remove_cvref_t<decltype(std::declval<T&>().*Member)>;

}  // namespace freshet::detail
