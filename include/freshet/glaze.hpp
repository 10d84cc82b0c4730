// SPDX-License-Identifier: Apache-2.0
#pragma once

// The codec of plain aggregates. This header is empty unless the target freshet::glaze is linked; then it is part of
// <freshet/codec.hpp>. Link the target everywhere in a program or nowhere, so that every translation unit agrees on the
// codec of a type.
#ifdef FRESHET_GLAZE

#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <glaze/json/read.hpp>
#include <glaze/json/write.hpp>

#include <freshet/buffer.hpp>
#include <freshet/codec_format.hpp>
#include <freshet/detail/json/mismatch.hpp>
#include <freshet/detail/json/reader.hpp>
#include <freshet/detail/json/types.hpp>
#include <freshet/detail/nlohmann_fwd.hpp>
#include <freshet/error.hpp>

namespace freshet::detail {

/// The rules of FRESHET_JSON: a member that is not std::optional must be in the input, and unknown members are ignored.
struct GlazeOptions : glz::opts {
    constexpr GlazeOptions() {
        error_on_unknown_keys = false;
        error_on_missing_keys = true;
    }
    bool escape_control_characters = true;
    bool validate_skipped = true;
    bool validate_trailing_whitespace = true;
};

template <class T, Direction Way>
concept GlazeBody = std::is_class_v<T> &&
                    (Way == Direction::read ? glz::read_supported<T, glz::JSON> : glz::write_supported<T, glz::JSON>);

template <class T>
consteval void check_glaze_body() {
    static_assert(!glz::reflectable<T> || !HasNlohmannJson<T>,
                  "freshet: this type has nlohmann's to_json or from_json, and freshet::glaze is linked: include "
                  "<freshet/nlohmann.hpp> wherever it is sent or received, so that all agree. See docs/codecs.md");
}

inline JsonMismatch mismatch_of(const glz::error_ctx& error) {
    using enum glz::error_code;
    JsonMismatch mismatch{.offset = error.count};
    switch (error.ec) {
        case parse_number_failure: mismatch.expected = "number"; break;
        case expected_quote: mismatch.expected = "string"; break;
        case expected_brace: mismatch.expected = "object"; break;
        case expected_bracket: mismatch.expected = "array"; break;
        case unexpected_end:  // in a valid document, a value shorter than "true"
        case expected_true_or_false: mismatch.expected = "boolean"; break;
        case unexpected_enum: mismatch.reason = "none of the names of the enum"; break;
        case missing_key: mismatch.missing = error.custom_error_message; break;
        default: mismatch.reason = error.custom_error_message; break;
    }
    return mismatch;
}

/// Decodes with glaze, which reads until the NUL behind the text: that is a sixth faster than checking for the end at
/// each character. A body without a NUL is copied first.
template <class T>
Expected<void> decode_glaze(Body in, Format format, T& out) {
    check_glaze_body<T>();
    if (format != Format::json || !in.terminated || in.bytes.data() == nullptr) {
        Buffer json;
        if (format == Format::json) json.append(in.bytes);
        else if (auto done = transcode(in.bytes, format, Format::json, json); !done) return done;
        return decode_glaze({json.bytes(), true}, Format::json, out);
    }
    const auto error = glz::read<GlazeOptions{}>(out, as_text(in.bytes));
    if (!error) return {};
    auto mismatch = mismatch_of(error);
    const std::string code = glz::format_error(error.ec);
    if (mismatch.reason.empty()) mismatch.reason = code;
    return std::unexpected{json_mismatch(in.bytes, mismatch)};
}

template <class T>
void encode_glaze(const T& value, Format format, Buffer& out) {
    check_glaze_body<T>();
    if (format != Format::json) {
        Buffer json;
        encode_glaze(value, Format::json, json);
        return value_or_raise(transcode(json.bytes(), Format::json, format, out));
    }
    if (const auto error = glz::write<GlazeOptions{}>(value, out.string()))
        throw Error{Errc::bad_payload, glz::format_error(error)};
    require_utf8(out.text());
}

/// Translates FRESHET_JSON for glaze, for such a type within an aggregate.
template <class T, class List>
struct GlazeFields;

template <class T, auto... Members>
struct GlazeFields<T, FieldList<Members...>> {
    static constexpr FieldList<Members...> fields = freshet_fields(For<T>{});
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

template <class T>
struct GlazeFields<T, FieldList<>> {
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
