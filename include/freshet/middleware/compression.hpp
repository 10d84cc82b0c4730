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

/// How a body is compressed, by the names that HTTP gave them (RFC 9110): the header `content-encoding` says it.
enum class ContentEncoding : std::uint8_t {
    zstd,     ///< RFC 8878: the fastest, and as a rule the smallest
    gzip,     ///< zlib's, in gzip's format (RFC 1952): what everybody reads
    deflate,  ///< zlib's own format (RFC 1950)
};

/// "zstd", "gzip", "deflate".
const char* to_string(ContentEncoding encoding) noexcept;

struct CompressionOptions {
    ContentEncoding encoding = ContentEncoding::zstd;  ///< of what is sent; what comes may have any of them
    std::size_t min_size = 1'024;                      ///< bytes; what is smaller is sent as it is
    std::optional<int> level = {};  ///< zstd: up to 22, also below 0; zlib: 0 to 9. Default: the library's, 3 and 6
    /// Bytes that a body may expand to, so that a small message does not take all memory; one that goes beyond is refused.
    std::size_t max_size = std::size_t{64} << 20;
};

/// Compresses what is sent and decompresses what comes: `Compression compression; broker.use(compression).use_publish(compression);`
///
/// As a middleware of deliveries: what is within sees the body as it was before it was compressed; the headers stay. Messages
/// without `content-encoding` are left alone. A body that does not decompress is rejected as undecodable, one that would expand
/// beyond max_size with the code 413, an encoding that is none of the three with 415. In a batch this is done message by message.
///
/// As a publish middleware: bodies of min_size and more get smaller and the header `content-encoding`; those that do not get
/// smaller, or have that header already, are left alone. An answer is compressed only for who says with the header
/// `accept-encoding` that he reads it. Declare it last, so that the others see what is to be compressed.
///
/// Copies are alike. Thread-safe; nothing is allocated per message when a thread's buffers have grown.
class Compression {
public:
    /// Throws Error(Errc::bad_setup) for a level that the encoding does not have.
    explicit Compression(const CompressionOptions& options = {});

    Outcome operator()(Context& context, Next next) const;
    Expected<void> operator()(Outgoing& out, NextPublish next) const;

    /// The message with its body decompressed, if it is compressed: for messages that pass no middleware, such as answers, and
    /// those that are fetched. A copy, unless the message is not compressed.
    Expected<Message> decompress(Message message) const;

private:
    CompressionOptions options_;
};

}  // namespace freshet
