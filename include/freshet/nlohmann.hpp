// SPDX-License-Identifier: Apache-2.0
#pragma once

// Opt-in: with this header, types with nlohmann's to_json and from_json (by hand or by NLOHMANN_DEFINE_TYPE_...), and
// nlohmann::json itself, become bodies and fields; types with FRESHET_JSON, FRESHET_ENUM or JsonAs become values of
// nlohmann::json.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <nlohmann/json.hpp>

#include <freshet/buffer.hpp>
#include <freshet/codec.hpp>
#include <freshet/codec_format.hpp>
#include <freshet/detail/json/failure.hpp>
#include <freshet/detail/json/reader.hpp>
#include <freshet/detail/json/types.hpp>
#include <freshet/detail/json/writer.hpp>
#include <freshet/detail/nlohmann_fwd.hpp>
#include <freshet/detail/traits.hpp>
#include <freshet/error.hpp>

namespace freshet::detail {

/// Sets `failure` from the text of nlohmann's exception, in freshet's words: `id: missing`,
/// `expected number, got string`. Returns false.
bool nlohmann_failure(JsonFailure& failure, std::string_view what);

template <class T>
inline constexpr bool is_nlohmann_json = false;
template <>
inline constexpr bool is_nlohmann_json<nlohmann::json> = true;
template <>
inline constexpr bool is_nlohmann_json<nlohmann::ordered_json> = true;

/// Satisfied by types with conversions of their own for nlohmann; containers, which nlohmann itself converts, do not
/// count.
template <class T>
concept NlohmannValue =
    is_nlohmann_json<T> || (EnumOfNlohmann<T> && !HasEnumNames<T>) ||
    (std::is_class_v<T> && HasNlohmannJson<T> && !JsonScalar<T> && !JsonView<T> && !is_optional<T> && !is_array<T> &&
     !JsonMap<T> && !JsonSequence<T> && !requires { std::tuple_size<T>::value; });

template <class Json>
Json to_nlohmann(JsonReader& in, const JsonNode& node);

template <class Json>
Json to_nlohmann_array(JsonReader& in, const JsonNode& node) {
    typename Json::array_t array;
    array.reserve(node.count);
    for (const JsonNode* at = node.begin(); at != node.end(); at += at->span) {
        array.push_back(to_nlohmann<Json>(in, *at));
    }
    return array;
}

template <class Json>
Json to_nlohmann_object(JsonReader& in, const JsonNode& node) {
    Json object = Json::object();
    for (const JsonNode* key = node.begin(); key != node.end(); key += 1 + key[1].span) {
        object[std::string{in.text(*key)}] = to_nlohmann<Json>(in, key[1]);
    }
    return object;
}

template <class Json>
Json to_nlohmann(JsonReader& in, const JsonNode& node) {
    switch (node.kind) {
        case JsonKind::null: break;
        case JsonKind::boolean: return node.boolean;
        case JsonKind::integer: return node.integer;
        case JsonKind::natural: return node.natural;
        case JsonKind::real: return node.real;
        case JsonKind::scaled:
        case JsonKind::decimal: {
            double real = 0;
            if (!in.read(node, real)) throw Error{Errc::bad_payload, in.message()};
            return real;
        }
        case JsonKind::text: return in.text(node);
        case JsonKind::binary: return Json::binary({in.text(node).begin(), in.text(node).end()});
        case JsonKind::array: return to_nlohmann_array<Json>(in, node);
        case JsonKind::object: return to_nlohmann_object<Json>(in, node);
    }
    return nullptr;
}

template <class Json>
bool write_nlohmann(JsonWriter& out, const Json& json);

template <class Json>
bool write_nlohmann_array(JsonWriter& out, const Json& json) {
    if (!out.begin_array(json.size())) return false;
    std::size_t index = 0;
    for (const auto& element : json) {
        if (!write_nlohmann(out, element)) return out.at_index(index);
        ++index;
    }
    out.end_array();
    return true;
}

template <class Json>
bool write_nlohmann_object(JsonWriter& out, const Json& json) {
    if (!out.begin_object(json.size())) return false;
    for (const auto& [key, value] : json.items()) {
        if (!out.key(key) || !write_nlohmann(out, value)) return out.at_field(key);
    }
    out.end_object();
    return true;
}

template <class Json>
bool write_nlohmann(JsonWriter& out, const Json& json) {
    using enum nlohmann::json::value_t;
    switch (json.type()) {
        case boolean: out.boolean(json.template get<bool>()); return true;
        case number_integer: out.integer(json.template get<std::int64_t>()); return true;
        case number_unsigned: out.natural(json.template get<std::uint64_t>()); return true;
        case number_float: return out.real(json.template get<double>());
        case string: return out.text(json.template get_ref<const std::string&>());
        case binary: return out.binary(std::as_bytes(std::span{json.get_binary()}));
        case array: return write_nlohmann_array(out, json);
        case object: return write_nlohmann_object(out, json);
        default: out.null(); return true;
    }
}

template <NlohmannValue T>
struct ForeignJson<T> {
    using Json = std::conditional_t<std::same_as<T, nlohmann::ordered_json>, nlohmann::ordered_json, nlohmann::json>;

    static bool read(JsonReader& in, const JsonNode& node, T& out) {
        try {
            to_nlohmann<Json>(in, node).get_to(out);
            return true;
        } catch (const nlohmann::json::exception& error) { return nlohmann_failure(in, error.what()); }
    }

    static bool write(JsonWriter& out, const T& value) {
        if constexpr (is_nlohmann_json<T>) return write_nlohmann(out, value);
        else return write_nlohmann(out, Json(value));
    }
};

template <class T>
concept FreshetValue =
    (HasEnumNames<T> && !EnumOfNlohmann<T>) ||
    (std::is_class_v<T> && (HasFields<T> || ReadsAsJson<T> || WritesAsJson<T>) && !HasNlohmannJson<T>);

}  // namespace freshet::detail

template <freshet::detail::FreshetValue T>
struct nlohmann::adl_serializer<T> {
    static void to_json(auto& json, const T& value) {
        freshet::Buffer document;
        freshet::detail::encode_formatted(value, freshet::Format::cbor, document);
        json = std::remove_reference_t<decltype(json)>::from_cbor(document.text());
    }

    /// Reads `value` from `json`. Throws freshet::Error(Errc::bad_payload).
    static void from_json(const auto& json, T& value) {
        freshet::Buffer document;
        std::remove_cvref_t<decltype(json)>::to_cbor(json, document.string());
        freshet::value_or_raise(freshet::detail::decode_formatted(document.bytes(), freshet::Format::cbor, value));
    }
};
