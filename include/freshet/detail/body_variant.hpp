// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include <freshet/detail/json/types.hpp>
#include <freshet/error.hpp>
#include <freshet/message.hpp>
#include <freshet/text.hpp>

// Bodies that are one of several types; see FRESHET_VARIANT.
namespace freshet::detail {

template <class T>
Expected<void> decode_body(Body in, std::string_view content_type, T& out);

/// How a body becomes one alternative of a std::variant.
struct BodyAlternative {
    std::string_view type = {};
    Expected<void> (*decode)(Body in, std::string_view content_type, void* variant) = nullptr;
};

template <class T, std::size_t I>
Expected<void> decode_alternative(Body in, std::string_view content_type, void* variant) {
    std::variant_alternative_t<I, T> value{};
    auto decoded = decode_body(in, content_type, value);
    if (decoded) static_cast<T*>(variant)->template emplace<I>(std::move(value));
    return decoded;
}

template <class T>
inline constexpr auto body_alternatives = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<BodyAlternative, sizeof...(I)>{
        BodyAlternative{type_name<std::variant_alternative_t<I, T>>(), &decode_alternative<T, I>}...};
}(std::make_index_sequence<std::variant_size_v<T>>{});

/// Makes the body the first alternative that decodes. Returns an error with the reason of each if none does.
Expected<void> decode_in_turn(Body in, std::string_view content_type, void* variant,
                              std::span<const BodyAlternative> alternatives);

/// The key and the names of a NamedBody.
template <class T>
inline constexpr auto body_names = freshet_variant(For<T>{});
template <class T>
inline constexpr auto body_key = body_names<T>.key;

/// Returns the index that `name` has among `names`. `subject` is for errors.
Expected<std::size_t> alternative_of(HeaderKey key, std::string_view subject, std::optional<std::string_view> name,
                                     std::span<const EnumName> names);
Expected<std::size_t> alternative_of(PathKey key, std::string_view subject, std::optional<std::string_view> name,
                                     std::span<const EnumName> names);

/// Makes the body the alternative that `name` names: the value of the header, or the token of the subject.
template <class T>
Expected<void> decode_named(Body in, std::string_view content_type, std::string_view subject,
                            std::optional<std::string_view> name, T& out) {
    static_assert(std::size(body_names<T>.list) == std::variant_size_v<T>,
                  "freshet: FRESHET_VARIANT must name every alternative once. See docs/codecs.md");
    const auto index = alternative_of(body_key<T>, subject, name, body_names<T>.list);
    if (!index) return std::unexpected{index.error()};
    return body_alternatives<T>[*index].decode(in, content_type, &out);
}

}  // namespace freshet::detail
