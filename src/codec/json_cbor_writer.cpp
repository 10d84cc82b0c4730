// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <limits>

#include "codec/json_writers.hpp"

// CBOR: RFC 8949. An item is a head (major type and a number) and, for some types, content.
namespace freshet::detail {

void CborWriter::head(unsigned major, std::uint64_t value) {
    const auto first = static_cast<char>(major << 5);
    if (value < 24) {
        out_.push_back(static_cast<char>(first | static_cast<char>(value)));
        return;
    }
    int log_size = 0;
    if (value > std::numeric_limits<std::uint8_t>::max()) ++log_size;
    if (value > std::numeric_limits<std::uint16_t>::max()) ++log_size;
    if (value > std::numeric_limits<std::uint32_t>::max()) ++log_size;
    out_.push_back(static_cast<char>(first | static_cast<char>(24 + log_size)));
    append_big_endian(out_, value, 1 << log_size);
}

void CborWriter::null() { out_.push_back('\xf6'); }
void CborWriter::boolean(bool value) { out_.push_back(value ? '\xf5' : '\xf4'); }
void CborWriter::integer(std::int64_t value) {
    if (value < 0) head(1, ~static_cast<std::uint64_t>(value));
    else head(0, static_cast<std::uint64_t>(value));
}
void CborWriter::natural(std::uint64_t value) { head(0, value); }
bool CborWriter::real(double value) {
    out_.push_back('\xfb');
    append_big_endian(out_, std::bit_cast<std::uint64_t>(value), 8);
    return true;
}
bool CborWriter::real(float value) {
    out_.push_back('\xfa');
    append_big_endian(out_, std::bit_cast<std::uint32_t>(value), 4);
    return true;
}

bool CborWriter::text(std::string_view value) {
    if (!check_text(*this, value)) return false;
    head(3, value.size());
    out_.append(value);
    return true;
}
bool CborWriter::binary(Bytes value) {
    head(2, value.size());
    out_.append(value);
    return true;
}

void CborWriter::open_array(std::size_t size) { head(4, size); }
void CborWriter::open_object(std::size_t size) { head(5, size); }

}  // namespace freshet::detail
