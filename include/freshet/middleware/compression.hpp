// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <freshet/buffer.hpp>
#include <freshet/context.hpp>
#include <freshet/error.hpp>
#include <freshet/message.hpp>
#include <freshet/middleware.hpp>

// Needs the target freshet::compression, which brings zlib and zstd.

namespace freshet {

/// How a body is compressed, with the names that HTTP uses in the header `content-encoding` (RFC 9110).
enum class ContentEncoding : std::uint8_t {
    zstd,     ///< RFC 8878: the fastest, and as a rule the smallest
    gzip,     ///< zlib, in the format of gzip (RFC 1952): the most widely supported
    deflate,  ///< zlib, in its own format (RFC 1950)
};

/// Returns "zstd", "gzip" or "deflate".
const char* to_string(ContentEncoding encoding) noexcept;

/// Options of Compression.
struct CompressionOptions {
    ContentEncoding encoding = ContentEncoding::zstd;  ///< for sending; received bodies may have any encoding
    std::size_t min_size = 1'024;                      ///< bytes; smaller bodies are sent as they are
    std::optional<int> level =
        {};  ///< zstd: up to 22, also below 0; zlib: 0 to 9. Default: 3 and 6, the libraries' own
    /// Most bytes that a body may expand to, so that a small message cannot take all memory. A larger one is rejected.
    std::size_t max_size = std::size_t{64} << 20;
};

/// Compresses bodies that you send and decompresses those that you receive:
/// `Compression compression; broker.use(compression).use_publish(compression);`
///
/// As a middleware of deliveries it shows inner middlewares and the handler the decompressed body; the headers stay. It
/// leaves messages without `content-encoding` alone. A body that does not decompress is rejected as undecodable, one
/// that would expand beyond max_size with code 413, an encoding that is none of the three with code 415. In a batch
/// this holds for each message.
///
/// As a publish middleware it compresses bodies of min_size and more and adds the header `content-encoding`. It leaves
/// a body alone that would not get smaller, or that has the header already. It compresses an answer only if the
/// request's header `accept-encoding` names the encoding. Declare it last, so that the other publish middlewares see
/// the plain body.
///
/// Copies have the same options. Thread-safe. Allocates nothing per message once a thread's buffers have grown.
class Compression {
public:
    /// Throws Errc::bad_setup for a level that the encoding does not have.
    explicit Compression(const CompressionOptions& options = {});

    Outcome operator()(Context& context, Next next) const;
    Expected<void> operator()(Outgoing& out, NextPublish next) const;

    /// Returns the message with its body decompressed: a copy, or the message itself if it is not compressed. Use it
    /// for messages that pass no middleware, such as answers and fetched messages.
    Expected<Message> decompress(Message message) const;

private:
    CompressionOptions options_;
};

}  // namespace freshet
