// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <freshet/detail/chrono.hpp>
#include <freshet/detail/json/fields.hpp>
#include <freshet/detail/json/reader.hpp>
#include <freshet/detail/json/types.hpp>
#include <freshet/detail/json/writer.hpp>

// Pairs, tuples, pointers, variants and times as values in JSON.
namespace freshet::detail {

template <class T>
bool read_json(JsonReader& in, const JsonNode& node, T& out);
template <class T>
bool write_json(JsonWriter& out, const T& value);

/// Writes an object with FRESHET_JSON, and `tag` before its members.
template <class T>
bool write_object(JsonWriter& out, const T& value, const VariantTag& tag);

template <class T>
concept IsComposite = is_tuple<T> || is_pointer<T> || is_variant<T> || is_duration<T> || is_time_point<T> ||
                      std::same_as<T, std::monostate>;

/// A number of units of `numerator / denominator` seconds, and the range of the type that holds it.
struct JsonTicks {
    std::int64_t numerator = 1;
    std::int64_t denominator = 1;
    std::int64_t min = 0;
    std::int64_t max = 0;
    std::int64_t count = 0;
};

/// Read and write durations (ISO 8601) and times (RFC 3339); see docs/codecs.md. Parts finer than a unit are cut off.
bool read_duration(JsonReader& in, const JsonNode& node, JsonTicks& ticks);
bool write_duration(JsonWriter& out, const JsonTicks& ticks);
bool read_time(JsonReader& in, const JsonNode& node, JsonTicks& ticks);
bool write_time(JsonWriter& out, const JsonTicks& ticks);

template <class Rep, class Period>
constexpr JsonTicks ticks_of(std::chrono::duration<Rep, Period> duration) {
    static_assert(
        std::integral<Rep> && 1'000'000'000 % Period::den == 0,
        "freshet: a duration in JSON must be an integer count of nanoseconds or of a multiple of them: use such a "
        "duration, use a double, or specialise freshet::JsonAs. See docs/codecs.md");
    constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<Rep>::max());
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return {.numerator = Period::num,
            .denominator = Period::den,
            .min = static_cast<std::int64_t>(std::numeric_limits<Rep>::min()),
            .max = static_cast<std::int64_t>(max < limit ? max : limit),
            .count = static_cast<std::int64_t>(duration.count())};
}

/// Returns the kind of value that a T is in JSON, as far as its type tells.
template <class T>
consteval JsonShape shape_of() {
    if constexpr (ReadsAsJson<T> || requires { sizeof(ForeignJson<T>); }) return JsonShape::any;
    else if constexpr (HasFields<T>) return JsonShape::object;
    else if constexpr (std::same_as<T, bool>) return JsonShape::boolean;
    else if constexpr (std::same_as<T, std::monostate>) return JsonShape::null;
    else if constexpr (std::is_arithmetic_v<T> && !std::same_as<T, char>) return JsonShape::number;
    else if constexpr (std::same_as<T, std::string> || is_duration<T> || is_time_point<T> || HasEnumNames<T>)
        return JsonShape::text;
    else if constexpr (std::is_enum_v<T>) return HasFallbackJson<T> ? JsonShape::any : JsonShape::number;
    else if constexpr (is_nullable<T> || is_variant<T>) return JsonShape::any;
    else if constexpr (JsonMap<T>) return JsonShape::object;
    else if constexpr (is_array<T> || is_tuple<T> || JsonSequence<T>) return JsonShape::array;
    else if constexpr (requires { FallbackJson<T>::fields; }) return JsonShape::object;
    else return JsonShape::any;
}

/// How one alternative of a std::variant is read.
struct JsonAlternative {
    JsonShape shape;
    bool (*read)(JsonReader& in, const JsonNode& node, void* variant);
};

template <class T, std::size_t I>
bool read_alternative(JsonReader& in, const JsonNode& node, void* variant) {
    std::variant_alternative_t<I, T> value{};
    if (!read_json(in, node, value)) return false;
    static_cast<T*>(variant)->template emplace<I>(std::move(value));
    return true;
}

template <class T>
consteval bool has_member(std::string_view name) {
    bool found = false;
    if constexpr (HasFields<T>) {
        for (const auto& info : fields_of<T>.info) found = found || info.name == name;
    } else if constexpr (requires { FallbackJson<T>::fields; }) {
        for (const auto& field : FallbackJson<T>::names()) found = found || field == name;
    }
    return found;
}

/// Does not compile for a variant that can only be the body of a message that comes in.
template <class T>
consteval void require_value() {
    static_assert(
        !NamedBody<T>,
        "freshet: FRESHET_VARIANT says that a header or the subject tells what this std::variant is, so it can only be "
        "the body of a message that a handler takes. As a field, let a member tell it; to send one, send the "
        "alternative itself, with its header. See docs/codecs.md#one-of-several-types");
}

