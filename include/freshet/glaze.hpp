// SPDX-License-Identifier: Apache-2.0
#pragma once

// The codec of types with a glz::meta or a `struct glaze` of their own, and of those that only glaze's JSON understands
// (char, std::bitset, types with a glz::from or glz::to). Include it where such types are sent, received, or members of
// such bodies; without it they do not compile. It is empty unless the target freshet::glaze is linked, and takes the
// compiler two to three seconds. Plain aggregates do not need it.
//
// Where a glz::meta lists members, freshet's own reader and writer do the rest, so that one set of rules holds with
// glaze and without. glaze reads and writes what its glz::meta tells beyond that.
#ifdef FRESHET_GLAZE

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <glaze/json/read.hpp>
#include <glaze/json/write.hpp>

#include <freshet/buffer.hpp>
#include <freshet/codec.hpp>
#include <freshet/detail/json/aggregate.hpp>
#include <freshet/detail/json/fields.hpp>
#include <freshet/detail/json/reader.hpp>
#include <freshet/detail/json/types.hpp>
#include <freshet/error.hpp>

namespace freshet::detail {

template <class T, std::size_t... I>
consteval bool has_member_pointers(std::index_sequence<I...>) {
    return (std::is_member_object_pointer_v<std::remove_cvref_t<decltype(glz::get<I>(glz::reflect<T>::values))>> &&
            ...);
}

/// Returns true if a T is fully described by the members that glaze tells.
template <class T>
consteval bool is_glaze_table() {
    if constexpr (
        glz::has_unknown_reader<T> || glz::has_unknown_writer<T> || requires { glz::meta<T>::modify; } ||
        requires { glz::meta<T>::self_constraint; } || requires { &glz::meta<T>::skip; }) {
        return false;
    } else if constexpr (glz::reflectable<T>) {
        return true;
    } else if constexpr (glz::glaze_object_t<T>) {
        return has_member_pointers<T>(std::make_index_sequence<glz::reflect<T>::size>{});
    } else {
        return false;
    }
}

/// A type whose glz::meta lists members, or says something of them all.
template <class T>
concept GlazeTable = !PlainAggregate<T> && std::is_class_v<T> && is_glaze_table<T>();

/// A type that only glaze's own reader and writer understand.
template <class T>
concept GlazeOnly =
    !PlainAggregate<T> && !GlazeTable<T> && !HasEnumNames<T> && (!std::is_enum_v<T> || glz::glaze_t<T>) &&
    (!is_variant<T> || glz::tagged<T>) && (glz::read_supported<T, glz::JSON> || glz::write_supported<T, glz::JSON>);

/// The members of a T as its glz::meta tells them, as a list for MemberTable.
template <class T>
struct GlazeMembers {
    using Type = T;
    static constexpr std::size_t size = glz::reflect<T>::size;
    static consteval const auto& names() { return glz::reflect<T>::keys; }

