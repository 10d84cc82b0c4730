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

/// What one step of a decoder did with the room it was given.
struct Expanded {
    std::size_t written = 0;
    bool done = false;     ///< the input was read to its end, which is the end of what was compressed
    bool starved = false;  ///< it was read to its end, which is not
};

/// Has a decoder take steps until it is done. Errc::payload_too_large if there is more than `max`.
Expected<void> expand(Buffer& into, std::size_t expected, std::size_t max,
                      const std::function<Expected<Expanded>(std::span<char> room)>& step);

/// Appends to an empty buffer. A level that is not given is the library's default.
void zstd_compress(Bytes body, std::optional<int> level, Buffer& into);
Expected<void> zstd_decompress(Bytes body, std::size_t max, Buffer& into);

enum class ZlibFormat : std::uint8_t { zlib, gzip };
void zlib_compress(Bytes body, ZlibFormat format, std::optional<int> level, Buffer& into);
/// Both formats.
Expected<void> zlib_decompress(Bytes body, std::size_t max, Buffer& into);

struct LevelRange {
    int least;
    int most;
};
LevelRange zstd_levels() noexcept;
LevelRange zlib_levels() noexcept;

}  // namespace freshet::detail
