// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <limits>

#include "codec/json_writers.hpp"

namespace freshet::detail {
namespace {

/// The type bytes of a kind of value that has a length; 0: MessagePack has no type byte for that width.
struct Sizes {
    unsigned char fixed;      // type byte that is or'ed with a short length
    std::size_t fixed_limit;  // the first length that is too long for `fixed`; 0: there is no `fixed`
    unsigned char in_1_byte;
    unsigned char in_2_bytes;
    unsigned char in_4_bytes;
};
constexpr Sizes text_sizes{0xa0, 32, 0xd9, 0xda, 0xdb};
constexpr Sizes binary_sizes{0, 0, 0xc4, 0xc5, 0xc6};
constexpr Sizes array_sizes{0x90, 16, 0, 0xdc, 0xdd};
constexpr Sizes map_sizes{0x80, 16, 0, 0xde, 0xdf};

void append_type(JsonOutput& out, unsigned type) {
    out.reserve(1);
    out.put(static_cast<char>(type));
}

void append_number(JsonOutput& out, unsigned type, std::uint64_t value, int size) {
    out.reserve(9);
    out.put(static_cast<char>(type));
    out.put_big_endian(value, size);
}

void append_size(JsonOutput& out, const Sizes& sizes, std::size_t size) {
    if (size < sizes.fixed_limit) append_type(out, sizes.fixed | static_cast<unsigned>(size));
    else if (size <= 0xff && sizes.in_1_byte != 0) append_number(out, sizes.in_1_byte, size, 1);
    else if (size <= 0xffff) append_number(out, sizes.in_2_bytes, size, 2);
    else append_number(out, sizes.in_4_bytes, size, 4);
}

}  // namespace

void MessagePackWriter::null() { append_type(out_, 0xc0); }
void MessagePackWriter::boolean(bool value) { append_type(out_, value ? 0xc3 : 0xc2); }

void MessagePackWriter::natural(std::uint64_t value) {
    if (value < 0x80) append_type(out_, static_cast<unsigned>(value));
    else if (value <= 0xff) append_number(out_, 0xcc, value, 1);
    else if (value <= 0xffff) append_number(out_, 0xcd, value, 2);
    else if (value <= 0xffff'ffff) append_number(out_, 0xce, value, 4);
    else append_number(out_, 0xcf, value, 8);
}

void MessagePackWriter::integer(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    if (value >= 0) natural(bits);
    else if (value >= -32) append_type(out_, static_cast<unsigned char>(bits));
    else if (value >= std::numeric_limits<std::int8_t>::min()) append_number(out_, 0xd0, bits, 1);
    else if (value >= std::numeric_limits<std::int16_t>::min()) append_number(out_, 0xd1, bits, 2);
    else if (value >= std::numeric_limits<std::int32_t>::min()) append_number(out_, 0xd2, bits, 4);
    else append_number(out_, 0xd3, bits, 8);
}

bool MessagePackWriter::real(double value) {
    append_number(out_, 0xcb, std::bit_cast<std::uint64_t>(value), 8);
    return true;
}
bool MessagePackWriter::real(float value) {
    append_number(out_, 0xca, std::bit_cast<std::uint32_t>(value), 4);
    return true;
}

bool MessagePackWriter::text(std::string_view value) {
    if (!check_text(*this, value)) return false;
    plain_key(value);
    return true;
}
void MessagePackWriter::plain_key(std::string_view name) {
    append_size(out_, text_sizes, name.size());
    out_.reserve(name.size());
    out_.put(name);
}
bool MessagePackWriter::binary(Bytes value) {
    append_size(out_, binary_sizes, value.size());
    out_.reserve(value.size());
    out_.put(as_text(value));
    return true;
}

void MessagePackWriter::open_array(std::size_t size) { append_size(out_, array_sizes, size); }
void MessagePackWriter::open_object(std::size_t size) { append_size(out_, map_sizes, size); }

}  // namespace freshet::detail
