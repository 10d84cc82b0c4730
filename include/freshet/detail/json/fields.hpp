// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
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

/// Names a type in a call without a value of it, so that argument-dependent lookup finds the functions that
/// FRESHET_JSON defines beside the type.
template <class T>
struct For {
    using type = T;
};

/// A constant beside a field in FRESHET_JSON: a keyword of JSON Schema and its value. A keyword may be repeated where
/// its value is a list.
struct FieldFact {
    enum class Kind : std::uint8_t { boolean, integer, natural, real, text };

    std::string_view keyword = {};
    Kind kind = Kind::boolean;
    bool boolean = false;
    std::int64_t integer = 0;
    std::uint64_t natural = 0;
    double real = 0;
    std::string_view text = {};
};

template <class T>
constexpr FieldFact field_fact(std::string_view keyword, T value) {
    FieldFact fact{.keyword = keyword};
    if constexpr (std::same_as<T, bool>) fact.boolean = value;
    else if constexpr (std::signed_integral<T>) fact.kind = FieldFact::Kind::integer, fact.integer = value;
    else if constexpr (std::unsigned_integral<T>) fact.kind = FieldFact::Kind::natural, fact.natural = value;
    else if constexpr (std::floating_point<T>) fact.kind = FieldFact::Kind::real, fact.real = value;
    else fact.kind = FieldFact::Kind::text, fact.text = value;
    return fact;
}

/// Several facts as one choice.
template <std::size_t Size>
struct FieldFacts {
    FieldFact list[Size];
};

/// The number of facts that a choice in FRESHET_JSON consists of.
template <class Choice>
inline constexpr std::size_t fact_count = 0;
template <>
inline constexpr std::size_t fact_count<FieldFact> = 1;
template <std::size_t Size>
inline constexpr std::size_t fact_count<FieldFacts<Size>> = Size;

struct FieldInfo {
    std::string_view name = {};
    bool or_default = false;
    std::uint16_t first_fact = 0;
    std::uint16_t facts = 0;
};

/// A field with its facts. A type's own facts are those of a field without a member.
template <auto Member, std::size_t Facts>
struct MemberField {
    FieldInfo info = {};
    FieldFact facts[Facts + 1] = {};

    constexpr void set(const char* wire_name) { info.name = wire_name; }
    constexpr void set(OrDefault) { info.or_default = true; }
    constexpr void set(const FieldFact& fact) { facts[info.facts++] = fact; }
    template <std::size_t Size>
    constexpr void set(const FieldFacts<Size>& several) {
        for (const auto& fact : several.list) set(fact);
    }
};

template <auto Member, class... Choices>
constexpr auto field(const char* name, Choices... choices) {
    MemberField<Member, (fact_count<Choices> + ... + 0)> result{{name}};
    (result.set(choices), ...);
    return result;
}
template <class... Choices>
constexpr auto own_facts(Choices... choices) {
    return field<nullptr>("", choices...);
}

/// The fields of a type: member pointers as types, names and facts as values.
template <std::size_t Facts, auto... Members>
struct FieldList {
    static constexpr std::size_t size = sizeof...(Members);
    static_assert(size <= 64, "freshet: FRESHET_JSON takes up to 64 fields. See docs/codecs.md");
    FieldInfo info[size + 1] = {};  // the last one is the type itself
    FieldFact facts[Facts + 1] = {};
};

template <std::size_t Own, auto... Members, std::size_t... Facts>
constexpr auto field_list(const MemberField<nullptr, Own>& own, const MemberField<Members, Facts>&... fields) {
    FieldList<Own + (Facts + ... + 0), Members...> list{{fields.info..., own.info}};
    std::size_t field = 0;
    std::uint16_t next = 0;
    const auto add = [&](const FieldFact* facts) {
        auto& info = list.info[field++];
        info.first_fact = next;
        for (std::size_t i = 0; i < info.facts; ++i) list.facts[next++] = facts[i];
    };
    (add(fields.facts), ...);
    add(own.facts);
    return list;
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
template <class T, std::size_t Facts, auto... Members>
consteval bool has_more_members(const FieldList<Facts, Members...>&) {
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

/// The fields of a type, where they may be referred to.
template <class T>
inline constexpr auto fields_of = freshet_fields(For<T>{});

/// The names of an enum, where they may be referred to.
template <class T>
inline constexpr auto enum_names_of = freshet_enum_names(For<T>{});

template <class T>
concept HasFields = requires { freshet_fields(For<T>{}); };

template <class T>
concept HasEnumNames = std::is_enum_v<T> && requires { freshet_enum_names(For<T>{}); };

}  // namespace detail

/// Says in FRESHET_VARIANT that the header `name` of a message names the type of its body.
consteval detail::HeaderKey by_header(const char* name) { return {name}; }
/// Says in FRESHET_VARIANT that the token of the message's subject that stands for `{name}` in the subscriber's subject
/// names the type of the body.
consteval detail::PathKey by_path(const char* name) { return {name}; }
/// Says in FRESHET_VARIANT that a body is the first alternative that decodes.
inline constexpr detail::DecodingKey by_decoding{};

/// Says, in FRESHET_JSON, what a field means, or, beside the type's name, what the type means. Descriptions show it.
constexpr detail::FieldFact about(const char* text) { return detail::field_fact("description", text); }

/// Gives, in FRESHET_JSON, an example of a field's value. May be repeated.
template <class T>
constexpr detail::FieldFact example(T value) {
    return detail::field_fact("examples", value);
}

}  // namespace freshet