template <class T, std::size_t... I>
bool read_variant(JsonReader& in, const JsonNode& node, T& out, std::index_sequence<I...>) {
    static constexpr JsonAlternative alternatives[] = {
        {shape_of<std::variant_alternative_t<I, T>>(), &read_alternative<T, I>}...};
    if constexpr (HasVariantNames<T>) {
        static constexpr auto names = freshet_variant(For<T>{});
        static_assert(
            !(has_member<std::variant_alternative_t<I, T>>(names.key) || ...),
            "freshet: an alternative has a member with the name that FRESHET_VARIANT adds: choose another name. See "
            "docs/codecs.md");
        std::int64_t index = 0;
        return in.read_tag(node, names.key, names.list, index) && alternatives[index].read(in, node, &out);
    } else {
        require_value<T>();
        static_assert(
            TriedBody<T> || NamedBody<T> ||
                ((shape_of<std::variant_alternative_t<I, T>>() == JsonShape::object) + ...) <= 1,
            "freshet: two alternatives of this std::variant are objects in JSON, which their members do not tell "
            "apart: add FRESHET_VARIANT(Type, \"member\", alternatives...). See docs/codecs.md");
        return in.read_alternative(node, &out, alternatives);
    }
}

template <class T>
bool write_tagged(JsonWriter& out, const T& value, const VariantTag& tag) {
    if constexpr (HasFields<T>) {
        return write_object(out, value, tag);
    } else {
        static_assert(
            requires { FallbackJson<T>::fields; },
            "freshet: an alternative in FRESHET_VARIANT must have FRESHET_JSON, or be an aggregate under "
            "freshet::glaze. See docs/codecs.md");
        return FallbackJson<T>::write(out, value, tag);
    }
}

template <class T, std::size_t... I>
bool write_variant(JsonWriter& out, const T& variant, std::index_sequence<I...>) {
    bool done = false;
    const auto write = [&]<std::size_t Index>(std::integral_constant<std::size_t, Index>) {
        if (variant.index() != Index) return;
        const auto& value = *std::get_if<Index>(&variant);
        if constexpr (HasVariantNames<T>) {
            static constexpr auto names = freshet_variant(For<T>{});
            static_assert(std::size(names.list) == sizeof...(I),
                          "freshet: FRESHET_VARIANT must name every alternative once. See docs/codecs.md");
            done = write_tagged(out, value, {names.key, names.name_of(Index)});
        } else {
            require_value<T>();
            done = write_json(out, value);
        }
    };
    (write(std::integral_constant<std::size_t, I>{}), ...);
    return done || (variant.valueless_by_exception() && out.fail("the std::variant is valueless_by_exception"));
}

template <class T, std::size_t... I>
bool read_tuple(JsonReader& in, const JsonNode& node, T& out, std::index_sequence<I...>) {
    if (!in.expect_array(node, sizeof...(I))) return false;
    [[maybe_unused]] const JsonNode* at = node.begin();
    return (... && (read_json(in, *std::exchange(at, at + at->span), std::get<I>(out)) || in.at_index(I)));
}
template <class T, std::size_t... I>
bool write_tuple(JsonWriter& out, const T& tuple, std::index_sequence<I...>) {
    if (!out.begin_array(sizeof...(I))) return false;
    if (!(... && (write_json(out, std::get<I>(tuple)) || out.at_index(I)))) return false;
    out.end_array();
    return true;
}

template <class T>
bool read_composite(JsonReader& in, const JsonNode& node, T& out) {
    if constexpr (std::same_as<T, std::monostate>) {
        return in.expect(node, JsonKind::null);
    } else if constexpr (is_duration<T>) {
        auto ticks = ticks_of(T::zero());
        if (!read_duration(in, node, ticks)) return false;
        out = T{static_cast<typename T::rep>(ticks.count)};
        return true;
    } else if constexpr (is_time_point<T>) {
        auto ticks = ticks_of(T::duration::zero());
        if (!read_time(in, node, ticks)) return false;
        out = T{typename T::duration{static_cast<typename T::rep>(ticks.count)}};
        return true;
    } else if constexpr (is_pointer<T>) {
        if (node.kind == JsonKind::null) return out.reset(), true;
        out = T{new typename T::element_type{}};
        return read_json(in, node, *out);
    } else if constexpr (is_variant<T>) {
        return read_variant(in, node, out, std::make_index_sequence<std::variant_size_v<T>>{});
    } else {
        return read_tuple(in, node, out, std::make_index_sequence<std::tuple_size_v<T>>{});
    }
}

template <class T>
bool write_composite(JsonWriter& out, const T& value) {
    if constexpr (std::same_as<T, std::monostate>) {
        return out.null(), true;
    } else if constexpr (is_duration<T>) {
        return write_duration(out, ticks_of(value));
    } else if constexpr (is_time_point<T>) {
        return write_time(out, ticks_of(value.time_since_epoch()));
    } else if constexpr (is_pointer<T>) {
        if (value) return write_json(out, *value);
        return out.null(), true;
    } else if constexpr (is_variant<T>) {
        return write_variant(out, value, std::make_index_sequence<std::variant_size_v<T>>{});
    } else {
        return write_tuple(out, value, std::make_index_sequence<std::tuple_size_v<T>>{});
    }
}

}  // namespace freshet::detail
