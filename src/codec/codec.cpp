// SPDX-License-Identifier: Apache-2.0
#include <freshet/codec.hpp>

#include <exception>

#include <fmt/format.h>

#include "base/error_state.hpp"
#include "base/exception_text.hpp"
#include "base/header_text.hpp"
#include "base/quoted.hpp"

namespace freshet {
namespace {

/// Returns a content type without its parameters: `application/json` of `application/json; charset=utf-8`.
std::string_view media_type(std::string_view content_type) noexcept {
    return detail::without_blanks(content_type.substr(0, content_type.find(';')));
}

struct Name {
    std::string_view text;
    Format format;
};

constexpr Name types[] = {
    {"application/json", Format::json},
    {"text/json", Format::json},
    {"application/msgpack", Format::messagepack},
    {"application/x-msgpack", Format::messagepack},
    {"application/vnd.msgpack", Format::messagepack},
    {"application/cbor", Format::cbor},
};

/// Suffixes that name a format, as in `application/problem+json` (RFC 6839).
constexpr Name suffixes[] = {{"+json", Format::json}, {"+msgpack", Format::messagepack}, {"+cbor", Format::cbor}};

}  // namespace

std::optional<Format> format_of(std::string_view content_type) noexcept {
    const std::string_view type = media_type(content_type);
    if (type.empty()) return Format::json;
    for (const auto& name : types) {
        if (detail::same_but_case(type, name.text)) return name.format;
    }
    for (const auto& suffix : suffixes) {
        if (type.size() > suffix.text.size() &&
            detail::same_but_case(type.substr(type.size() - suffix.text.size()), suffix.text))
            return suffix.format;
    }
    return std::nullopt;
}

namespace detail {

Expected<Format> body_format(std::string_view content_type) {
    if (content_type.empty()) return Format::json;
    if (const auto format = format_of(content_type)) return *format;
    auto wrong = fmt::format("content-type {} is not JSON, MessagePack or CBOR", quoted(content_type));
    return std::unexpected{with_text_for_callers(
        Errc::bad_payload, wrong + "; take the body as std::string, or specialise freshet::Codec for its type", wrong)};
}

Error decode_exception() noexcept {
    const auto thrown = exception_error();
    if (ErrorAccess::state(thrown).thrown == nullptr) return thrown;
    try {
        return ErrorAccess::make(Errc::bad_payload, ErrorAccess::state(thrown));
    } catch (...) { return thrown; }  // no memory
}

Expected<ErrorBody> body_of(const Error& error) {
    const auto& state = ErrorAccess::state(error);
    if (state.body) return ErrorBody{*state.body, state.content_type};
    if (state.value.encode == nullptr) {
        return failure(Errc::bad_payload,
                       fmt::format("body of an error: it has none; ask has_body() first: {}", error.message()));
    }
    try {
        Buffer out;
        std::string type{state.value.encode(state.value.value.get(), Format::json, out)};
        return ErrorBody{std::move(out.string()), std::move(type)};
    } catch (...) { return std::unexpected{decode_exception()}; }
}

std::string_view content_type_of(const Message& message) { return message.header("content-type").value_or(""); }

void decode_raw(Bytes in, Bytes& out) { out = in; }
void decode_raw(Bytes in, std::string_view& out) { out = as_text(in); }
void decode_raw(Bytes in, std::string& out) { out = as_text(in); }
void decode_raw(Bytes in, std::vector<std::byte>& out) { out.assign(in.begin(), in.end()); }

}  // namespace detail
}  // namespace freshet
