// SPDX-License-Identifier: Apache-2.0
#pragma once

// Opt-in: types with nlohmann's to_json and from_json (by hand or by NLOHMANN_DEFINE_TYPE_...), and nlohmann::json itself,
// become bodies and fields; types with FRESHET_JSON, FRESHET_ENUM or JsonAs become values of nlohmann::json.

#include <concepts>
#include <string_view>
#include <type_traits>

#include <nlohmann/json.hpp>

#include <freshet/buffer.hpp>
#include <freshet/codec.hpp>
#include <freshet/codec_format.hpp>
#include <freshet/detail/json_failure.hpp>
#include <freshet/detail/json_reader.hpp>
#include <freshet/detail/json_types.hpp>
#include <freshet/detail/json_writer.hpp>
#include <freshet/detail/nlohmann_fwd.hpp>
#include <freshet/detail/traits.hpp>
#include <freshet/error.hpp>

namespace freshet::detail {

/// What nlohmann's exception says, as ours: `id: missing`, `expected number, got string`.
bool nlohmann_failure(JsonFailure& failure, std::string_view what);

template <class T>
inline constexpr bool is_nlohmann_json = false;
template <>
inline constexpr bool is_nlohmann_json<nlohmann::json> = true;
template <>
inline constexpr bool is_nlohmann_json<nlohmann::ordered_json> = true;

/// A type with conversions of its own: the ones that nlohmann has for containers are not meant.
template <class T>
concept NlohmannValue =
    is_nlohmann_json<T> || (EnumOfNlohmann<T> && !HasEnumNames<T>) ||
    (std::is_class_v<T> && HasNlohmannJson<T> && !JsonScalar<T> && !JsonView<T> && !is_optional<T> && !is_array<T> &&
     !JsonMap<T> && !JsonSequence<T> && !requires { std::tuple_size<T>::value; });

template <NlohmannValue T>
struct ForeignJson<T> {
    using Json = std::conditional_t<std::same_as<T, nlohmann::ordered_json>, nlohmann::ordered_json, nlohmann::json>;

    static bool read(JsonReader& in, const JsonNode& node, T& out) {
        Buffer document;
        write_node(in, node, Format::cbor, document);
        try {
            Json::from_cbor(document.text()).get_to(out);
            return true;
        } catch (const nlohmann::json::exception& error) { return nlohmann_failure(in, error.what()); }
    }

    static bool write(JsonWriter& out, const T& value) {
        Buffer document;
        Json::to_cbor(Json(value), document.string());
        return write_document(out, document.bytes(), Format::cbor);
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

    /// Throws freshet::Error(Errc::bad_payload).
    static void from_json(const auto& json, T& value) {
        freshet::Buffer document;
        std::remove_cvref_t<decltype(json)>::to_cbor(json, document.string());
        freshet::value_or_raise(freshet::detail::decode_formatted(document.bytes(), freshet::Format::cbor, value));
    }
};
