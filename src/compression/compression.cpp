// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/compression.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <utility>

#include <freshet/batch.hpp>
#include <freshet/detail/batch_handler.hpp>
#include <freshet/detail/buffer_lease.hpp>
#include <freshet/detail/handler.hpp>
#include <freshet/headers.hpp>

#include "base/header_text.hpp"
#include "base/quoted.hpp"
#include "compression/codecs.hpp"

namespace freshet {
namespace {

constexpr const char* encoding_header = "content-encoding";
constexpr const char* accept_header = "accept-encoding";
constexpr int code_too_large = 413;
constexpr int code_unknown_encoding = 415;

std::optional<ContentEncoding> known_encoding(std::string_view name) {
    for (const auto encoding : {ContentEncoding::zstd, ContentEncoding::gzip, ContentEncoding::deflate})
        if (detail::same_but_case(name, to_string(encoding))) return encoding;
    if (detail::same_but_case(name, "x-gzip")) return ContentEncoding::gzip;
    return std::nullopt;
}

/// Returns the content encoding that a message names; an empty text if it is not compressed.
std::string_view encoding_of(const Message& message) {
    if (message.payload().empty()) return {};
    const auto name = detail::without_blanks(message.header(encoding_header).value_or(std::string_view{}));
    return detail::same_but_case(name, "identity") ? std::string_view{} : name;
}

/// Returns true if a list such as `gzip, zstd;q=0.5` has the encoding. A weight of 0 excludes one (RFC 9110, 12.4.2).
bool accepts(std::string_view list, ContentEncoding encoding) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const auto one = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        const auto semicolon = std::min(one.find(';'), one.size());
        if (!detail::same_but_case(detail::without_blanks(one.substr(0, semicolon)), to_string(encoding))) continue;
        const auto weight = detail::without_blanks(one.substr(std::min(semicolon + 1, one.size())));
        return !weight.starts_with("q=0") || weight.find_first_of("123456789") != std::string_view::npos;
    }
    return false;
}

Expected<void> expand_body(ContentEncoding encoding, Bytes body, std::size_t max, Buffer& into) {
    return encoding == ContentEncoding::zstd ? detail::zstd_decompress(body, max, into)
                                             : detail::zlib_decompress(body, max, into);
}

/// Decompresses the body of a message into an empty buffer. Errors say which message it was.
Expected<void> decompress_body(const Message& message, std::string_view name, std::size_t max, Buffer& into) {
    const auto what = "the body of a message on " + detail::quoted(message.subject());
    const auto encoding = known_encoding(name);
    if (!encoding)
        return std::unexpected{
            RemoteError{code_unknown_encoding,
                        what + " has the content-encoding " + detail::quoted(name) + "; use zstd, gzip or deflate"}};
    auto done = expand_body(*encoding, message.payload(), max, into);
    if (done) return done;
    if (done.error().code() == Errc::payload_too_large)
        return std::unexpected{RemoteError{code_too_large, what + " expands to more than the " + std::to_string(max) +
                                                               " bytes that are allowed"}};
    return failure(Errc::bad_payload, what + " does not decompress as " + to_string(*encoding) + ": " +
                                          std::string{done.error().message()});
}

/// The delivery of this thread whose body an outer Compression has already decompressed; null: none.
thread_local const Context* decompressed = nullptr;

class Decompressed {
public:
    explicit Decompressed(const Context& context) noexcept : outer_{std::exchange(decompressed, &context)} {}
    Decompressed(const Decompressed&) = delete;
    Decompressed& operator=(const Decompressed&) = delete;
    ~Decompressed() { decompressed = outer_; }

private:
    const Context* outer_;
};

Outcome run_batch(Context& context, Items& items, Next next, std::size_t max) {
    std::deque<Buffer> bodies;  // deques do not move their elements, to which the messages refer
    std::deque<detail::BodyScope> scopes;
    for (std::size_t i = 0; i < items.size(); ++i) {
        auto& message = detail::message_of(items[i]);
        const auto name = encoding_of(message);
        if (name.empty()) continue;
        auto done = decompress_body(message, name, max, bodies.emplace_back());
        if (done) scopes.emplace_back(message, bodies.back().bytes());
        else detail::rejection(items[i]) = std::move(done).error();
    }
    const Decompressed mark{context};
    return next(context);
}

}  // namespace

const char* to_string(ContentEncoding encoding) noexcept {
    switch (encoding) {
        case ContentEncoding::gzip: return "gzip";
        case ContentEncoding::deflate: return "deflate";
        default: return "zstd";
    }
}

Compression::Compression(const CompressionOptions& options) : options_{options} {
    const auto [least, most] =
        options.encoding == ContentEncoding::zstd ? detail::zstd_levels() : detail::zlib_levels();
    if (options.level && (*options.level < least || *options.level > most))
        raise({Errc::bad_setup, "CompressionOptions::level is " + std::to_string(*options.level) + "; for " +
                                    to_string(options.encoding) + " it is from " + std::to_string(least) + " to " +
                                    std::to_string(most)});
    // The byte beyond max_size must be countable, too.
    options_.max_size = std::min(options_.max_size, std::string{}.max_size() - 1);
}

Outcome Compression::operator()(Context& context, Next next) const {
    if (decompressed == &context) return next(context);
    if (auto* items = context.get<Items>()) return run_batch(context, *items, std::move(next), options_.max_size);
    const auto& message = context.message();
    const auto name = encoding_of(message);
    if (name.empty()) return next(context);
    const detail::BufferLease body;
    if (auto done = decompress_body(message, name, options_.max_size, *body); !done)
        return context.reject(std::move(done).error());
    const Decompressed mark{context};
    return next(context, body->bytes());
}

Expected<void> Compression::operator()(Outgoing& out, NextPublish next) const {
    const auto asker_reads = [&] {
        return out.kind != Outgoing::Kind::reply ||
               (out.delivery != nullptr &&
                accepts(out.delivery->message().header(accept_header).value_or(std::string_view{}), options_.encoding));
    };
    if (out.body.size() < options_.min_size || out.headers.get(encoding_header) || !asker_reads()) return next(out);
    const detail::BufferLease packed;
    switch (options_.encoding) {
        case ContentEncoding::zstd: detail::zstd_compress(out.body, options_.level, *packed); break;
        case ContentEncoding::gzip:
            detail::zlib_compress(out.body, detail::ZlibFormat::gzip, options_.level, *packed);
            break;
        case ContentEncoding::deflate:
            detail::zlib_compress(out.body, detail::ZlibFormat::zlib, options_.level, *packed);
            break;
    }
    if (packed->size() >= out.body.size()) return next(out);
    out.headers.set(encoding_header, to_string(options_.encoding));
    const auto plain = std::exchange(out.body, packed->bytes());
    auto sent = next(out);
    out.body = plain;
    return sent;
}

Expected<Message> Compression::decompress(Message message) const {
    const auto name = encoding_of(message);
    if (name.empty()) return message;
    const detail::BufferLease body;
    if (auto done = decompress_body(message, name, options_.max_size, *body); !done)
        return std::unexpected{std::move(done).error()};
    auto headers = message.headers();
    headers.erase(encoding_header);
    return Message::make(message.subject(), body->bytes(), headers, message.reply_to());
}

}  // namespace freshet
