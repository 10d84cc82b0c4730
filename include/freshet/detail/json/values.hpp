// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <freshet/detail/json/composites.hpp>
#include <freshet/detail/json/types.hpp>

namespace freshet::detail {

template <class T>
bool read_as(JsonReader& in, const JsonNode& node, T& out) {
    decltype(argument_of(&JsonAs<T>::decode)) travels{};
    if (!read_json(in, node, travels)) return false;
    Expected<T> result = JsonAs<T>::decode(std::move(travels));
    if (!result) return in.fail(std::string{result.error().message()});
    out = *std::move(result);
    return true;
}

template <class T, auto Member>
bool read_field(JsonReader& in, const JsonNode& node, void* object) {
    return read_json(in, node, static_cast<T*>(object)->*Member);
}

template <class T, auto Member>
consteval ReadField reader_of(const FieldInfo& info) {
    return {info.name, !is_nullable<MemberType<T, Member>> && !info.or_default, &read_field<T, Member>};
}
template <class T, std::size_t Facts, auto... Members>
consteval std::array<ReadField, sizeof...(Members)> read_fields(const FieldList<Facts, Members...>& list) {
    [[maybe_unused]] std::size_t i = 0;
    return {reader_of<T, Members>(list.info[i++])...};
}
template <class T>
inline constexpr auto read_fields_of = read_fields<T>(fields_of<T>);

template <class T>
bool read_number(JsonReader& in, const JsonNode& node, T& out) {
    using Limits = std::numeric_limits<T>;
    std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> number = 0;
    if constexpr (std::is_signed_v<T>) {
        if (!in.read_integer(node, Limits::min(), Limits::max(), number)) return false;
    } else {
        if (!in.read_natural(node, Limits::max(), number)) return false;
    }
    out = static_cast<T>(number);
    return true;
}

template <class T>
bool read_enum(JsonReader& in, const JsonNode& node, T& out) {
    if constexpr (HasEnumNames<T>) {
        static constexpr auto names = freshet_enum_names(For<T>{});
        std::int64_t value = 0;
        if (!in.read_enum(node, names.list, value)) return false;
        out = static_cast<T>(value);
    } else {
        std::underlying_type_t<T> value{};
        if (!read_json(in, node, value)) return false;
        out = static_cast<T>(value);
    }
    return true;
}

template <class T>
bool read_array(JsonReader& in, const JsonNode& node, T& out) {
    if (!in.expect_array(node, out.size())) return false;
    std::size_t index = 0;
    for (const JsonNode* at = node.begin(); at != node.end(); at += at->span, ++index) {
        if (!read_json(in, *at, out[index])) return in.at_index(index);
    }
    return true;
}

template <class T>
bool read_sequence(JsonReader& in, const JsonNode& node, T& out) {
    using Element = typename T::value_type;
    if (!in.expect(node, JsonKind::array)) return false;
    out.clear();
    if constexpr (requires { out.reserve(1); })
        out.reserve(node.count < 1024 ? node.count : 1024);  // the rest grows as it is read
    std::size_t index = 0;
    for (const JsonNode* at = node.begin(); at != node.end(); at += at->span, ++index) {
        if constexpr (requires {
                          { out.emplace_back() } -> std::same_as<Element&>;
                      }) {
            if (!read_json(in, *at, out.emplace_back())) return in.at_index(index);
        } else {
            Element element{};
            if (!read_json(in, *at, element)) return in.at_index(index);
            out.insert(out.end(), std::move(element));
        }
    }
    return true;
}

template <class T>
bool read_key(JsonReader& in, const JsonNode& node, T& out) {
    if constexpr (std::same_as<T, std::string>) {
        out = in.text(node);
        return true;
    } else if constexpr (JsonInteger<T>) {
        JsonNode number;
        return in.number_of(node, number) && read_number(in, number, out);
    } else if constexpr (HasEnumNames<T>) {
        return read_enum(in, node, out);
    } else {
        std::underlying_type_t<T> value{};
        if (!read_key(in, node, value)) return false;
        out = static_cast<T>(value);
        return true;
    }
}

/// Reads an object into a map. The last of several members with one key counts; the others may have any value.
template <class T>
bool read_map(JsonReader& in, const JsonNode& node, T& out) {
    if (!in.expect(node, JsonKind::object)) return false;
    out.clear();
    std::vector<const JsonNode*> last;
    for (const JsonNode* key = node.begin(); key != node.end(); key += 1 + key[1].span) {
        typename T::key_type name{};
        typename T::mapped_type value{};
        if (read_key(in, *key, name) && read_json(in, key[1], value)) {
            out.insert_or_assign(std::move(name), std::move(value));
        } else if (in.is_last(node, *key, last)) {
            return in.at_field(in.text(*key));
        }
    }
    return true;
}

template <class T>
bool read_json(JsonReader& in, const JsonNode& node, T& out) {
    static_assert(
        is_json<T, Direction::read>(),
        "freshet: this type cannot be a value in JSON: add FRESHET_JSON(Type, fields...) in its namespace, include "
        "<freshet/nlohmann.hpp> or specialise freshet::JsonAs<T>; a view cannot be read into, use std::string. See "
        "docs/codecs.md");
    if constexpr (ReadsAsJson<T>) {
        return read_as(in, node, out);
    } else if constexpr (HasFields<T>) {
        return in.read_object(node, &out, read_fields_of<T>);
    } else if constexpr (JsonScalar<T>) {
        return in.read(node, out);
    } else if constexpr (JsonInteger<T>) {
        return read_number(in, node, out);
    } else if constexpr (requires { sizeof(ForeignJson<T>); }) {
        return ForeignJson<T>::read(in, node, out);
    } else if constexpr (ToldElsewhere<T>) {
        return FallbackJson<T>::read(in, node, out);
    } else if constexpr (std::is_enum_v<T>) {
        return read_enum(in, node, out);
    } else if constexpr (is_optional<T>) {
        if (node.kind != JsonKind::null) return read_json(in, node, out.emplace());
        out.reset();
        return true;
    } else if constexpr (is_array<T>) {
        return read_array(in, node, out);
    } else if constexpr (JsonMap<T>) {
        return read_map(in, node, out);
    } else if constexpr (JsonSequence<T>) {
        return read_sequence(in, node, out);
    } else if constexpr (IsComposite<T>) {
        return read_composite(in, node, out);
    } else if constexpr (HasFallbackJson<T>) {
        return FallbackJson<T>::read(in, node, out);
    }
}

template <class T, auto Member>
bool write_field(JsonWriter& out, const void* object) {
    return write_json(out, static_cast<const T*>(object)->*Member);
}
template <class T, auto Member>
bool absent_field(const void* object) {
    return !(static_cast<const T*>(object)->*Member);
}
template <class T, auto Member>
consteval WriteField writer_of(const FieldInfo& info) {
    WriteField field{info.name, is_plain_key(info.name), &write_field<T, Member>, nullptr};
    if constexpr (is_nullable<MemberType<T, Member>>) field.absent = &absent_field<T, Member>;
    return field;
}
template <class T, std::size_t Facts, auto... Members>
consteval std::array<WriteField, sizeof...(Members)> write_fields(const FieldList<Facts, Members...>& list) {
    [[maybe_unused]] std::size_t i = 0;
    return {writer_of<T, Members>(list.info[i++])...};
}
template <class T>
inline constexpr auto write_fields_of = write_fields<T>(fields_of<T>);

template <class T>
bool write_object(JsonWriter& out, const T& value, const VariantTag& tag) {
    return out.write_object(&value, write_fields_of<T>, tag);
}

template <class T>
bool write_enum(JsonWriter& out, T value) {
    if constexpr (HasEnumNames<T>) {
        static constexpr auto names = freshet_enum_names(For<T>{});
        return out.write_enum(names.list, static_cast<std::int64_t>(value));
    } else {
        return write_json(out, static_cast<std::underlying_type_t<T>>(value));
    }
}

template <class T>
bool write_sequence(JsonWriter& out, const T& list) {
    if (!out.begin_array(list.size())) return false;
    std::size_t index = 0;
    for (const auto& element : list) {
        if (!write_json(out, static_cast<const typename T::value_type&>(element))) return out.at_index(index);
        ++index;
    }
    out.end_array();
    return true;
}

template <class T>
bool write_key(JsonWriter& out, const T& key) {
    if constexpr (std::same_as<T, std::string>) {
        return out.key(key);
    } else if constexpr (HasEnumNames<T>) {
        static constexpr auto names = freshet_enum_names(For<T>{});
        return out.key_of_enum(names.list, static_cast<std::int64_t>(key));
    } else if constexpr (std::is_enum_v<T>) {
        return write_key(out, static_cast<std::underlying_type_t<T>>(key));
    } else {
        return out.key(static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>(key));
    }
}
template <class T>
bool at_key(JsonWriter& out, const T& key) {
    if constexpr (std::same_as<T, std::string>) return out.at_field(key);
    else return out.at_field(std::to_string(static_cast<std::int64_t>(key)));
}

template <class T>
bool write_map(JsonWriter& out, const T& map) {
    if (!out.begin_object(map.size())) return false;
    for (const auto& [key, value] : map) {
        if (!write_key(out, key) || !write_json(out, value)) return at_key(out, key);
    }
    out.end_object();
    return true;
}

template <class T>
bool write_json(JsonWriter& out, const T& value) {
    static_assert(
        is_json<T, Direction::write>(),
        "freshet: this type cannot be a value in JSON: add FRESHET_JSON(Type, fields...) in its namespace, include "
        "<freshet/nlohmann.hpp> or specialise freshet::JsonAs<T>. See docs/codecs.md");
    if constexpr (WritesAsJson<T>) {
        return write_json(out, JsonAs<T>::encode(value));
    } else if constexpr (HasFields<T>) {
        return out.write_object(&value, write_fields_of<T>);
    } else if constexpr (std::same_as<T, bool>) {
        out.boolean(value);
        return true;
    } else if constexpr (std::same_as<T, double> || std::same_as<T, float>) {
        return out.real(value);
    } else if constexpr (std::same_as<T, std::string> || JsonView<T>) {
        return out.text(value);
    } else if constexpr (JsonInteger<T>) {
        if constexpr (std::is_signed_v<T>) out.integer(value);
        else out.natural(value);
        return true;
    } else if constexpr (requires { sizeof(ForeignJson<T>); }) {
        return ForeignJson<T>::write(out, value);
    } else if constexpr (ToldElsewhere<T>) {
        return FallbackJson<T>::write(out, value);
    } else if constexpr (std::is_enum_v<T>) {
        return write_enum(out, value);
    } else if constexpr (is_optional<T>) {
        if (value) return write_json(out, *value);
        out.null();
        return true;
    } else if constexpr (JsonMap<T>) {
        return write_map(out, value);
    } else if constexpr (is_array<T> || JsonSequence<T>) {
        return write_sequence(out, value);
    } else if constexpr (IsComposite<T>) {
        return write_composite(out, value);
    } else if constexpr (HasFallbackJson<T>) {
        return FallbackJson<T>::write(out, value);
    }
}

}  // namespace freshet::detail
