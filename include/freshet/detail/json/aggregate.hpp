// SPDX-License-Identifier: Apache-2.0
#pragma once

// The codec of plain aggregates: part of <freshet/codec.hpp> if the target freshet::glaze is linked, else empty.
// glaze tells the members; freshet's own reader and writer do the rest, so that one set of rules holds with glaze and
// without. Of glaze's headers only those that reflect are included: its JSON costs seconds of compile time, and few
// types need it (see <freshet/glaze.hpp>).
#ifdef FRESHET_GLAZE

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <glaze/reflection/get_name.hpp>
#include <glaze/reflection/to_tuple.hpp>

#include <freshet/detail/glaze_fwd.hpp>
#include <freshet/detail/json/fields.hpp>
#include <freshet/detail/json/reader.hpp>
#include <freshet/detail/json/shape.hpp>
#include <freshet/detail/json/types.hpp>
#include <freshet/detail/json/writer.hpp>
#include <freshet/detail/nlohmann_fwd.hpp>

namespace freshet::detail {

template <class T>
bool read_json(JsonReader& in, const JsonNode& node, T& out);
template <class T>
bool write_json(JsonWriter& out, const T& value);

/// A class that is no object of named members to its users, but something else.
template <class T>
concept ActsAsOther = requires(T& value) { value.begin(), value.end(); } || requires(T& value) { *value; } ||
                      requires(T& value) { value.has_value(); } || requires { &T::operator(); } ||
                      requires { std::tuple_size<T>::value; } || std::is_convertible_v<const T&, std::string_view>;

/// A struct without constructors, of which nothing has been told.
template <class T>
concept PlainAggregate = std::is_class_v<T> && std::is_aggregate_v<T> && !HasFields<T> && !ReadsAsJson<T> &&
                         !WritesAsJson<T> && !ToldToGlaze<T> && !ActsAsOther<T>;

/// A member that may be absent and null.
template <class T>
concept NullableMember = is_nullable<T> || std::same_as<T, std::monostate> || requires(T& value) {
    static_cast<bool>(value);
    *value;
};

/// The members of a T, as a list for MemberTable.
template <class T>
struct AggregateMembers {
    using Type = T;
    static constexpr std::size_t size = glz::detail::count_members<T>;
    static consteval const auto& names() { return glz::member_names<T>; }

    template <std::size_t I, class Object>
    static constexpr auto& of(Object& object) {
        return glz::get<I>(glz::to_tie(object));
    }
    template <class Member, std::size_t I>
    static consteval bool is_required() {
        return !NullableMember<Member>;
    }
};

template <class List, std::size_t I>
using MemberAt = std::remove_cvref_t<decltype(List::template of<I>(std::declval<typename List::Type&>()))>;

template <class List, std::size_t I>
bool read_member(JsonReader& in, const JsonNode& node, void* object) {
    return read_json(in, node, List::template of<I>(*static_cast<typename List::Type*>(object)));
}
template <class List, std::size_t I>
bool write_member(JsonWriter& out, const void* object) {
    const MemberAt<List, I>& member = List::template of<I>(*static_cast<const typename List::Type*>(object));
    return write_json(out, member);
}
template <class List, std::size_t I>
bool is_absent_member(const void* object) {
    return !static_cast<bool>(List::template of<I>(*static_cast<const typename List::Type*>(object)));
}

template <class List, std::size_t I>
consteval WriteField member_writer() {
    constexpr std::string_view name = List::names()[I];
    WriteField field{name, is_plain_key(name), &write_member<List, I>, nullptr};
    if constexpr (is_nullable<MemberAt<List, I>>) field.absent = &is_absent_member<List, I>;
    return field;
}

/// What the reader, the writer and descriptions know of the members that a list tells.
template <class List, class Indices = std::make_index_sequence<List::size>>
struct MemberTable;

template <class List, std::size_t... I>
struct MemberTable<List, std::index_sequence<I...>> {
    static constexpr std::array<bool, sizeof...(I) + 1> required{List::template is_required<MemberAt<List, I>, I>()...,
                                                                 true};
    static constexpr std::array<ReadField, sizeof...(I)> readers{
        ReadField{List::names()[I], required[I], &read_member<List, I>}...};
    static constexpr std::array<WriteField, sizeof...(I)> writers{member_writer<List, I>()...};
    static constexpr std::array<FieldInfo, sizeof...(I) + 1> infos{FieldInfo{List::names()[I], !required[I]}...};

    static consteval TypeShape shape() {
        return {.kind = ShapeKind::object,
                .name = type_name<typename List::Type>(),
                .parts = shapes<MemberAt<List, I>...>,
                .fields = infos.data()};
    }
};

/// The codec of a type whose members are told by a list.
template <class List>
struct MemberJson {
    using T = typename List::Type;
    static constexpr std::size_t fields = List::size;
    static consteval const auto& names() { return List::names(); }
    static consteval TypeShape shape() { return MemberTable<List>::shape(); }

    static bool read(JsonReader& in, const JsonNode& node, T& out) {
        check();
        return in.read_object(node, &out, MemberTable<List>::readers);
    }
    static bool write(JsonWriter& out, const T& value, const VariantTag& tag = {}) {
        check();
        return out.write_object(&value, MemberTable<List>::writers, tag);
    }

private:
    static consteval void check() {
        static_assert(!HasNlohmannJson<T>,
                      "freshet: this type has nlohmann's to_json or from_json, and freshet::glaze is linked: include "
                      "<freshet/nlohmann.hpp> wherever it is sent or received, so that all agree. See docs/codecs.md");
        static_assert(fields <= max_json_fields,
                      "freshet: a type under freshet::glaze has at most 128 members. See docs/codecs.md");
    }
};

template <PlainAggregate T>
struct FallbackJson<T> : MemberJson<AggregateMembers<T>> {};

}  // namespace freshet::detail

#endif
