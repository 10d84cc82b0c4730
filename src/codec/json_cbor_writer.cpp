// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <limits>

#include "codec/json_writers.hpp"

// CBOR: RFC 8949. An item is a head (major type and a number) and, for some types, content.
namespace freshet::detail {

/// Writes a head. Makes room for it and for `content` bytes behind it.
void CborWriter::head(unsigned major, std::uint64_t value, std::size_t content) {
    const auto first = static_cast<char>(major << 5);
    out_.reserve(content + 9);
    if (value < 24) {
        out_.put(static_cast<char>(first | static_cast<char>(value)));
        return;
    }
    int log_size = 0;
    if (value > std::numeric_limits<std::uint8_t>::max()) ++log_size;
    if (value > std::numeric_limits<std::uint16_t>::max()) ++log_size;
    if (value > std::numeric_limits<std::uint32_t>::max()) ++log_size;
    out_.put(static_cast<char>(first | static_cast<char>(24 + log_size)));
    out_.put_big_endian(value, 1 << log_size);
}

void CborWriter::null() { head(7, 22); }
void CborWriter::boolean(bool value) { head(7, value ? 21 : 20); }
void CborWriter::integer(std::int64_t value) {
    if (value < 0) head(1, ~static_cast<std::uint64_t>(value));
    else head(0, static_cast<std::uint64_t>(value));
}
void CborWriter::natural(std::uint64_t value) { head(0, value); }
bool CborWriter::real(double value) {
    out_.reserve(9);
    out_.put('\xfb');
    out_.put_big_endian(std::bit_cast<std::uint64_t>(value), 8);
    return true;
}
bool CborWriter::real(float value) {
    out_.reserve(5);
    out_.put('\xfa');
    out_.put_big_endian(std::bit_cast<std::uint32_t>(value), 4);
    return true;
}

bool CborWriter::text(std::string_view value) {
    if (!check_text(*this, value)) return false;
    plain_key(value);
    return true;
}
void CborWriter::plain_key(std::string_view name) {
    head(3, name.size(), name.size());
    out_.put(name);
}
bool CborWriter::binary(Bytes value) {
    head(2, value.size(), value.size());
    out_.put(as_text(value));
    return true;
}

void CborWriter::open_array(std::size_t size) { head(4, size); }
void CborWriter::open_object(std::size_t size) { head(5, size); }

}  // namespace freshet::detail
