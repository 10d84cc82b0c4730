// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/buffer.hpp>
#include <freshet/codec_format.hpp>
#include <freshet/detail/body_variant.hpp>
#include <freshet/detail/json/shape.hpp>
#include <freshet/detail/json/values.hpp>
#include <freshet/error.hpp>
#include <freshet/json.hpp>
#include <freshet/message.hpp>

#ifdef FRESHET_GLAZE
#include <freshet/detail/json/aggregate.hpp>
#endif

namespace freshet {

/// Customisation point: how a T becomes the body of a message. A specialisation takes precedence over every other
/// codec, in both directions.
///
///     template <> struct freshet::Codec<Order> {
///         static void encode(const Order& order, freshet::Buffer& out);
///         static freshet::Expected<void> decode(freshet::Bytes in, Order& out);
///         static constexpr std::string_view content_type = "application/x-protobuf";  // may be left out
///     };
///
/// One of the two functions may be left out. Functions that also take a Format, `encode(const T&, Format, Buffer&)` and
/// `decode(Bytes, Format, T&)`, serve JSON, MessagePack and CBOR, which the content type tells apart. encode writes
/// into an empty buffer and throws Error for a value that it cannot write; decode receives a value-initialised T. Both
/// are called from many threads at once.
/// A `static std::string schema()` tells descriptions (docs/describe.md) what the type is: a JSON Schema (draft-07), or
/// a text in the format that a constant `schema_format` names. It may also stand alone, beside another codec.
template <class T>
struct Codec {};

namespace detail {

#define FRESHET_NO_CODEC                                                                                               \
    "freshet: this type has no codec: add FRESHET_JSON(Type, fields...) in its namespace, link freshet::glaze, "       \
    "include <freshet/nlohmann.hpp> or specialise freshet::Codec<T>. See docs/codecs.md"

template <class T>
concept UserEncodes = requires(const T& value, Buffer& out) { Codec<T>::encode(value, out); };
template <class T>
concept UserEncodesFormats =
    requires(const T& value, Format format, Buffer& out) { Codec<T>::encode(value, format, out); };
template <class T>
concept UserDecodes = requires(Bytes in, T& out) { Codec<T>::decode(in, out); };
template <class T>
concept UserDecodesFormats = requires(Bytes in, Format format, T& out) { Codec<T>::decode(in, format, out); };

template <class T>
concept RawOwner = std::same_as<T, std::string> || std::same_as<T, std::vector<std::byte>>;
template <class T>
concept RawView = std::same_as<T, std::string_view> || std::same_as<T, Bytes>;
/// A view that can be sent, but not received.
template <class T>
concept RawSentView = RawView<T> || std::same_as<std::decay_t<T>, const char*> ||
                      std::same_as<std::decay_t<T>, char*> || std::same_as<T, std::span<std::byte>>;
template <class T>
concept RawSource = RawOwner<T> || RawSentView<T> || std::same_as<T, Borrowed>;

/// The codec that encodes or decodes a T.
enum class CodecKind { none, user, raw, json, alternatives };

template <class T, Direction Way>
consteval CodecKind library_codec() {
    if constexpr (Way == Direction::write ? RawSource<T> : RawOwner<T> || RawView<T>) return CodecKind::raw;
    else if constexpr (std::is_pointer_v<T>) return CodecKind::none;
    else if constexpr (is_json<T, Way>()) return CodecKind::json;
    else return CodecKind::none;
}

template <class T, Direction Way>
consteval CodecKind codec_of();
template <class T, Direction Way>
inline constexpr bool each_has_codec = false;
template <class... Alternatives, Direction Way>
inline constexpr bool each_has_codec<std::variant<Alternatives...>, Way> =
    ((codec_of<Alternatives, Way>() != CodecKind::none) && ...);

template <class T, Direction Way>
consteval CodecKind codec_of() {
    constexpr bool encodes = UserEncodes<T> || UserEncodesFormats<T>;
    constexpr bool decodes = UserDecodes<T> || UserDecodesFormats<T>;
    if constexpr (encodes || decodes)
        return (Way == Direction::write ? encodes : decodes) ? CodecKind::user : CodecKind::none;
    else if constexpr (TriedBody<T>) return each_has_codec<T, Way> ? CodecKind::alternatives : CodecKind::none;
    else return library_codec<T, Way>();
}

}  // namespace detail

/// Satisfied by types that can be sent as a body.
template <class T>
concept Encodable = detail::codec_of<T, detail::Direction::write>() != detail::CodecKind::none;
/// Satisfied by types that can be received as a body.
template <class T>
concept Decodable =
    std::default_initializable<T> && detail::codec_of<T, detail::Direction::read>() != detail::CodecKind::none;

namespace detail {

template <class T, Direction Way>
consteval BodyShape make_body_shape() {
    constexpr CodecKind by = codec_of<T, Way>();
    if constexpr (NamedBody<T>) {
        return {.kind = BodyKind::json, .type = &shape<T>};
    } else if constexpr (by == CodecKind::raw) {
        return {.kind = BodyKind::raw};
    } else if constexpr (by == CodecKind::none) {
        return {};
    } else {
        BodyShape body{.kind = BodyKind::json, .type = &shape<T>};
        if constexpr (by == CodecKind::user && !UserEncodesFormats<T> && !UserDecodesFormats<T>) {
            body.kind = BodyKind::own;
            if constexpr (requires { Codec<T>::content_type; }) body.content_type = Codec<T>::content_type;
        }
        if constexpr (requires { Codec<T>::schema_format; }) body.schema_format = Codec<T>::schema_format;
        return body;
    }
}
/// What the body of a T is, that is received or sent; of kind none for void and for types without a codec.
template <class T, Direction Way>
inline constexpr BodyShape body_shape = make_body_shape<T, Way>();
template <Direction Way>
inline constexpr BodyShape body_shape<void, Way> = {};

/// Returns the format that a content type names, JSON for an empty text; for an unknown type, an error that says what
/// to do.
Expected<Format> body_format(std::string_view content_type);

/// Returns the exception in flight as an error. Must be called in a catch block.
Error decode_exception() noexcept;

/// Returns the content type of a received message; empty if it has none.
std::string_view content_type_of(const Message& message);

template <class T>
bool read_erased(JsonReader& in, const JsonNode& root, void* out) {
    return read_json(in, root, *static_cast<T*>(out));
}
template <class T>
bool write_erased(JsonWriter& out, const void* value) {
    return write_json(out, *static_cast<const T*>(value));
}

void decode_raw(Bytes in, Bytes& out);
void decode_raw(Bytes in, std::string_view& out);
void decode_raw(Bytes in, std::string& out);
void decode_raw(Bytes in, std::vector<std::byte>& out);

/// Encodes without the user's Codec<T>. FRESHET_CODEC_DEFINE puts this into a Codec<T>.
template <class T>
void encode_formatted(const T& value, Format format, Buffer& out) {
    constexpr CodecKind by = library_codec<T, Direction::write>();
    static_assert(by == CodecKind::json, FRESHET_NO_CODEC);
    if constexpr (by == CodecKind::json) write_body(format, out, &write_erased<T>, &value);
}
/// Decodes without the user's Codec<T>. FRESHET_CODEC_DEFINE puts this into a Codec<T>.
template <class T>
Expected<void> decode_formatted(Body in, Format format, T& out) {
    constexpr CodecKind by = library_codec<T, Direction::read>();
    static_assert(by == CodecKind::json, FRESHET_NO_CODEC);
    if constexpr (by == CodecKind::json) return read_body(in, format, &read_erased<T>, &out);
}

/// True if a T is sent as the bytes that it already is.
template <class T>
inline constexpr bool sent_raw = codec_of<T, Direction::write>() == CodecKind::raw;

inline Bytes raw_body(std::string_view text) noexcept { return as_bytes(text); }
inline Bytes raw_body(Bytes bytes) noexcept { return bytes; }
inline Bytes raw_body(const Borrowed& borrowed) noexcept { return borrowed.bytes(); }

/// Writes `value` into `out`, which must be empty, and returns the content type; an empty one for bytes and strings.
/// Throws Error.
template <class T>
std::string_view encode_body(const T& value, Format format, Buffer& out) {
    static_assert(Encodable<T>, FRESHET_NO_CODEC);
    if constexpr (UserEncodesFormats<T>) {
        Codec<T>::encode(value, format, out);
        return content_type(format);
    } else if constexpr (UserEncodes<T>) {
        Codec<T>::encode(value, out);
        if constexpr (requires { Codec<T>::content_type; }) return Codec<T>::content_type;
        else return {};
    } else if constexpr (codec_of<T, Direction::write>() == CodecKind::raw) {
        out.append(raw_body(value));
        return {};
    } else if constexpr (codec_of<T, Direction::write>() == CodecKind::alternatives) {
        return std::visit([&](const auto& alternative) { return encode_body(alternative, format, out); }, value);
    } else if constexpr (Encodable<T>) {
        encode_formatted(value, format, out);
        return content_type(format);
    }
}

/// Reads a body into `out`, which is value-initialised: a member that the body leaves out keeps its value. A view in
/// `out` is valid as long as `in`. Does not throw: exceptions of a codec become errors.
template <class T>
Expected<void> decode_body(Body in, std::string_view content_type, T& out) {
    static_assert(Decodable<T>, FRESHET_NO_CODEC);
    try {
        if constexpr (codec_of<T, Direction::read>() == CodecKind::raw) {
            decode_raw(in.bytes, out);
            return {};
        } else if constexpr (codec_of<T, Direction::read>() == CodecKind::alternatives) {
            return decode_in_turn(in, content_type, &out, body_alternatives<T>);
        } else if constexpr (UserDecodes<T> && !UserDecodesFormats<T>) {
            return Codec<T>::decode(in.bytes, out);
        } else if constexpr (Decodable<T>) {
            const auto format = body_format(content_type);
            if (!format) return std::unexpected{format.error()};
            if constexpr (UserDecodesFormats<T>) return Codec<T>::decode(in.bytes, *format, out);
            else return decode_formatted(in, *format, out);
        }
    } catch (...) { return std::unexpected{decode_exception()}; }
}

}  // namespace detail

/// Decodes the body of a message, or returns an Error, with Errc::bad_payload if the body does not fit T. A view in the
/// result is valid as long as the message.
template <class T>
Expected<T> try_decode(const Message& message) {
    T body{};
    auto done = [&] {
        if constexpr (detail::HeaderBody<T>)
            return detail::decode_named(detail::body_of(message), detail::content_type_of(message), message.subject(),
                                        message.header(detail::body_key<T>.name), body);
        else return detail::decode_body(detail::body_of(message), detail::content_type_of(message), body);
    }();
    if (!done) return std::unexpected{std::move(done).error()};
    return body;
}
/// Decodes the body of a message. A view in the result is valid as long as the message. Throws Error, with
/// Errc::bad_payload if the body does not fit T.
template <class T>
T decode(const Message& message) {
    return value_or_raise(try_decode<T>(message));
}
/// A view of a body would outlive a message that ends with the call.
template <detail::RawView T>
Expected<T> try_decode(Message&&) = delete;
template <detail::RawView T>
T decode(Message&&) = delete;

namespace detail {

/// The type in which an error keeps its body: views of text and bytes would not live until it is answered.
template <class T>
using KeptBody =
    std::conditional_t<std::is_convertible_v<const T&, std::string_view>, std::string,
                       std::conditional_t<std::is_convertible_v<const T&, Bytes>, std::vector<std::byte>, T>>;

template <class T>
ErrorValue error_value(T body) {
    using Kept = KeptBody<T>;
    static_assert(Encodable<Kept>, FRESHET_NO_CODEC);
    ErrorValue made;
    if constexpr (Encodable<Kept>) {
        if constexpr (std::is_same_v<Kept, T>) made.value = std::make_shared<const Kept>(std::move(body));
        else if constexpr (std::is_same_v<Kept, std::string>)
            made.value = std::make_shared<const Kept>(std::string_view{body});
        else made.value = std::make_shared<const Kept>(Bytes{body}.begin(), Bytes{body}.end());
        made.encode = [](const void* value, Format format, Buffer& out) -> std::string_view {
            return encode_body(*static_cast<const Kept*>(value), format, out);
        };
    }
    return made;
}

/// The body of an error.
struct ErrorBody {
    std::string text = {};
    std::string content_type = {};
};
/// Returns a copy of the body of an error; an error if it has none.
Expected<ErrorBody> body_of(const Error& error);

}  // namespace detail

template <class T>
RemoteError::RemoteError(int code, std::string description, T body)
    : RemoteError{code, std::move(description), detail::error_value(std::move(body))} {}

template <class T>
Expected<T> Error::try_body() const {
    static_assert(!detail::RawView<T>, "freshet: a view of the error's body would outlive it; ask for std::string or "
                                       "std::vector<std::byte>. See docs/exceptions.md#bodies");
    static_assert(Decodable<T>, FRESHET_NO_CODEC);
    const auto sent = detail::body_of(*this);
    if (!sent) return std::unexpected{sent.error()};
    T value{};
    auto decoded = detail::decode_body({as_bytes(sent->text), true}, sent->content_type, value);
    if (!decoded) return std::unexpected{std::move(decoded).error()};
    return value;
}
template <class T>
T Error::body() const {
    return value_or_raise(try_body<T>());
}

}  // namespace freshet

