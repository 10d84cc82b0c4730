// SPDX-License-Identifier: Apache-2.0
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <new>

#include "compression/codecs.hpp"

namespace freshet::detail {
namespace {

struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

template <class T>
T& require(const std::unique_ptr<T, Free>& context) {
    if (context == nullptr) throw std::bad_alloc{};
    return *context;
}

// Returns the context of this thread, which is used again for each message: making one costs more than compressing a
// message.
ZSTD_CCtx& compressor() {
    thread_local const std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
    return require(context);
}
ZSTD_DCtx& decompressor() {
    thread_local const std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
    return require(context);
}

/// Returns the logarithm of the largest window that a frame may ask for: enough for `max` bytes, but at least the size
/// that every decoder has to allow (RFC 8878, 3.1.1.1.2).
int window_log(std::size_t max) {
    constexpr int least = 23;
    constexpr int most = 27;
    return std::clamp(static_cast<int>(std::bit_width(max)), least, most);
}

}  // namespace

LevelRange zstd_levels() noexcept { return {ZSTD_minCLevel(), ZSTD_maxCLevel()}; }

void zstd_compress(Bytes body, std::optional<int> level, Buffer& into) {
    auto& text = into.string();
    text.resize(ZSTD_compressBound(body.size()));
    const auto size = ZSTD_compressCCtx(&compressor(), text.data(), text.size(), body.data(), body.size(),
                                        level.value_or(ZSTD_CLEVEL_DEFAULT));
    if (ZSTD_isError(size) != 0)
        raise({Errc::bad_payload, std::string{"cannot compress a body with zstd: "} + ZSTD_getErrorName(size)});
    text.resize(size);
}

Expected<void> zstd_decompress(Bytes body, std::size_t max, Buffer& into) {
    auto& context = decompressor();
    ZSTD_DCtx_reset(&context, ZSTD_reset_session_and_parameters);
    ZSTD_DCtx_setParameter(&context, ZSTD_d_windowLogMax, window_log(max));
    const auto told = ZSTD_getFrameContentSize(body.data(), body.size());
    const bool known = told != ZSTD_CONTENTSIZE_UNKNOWN && told != ZSTD_CONTENTSIZE_ERROR;
    if (known && told > max) return failure(Errc::payload_too_large, "it expands to more");
    ZSTD_inBuffer in{body.data(), body.size(), 0};
    return expand(into, known ? told + 1 : 0, max, [&](std::span<char> room) -> Expected<Expanded> {
        ZSTD_outBuffer out{room.data(), room.size(), 0};
        const auto left = ZSTD_decompressStream(&context, &out, &in);
        if (ZSTD_isError(left) != 0) return failure(Errc::bad_payload, ZSTD_getErrorName(left));
        const bool read = in.pos == in.size;
        return Expanded{
            .written = out.pos, .done = read && left == 0, .starved = read && left != 0 && out.pos < out.size};
    });
}

}  // namespace freshet::detail
