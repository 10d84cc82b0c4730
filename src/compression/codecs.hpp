// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include <freshet/buffer.hpp>
#include <freshet/error.hpp>

namespace freshet::detail {

/// The result of one step of a decoder in the room that it was given.
struct Expanded {
    std::size_t written = 0;
    bool done = false;     ///< the input was read to its end, and the compressed data is complete
    bool starved = false;  ///< the input was read to its end, and the compressed data is not complete
};

/// Calls `step` until the decoder is done. `expected` is the probable size of the result, `max` the largest allowed.
/// Returns Errc::payload_too_large if there is more than `max`.
Expected<void> expand(Buffer& into, std::size_t expected, std::size_t max,
                      const std::function<Expected<Expanded>(std::span<char> room)>& step);

/// Compresses `body` into an empty buffer. Without a level, the default of the library counts. Throws Error.
void zstd_compress(Bytes body, std::optional<int> level, Buffer& into);
/// Decompresses `body` into an empty buffer, up to `max` bytes.
Expected<void> zstd_decompress(Bytes body, std::size_t max, Buffer& into);

enum class ZlibFormat : std::uint8_t { zlib, gzip };
/// Compresses `body` into an empty buffer. Without a level, the default of the library counts. Throws Error.
void zlib_compress(Bytes body, ZlibFormat format, std::optional<int> level, Buffer& into);
/// Decompresses `body`, in either format, into an empty buffer, up to `max` bytes.
Expected<void> zlib_decompress(Bytes body, std::size_t max, Buffer& into);

struct LevelRange {
    int least;
    int most;
};
LevelRange zstd_levels() noexcept;
LevelRange zlib_levels() noexcept;

}  // namespace freshet::detail