/// Declares, in a header at global scope, that the codec of Type is compiled elsewhere, once: source files that include
/// the header do not pay for a JSON library.
#define FRESHET_CODEC_DECLARE(Type)                                                                                    \
    template <>                                                                                                        \
    struct freshet::Codec<Type> {                                                                                      \
        static void encode(const Type& value, ::freshet::Format format, ::freshet::Buffer& out);                       \
        static ::freshet::Expected<void> decode(::freshet::Bytes in, ::freshet::Format format, Type& out);             \
        static const ::freshet::detail::TypeShape& shape() noexcept;                                                   \
    };                                                                                                                 \
    static_assert(true)

/// Compiles, in one source file at global scope, the codec of a Type that FRESHET_CODEC_DECLARE declared, from
/// FRESHET_JSON, nlohmann's conversions or glaze.
#define FRESHET_CODEC_DEFINE(Type)                                                                                     \
    void freshet::Codec<Type>::encode(const Type& value, ::freshet::Format format, ::freshet::Buffer& out) {           \
        ::freshet::detail::encode_formatted(value, format, out);                                                       \
    }                                                                                                                  \
    ::freshet::Expected<void> freshet::Codec<Type>::decode(::freshet::Bytes in, ::freshet::Format format, Type& out) { \
        return ::freshet::detail::decode_formatted(in, format, out);                                                   \
    }                                                                                                                  \
    const ::freshet::detail::TypeShape& freshet::Codec<Type>::shape() noexcept {                                       \
        return ::freshet::detail::library_shape<Type>;                                                                 \
    }                                                                                                                  \
    static_assert(true)
