// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include <freshet/codec.hpp>
#include <freshet/text.hpp>

namespace freshet {

template <Format Only>
struct InFormat;

namespace detail {

/// Satisfied if C reads a T: `static Expected<void> decode(Bytes, T&)`.
template <class C, class T>
concept DecodesWith = std::is_class_v<C> && requires(Bytes in, T& out) { C::decode(in, out); };
/// Satisfied if C writes a T: `static void encode(const T&, Buffer&)`.
template <class C, class T>
concept EncodesWith = std::is_class_v<C> && requires(const T& value, Buffer& out) { C::encode(value, out); };

template <class C>
struct CodecContentType {};
template <class C>
    requires requires { C::content_type; }
struct CodecContentType<C> {
    static constexpr std::string_view content_type = C::content_type;
};

template <class C>
struct CodecSchemaFormat {};
template <class C>
    requires requires { C::schema_format; }
struct CodecSchemaFormat<C> {
    static constexpr std::string_view schema_format = C::schema_format;
};

template <class C>
std::string schema_of_codec() {
    return std::string{C::schema()};
}
template <class C>
consteval TypeShape make_codec_shape() {
    if constexpr (requires { C::schema(); })
        return {.kind = ShapeKind::written, .name = type_name<C>(), .schema = &schema_of_codec<C>};
    else return {.name = type_name<C>()};
}
/// What a T is that C reads and writes.
template <class C, class T>
struct CodedShape {
    static constexpr TypeShape codec_shape = make_codec_shape<C>();
    static const TypeShape& shape() noexcept { return codec_shape; }
};
template <Format Only, class T>
struct CodedShape<InFormat<Only>, T> {
    static const TypeShape& shape() noexcept { return detail::shape<T>; }
};

/// A value that is read and written by C instead of the codec of its type.
template <class C, class T>
struct Coded {
    T value = {};
};
/// A value of somebody else that is written by C.
template <class C, class T>
struct CodedView {
    const T& value;
};

}  // namespace detail

template <class C, class T>
struct Codec<detail::Coded<C, T>>
    : detail::CodecContentType<C>, detail::CodecSchemaFormat<C>, detail::CodedShape<C, T> {
    static void encode(const detail::Coded<C, T>& coded, Buffer& out)
        requires detail::EncodesWith<C, T>
    {
        C::encode(coded.value, out);
    }
    static Expected<void> decode(Bytes in, detail::Coded<C, T>& out)
        requires detail::DecodesWith<C, T>
    {
        return C::decode(in, out.value);
    }
};

template <class C, class T>
struct Codec<detail::CodedView<C, T>> : detail::CodecContentType<C> {
    static void encode(const detail::CodedView<C, T>& coded, Buffer& out)
        requires detail::EncodesWith<C, T>
    {
        C::encode(coded.value, out);
    }
};

/// Has one message written by the codec C instead of that of its type: `broker.publish("orders.csv",
/// coded<Csv>(order))`. C has `static void encode(const T&, Buffer&)` and, if it is sent, `static constexpr
/// std::string_view content_type`. Refers to `value`, so use it in the call.
template <class C, class T>
detail::CodedView<C, T> coded(const T& value) noexcept {
    static_assert(
        detail::EncodesWith<C, T>,
        "freshet: this codec cannot write the value: it needs static void encode(const T&, freshet::Buffer&). "
        "See docs/codecs.md#a-codec-for-one-subscriber-or-publisher");
    return {value};
}

/// A codec for one subscriber or publisher that uses a single format, whatever the broker's is and whether a message
/// says its format or not: `.codec<InFormat<Format::messagepack>>()`.
template <Format Only>
struct InFormat {
    static constexpr std::string_view content_type = freshet::content_type(Only);

    template <class T>
        requires(Encodable<T> && !detail::RawSource<T>)
    static void encode(const T& value, Buffer& out) {
        detail::encode_body(value, Only, out);
    }
    template <class T>
        requires(Decodable<T> && !detail::RawSource<T>)
    static Expected<void> decode(Bytes in, T& out) {
        return detail::decode_body({in, false}, content_type, out);
    }
};

}  // namespace freshet