    template <std::size_t I, class Object>
    static constexpr auto& of(Object& object) {
        if constexpr (glz::reflectable<T>) return glz::get<I>(glz::to_tie(object));
        else return object.*glz::get<I>(glz::reflect<T>::values);
    }
    template <class Member, std::size_t I>
    static consteval bool is_required() {
        if constexpr (requires { glz::meta<T>::requires_key(std::string_view{}, true); })
            return glz::meta<T>::requires_key(names()[I], NullableMember<Member>);
        else return !NullableMember<Member>;
    }
};

template <GlazeTable T>
struct FallbackJson<T> : MemberJson<GlazeMembers<T>> {};

/// The options for the types that glaze itself reads and writes.
struct GlazeOptions : glz::opts {
    constexpr GlazeOptions() {
        error_on_unknown_keys = false;
        error_on_missing_keys = true;
    }
    bool escape_control_characters = true;
};

template <GlazeOnly T>
struct FallbackJson<T> {
    /// Passes to glaze what freshet's reader has read, written anew: without unneeded escapes and repeated keys.
    static bool read(JsonReader& in, const JsonNode& node, T& out) {
        Buffer json;
        if (!in.write_node(node, json)) return false;
        const auto error = glz::read<GlazeOptions{}>(out, json.string());
        if (!error) return true;
        const auto custom = error.custom_error_message;
        return in.fail(custom.empty() ? glz::format_error(error.ec) : std::string{custom});
    }
    static bool write(JsonWriter& out, const T& value) {
        Buffer json;
        if (const auto error = glz::write<GlazeOptions{}>(value, json.string()))
            return out.fail(glz::format_error(error));
        return out.write_text(json.text());
    }
};

/// Translates FRESHET_JSON for glaze, for a type with it within a type that glaze reads and writes.
template <class T, class List>
struct GlazeFields;

template <class T, std::size_t Facts, auto... Members>
struct GlazeFields<T, FieldList<Facts, Members...>> {
    static constexpr FieldList<Facts, Members...> fields = freshet_fields(For<T>{});
    static constexpr auto value = glz::make_tuple(Members...);
    static constexpr auto keys = [] {
        std::array<std::string_view, sizeof...(Members)> names;
        for (std::size_t i = 0; i < names.size(); ++i) names[i] = fields.info[i].name;
        return names;
    }();

    static constexpr bool requires_key(std::string_view key, bool nullable) {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (keys[i] == key) return !nullable && !fields.info[i].or_default;
        }
        return false;
    }
};

template <class T, std::size_t Facts>
struct GlazeFields<T, FieldList<Facts>> {
    static constexpr auto value = glz::object();
};

template <class T, std::size_t Size>
struct GlazeNames {
    static constexpr auto names = freshet_enum_names(For<T>{});
    static constexpr auto keys = [] {
        std::array<std::string_view, Size> result;
        for (std::size_t i = 0; i < Size; ++i) result[i] = names.list[i].name;
        return result;
    }();
    static constexpr auto value = [] {
        std::array<T, Size> result;
        for (std::size_t i = 0; i < Size; ++i) result[i] = static_cast<T>(names.list[i].value);
        return result;
    }();
};

}  // namespace freshet::detail

template <class T>
    requires(freshet::detail::WritesAsJson<T> || freshet::detail::ReadsAsJson<T>)
struct glz::meta<T> {
    static constexpr bool custom_read = true;
    static constexpr bool custom_write = true;
};

template <freshet::detail::HasFields T>
    requires(!freshet::detail::WritesAsJson<T> && !freshet::detail::ReadsAsJson<T>)
struct glz::meta<T> : freshet::detail::GlazeFields<T, decltype(freshet_fields(freshet::detail::For<T>{}))> {};

template <freshet::detail::HasEnumNames T>
    requires(!freshet::detail::WritesAsJson<T> && !freshet::detail::ReadsAsJson<T>)
struct glz::meta<T> : freshet::detail::GlazeNames<T, std::size(freshet_enum_names(freshet::detail::For<T>{}).list)> {};

template <class T>
    requires freshet::detail::WritesAsJson<T>
struct glz::to<glz::JSON, T> {
    template <auto Options>
    static void op(const T& value, auto&&... rest) {
        const auto travels = freshet::JsonAs<T>::encode(value);
        serialize<JSON>::op<Options>(travels, rest...);
    }
};

template <class T>
    requires freshet::detail::ReadsAsJson<T>
struct glz::from<glz::JSON, T> {
    template <auto Options>
    static void op(T& value, is_context auto&& context, auto&&... rest) {
        decltype(freshet::detail::argument_of(&freshet::JsonAs<T>::decode)) travels{};
        parse<JSON>::op<Options>(travels, context, rest...);
        if (bool(context.error)) return;
        freshet::Expected<T> result = freshet::JsonAs<T>::decode(std::move(travels));
        if (result) {
            value = *std::move(result);
            return;
        }
        static thread_local std::string reason;  // the context holds a view
        reason = result.error().message();
        context.error = error_code::constraint_violated;
        context.custom_error_message = reason;
    }
};

#endif
