// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <new>
#include <optional>

#include "compression/codecs.hpp"

namespace freshet::detail {
namespace {

constexpr int window_bits = 15;
constexpr int gzip_format = 16;  // this and the next are added to window_bits
constexpr int either_format = 32;
constexpr int memory_level = 8;

Bytef* as_input(Bytes body) noexcept {
    return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(body.data()));  // zlib only reads it
}

/// A stream of zlib that is used again for each message, since making one costs more than compressing a message.
class Deflater {
public:
    Deflater(ZlibFormat format, int level) : format_{format}, level_{level} {
        const int bits = window_bits + (format == ZlibFormat::gzip ? gzip_format : 0);
        if (deflateInit2(&stream_, level, Z_DEFLATED, bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc{};
    }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;
    ~Deflater() { deflateEnd(&stream_); }

    bool is(ZlibFormat format, int level) const noexcept { return format == format_ && level == level_; }

    void compress(Bytes body, Buffer& into) {
        deflateReset(&stream_);
        auto& text = into.string();
        text.resize(deflateBound(&stream_, body.size()));
        stream_.next_in = as_input(body);
        stream_.avail_in = static_cast<uInt>(body.size());
        stream_.next_out = reinterpret_cast<Bytef*>(text.data());
        stream_.avail_out = static_cast<uInt>(text.size());
        if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) raise({Errc::bad_payload, "cannot compress a body with zlib"});
        text.resize(stream_.total_out);
    }

private:
    z_stream stream_ = {};
    ZlibFormat format_;
    int level_;
};

class Inflater {
public:
    Inflater() {
        if (inflateInit2(&stream_, window_bits + either_format) != Z_OK) throw std::bad_alloc{};
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&stream_); }

    void begin(Bytes body) {
        inflateReset(&stream_);
        stream_.next_in = as_input(body);
        stream_.avail_in = static_cast<uInt>(body.size());
    }
    Expected<Expanded> step(std::span<char> room) {
        stream_.next_out = reinterpret_cast<Bytef*>(room.data());
        stream_.avail_out = static_cast<uInt>(room.size());
        const int status = inflate(&stream_, Z_NO_FLUSH);
        const auto written = room.size() - stream_.avail_out;
        if (status == Z_STREAM_END && stream_.avail_in > 0) inflateReset(&stream_);  // gzip may have several members
        else if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return failure(Errc::bad_payload, stream_.msg != nullptr ? stream_.msg : "zlib does not say why");
        const bool read = stream_.avail_in == 0;
        return Expanded{.written = written,
                        .done = read && status == Z_STREAM_END,
                        .starved = read && status != Z_STREAM_END && stream_.avail_out > 0};
    }

private:
    z_stream stream_ = {};
};

}  // namespace

LevelRange zlib_levels() noexcept { return {Z_NO_COMPRESSION, Z_BEST_COMPRESSION}; }

void zlib_compress(Bytes body, ZlibFormat format, std::optional<int> level, Buffer& into) {
    thread_local std::optional<Deflater> deflater;
    const int wanted = level.value_or(Z_DEFAULT_COMPRESSION);
    if (!deflater || !deflater->is(format, wanted)) deflater.emplace(format, wanted);
    deflater->compress(body, into);
}

Expected<void> zlib_decompress(Bytes body, std::size_t max, Buffer& into) {
    thread_local Inflater inflater;
    inflater.begin(body);
    return expand(into, 2 * body.size(), max, [&](std::span<char> room) { return inflater.step(room); });
}

}  // namespace freshet::detail
