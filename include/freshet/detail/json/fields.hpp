// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace freshet {

/// Marks, in FRESHET_JSON, a field that may be absent from the input; the field then keeps the default that its type
/// gives it.
struct OrDefault {};
[[maybe_unused]] inline constexpr OrDefault or_default{};  // FRESHET_JSON names it even if no field uses it

namespace detail {

/// What names the alternative of a std::variant that a whole body is: a header, or a token of the subject.
struct HeaderKey {
    std::string_view name = {};
};
struct PathKey {
    std::string_view name = {};
};
/// The alternatives of a body are tried in turn.
struct DecodingKey {};

}  // namespace detail

/// Says in FRESHET_VARIANT that the header `name` of a message names the type of its body.
consteval detail::HeaderKey by_header(const char* name) { return {name}; }
/// Says in FRESHET_VARIANT that the token of the message's subject that stands for `{name}` in the subscriber's subject
/// names the type of the body.
consteval detail::PathKey by_path(const char* name) { return {name}; }
/// Says in FRESHET_VARIANT that a body is the first alternative that decodes.
inline constexpr detail::DecodingKey by_decoding{};

}  // namespace freshet

namespace freshet::detail {

/// Names a type in a call without a value of it, so that argument-dependent lookup finds the functions that
/// FRESHET_JSON defines beside the type.
template <class T>
struct For {
    using type = T;
};

struct FieldInfo {
    std::string_view name = {};
    bool or_default = false;

    constexpr void set(const char* wire_name) { name = wire_name; }
    constexpr void set(OrDefault) { or_default = true; }
};

template <auto Member>
struct MemberField {
    FieldInfo info = {};
};

template <auto Member, class... Choices>
constexpr MemberField<Member> field(const char* name, Choices... choices) {
    MemberField<Member> result{{name}};
    (result.info.set(choices), ...);
    return result;
}

/// The fields of a type: member pointers as types, names and choices as values.
template <auto... Members>
struct FieldList {
    static constexpr std::size_t size = sizeof...(Members);
    static_assert(size <= 64, "freshet: FRESHET_JSON takes up to 64 fields. See docs/codecs.md");
    FieldInfo info[size + 1] = {};
};

template <auto... Members>
constexpr FieldList<Members...> field_list(MemberField<Members>... fields) {
    return {{fields.info...}};
}

/// Stands for a member of a T in an initializer. A base class of T is not initialized by one, so that its members count
/// one by one.
template <class T>
struct AnyMemberOf {
    template <class Member>
        requires(!std::is_base_of_v<Member, T>)
    operator Member() const;
};

/// Returns true if a T is an aggregate with more members than the list has.
template <class T, auto... Members>
consteval bool has_more_members(const FieldList<Members...>&) {
    if constexpr (std::is_aggregate_v<T>)
        return requires { T{(static_cast<void>(Members), AnyMemberOf<T>{})..., AnyMemberOf<T>{}}; };
    else return false;
}

struct EnumName {
    std::string_view name = {};
    std::int64_t value = 0;

    constexpr void set(const char* wire_name) { name = wire_name; }
};

template <class Enum, class... Choices>
constexpr EnumName enum_name(Enum value, const char* name, Choices... choices) {
    EnumName result{name, static_cast<std::int64_t>(value)};
    (result.set(choices), ...);
    return result;
}

template <std::size_t Size>
struct EnumNames {
    EnumName list[Size];
};
template <class... Names>
EnumNames(Names...) -> EnumNames<sizeof...(Names)>;

/// The alternatives of a variant. The value of a name is the index of its type in the variant.
template <std::size_t Size>
struct VariantNames {
    std::string_view key;
    EnumName list[Size];

    constexpr std::string_view name_of(std::size_t index) const {
        for (const auto& name : list) {
            if (name.value == static_cast<std::int64_t>(index)) return name.name;
        }
        return {};
    }
};

template <class Alternative, template <class...> class Variant, class... Types>
consteval std::int64_t alternative_index(For<Variant<Types...>>) {
    constexpr bool found[] = {std::is_same_v<Alternative, Types>...};
    std::int64_t index = 0;
    while (!found[index]) ++index;  // ends the compilation if there is none
    return index;
}
template <class Variant, class Alternative, class... Choices>
consteval EnumName alternative_name(const char* name, Choices... choices) {
    EnumName result{name, alternative_index<Alternative>(For<Variant>{})};
    (result.set(choices), ...);
    return result;
}
template <class... Names>
consteval VariantNames<sizeof...(Names)> variant_names(const char* key, Names... names) {
    return {key, {names...}};
}

/// The alternatives of a body that something beside it names. The value of a name is the index of its type.
template <class Key, std::size_t Size>
struct BodyNames {
    Key key;
    EnumName list[Size];
};
template <class Key, class... Names>
    requires requires(Key key) { key.name; }
consteval BodyNames<Key, sizeof...(Names)> variant_names(Key key, Names... names) {
    return {key, {names...}};
}
consteval DecodingKey variant_names(DecodingKey key) { return key; }

template <class T>
concept HasFields = requires { freshet_fields(For<T>{}); };

template <class T>
concept HasEnumNames = std::is_enum_v<T> && requires { freshet_enum_names(For<T>{}); };

}  // namespace freshet::detail
