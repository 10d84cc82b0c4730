// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "codec/json_binary_parser.hpp"

// CBOR: RFC 8949. An item is a head (major type and a number) and, for some types, content. Tags are skipped.
namespace freshet::detail {
namespace {

/// Returns the value of a floating-point number of 16 bits.
double half(std::uint64_t bits) {
    const auto exponent = static_cast<int>(bits >> 10 & 0x1f);
    const auto mantissa = static_cast<double>(bits & 0x3ff);
    double value = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
    if (exponent == 31) {
        value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    }
    return (bits & 0x8000) != 0 ? -value : value;
}

class CborParser final : BinaryParser {
public:
    explicit CborParser(JsonDocument& document) noexcept : BinaryParser{document, "CBOR"} {}

    bool parse() {
        if (!item()) return false;
        unsigned byte = 0;
        return at_end() || (take_byte(byte) && fail_behind("expected end of input"));
    }

private:
    enum Major : unsigned { natural, negative, binary, text, array, object, tag, simple };
    struct Head {
        unsigned major = natural;
        unsigned info = 0;  // how the number is encoded
        std::uint64_t number = 0;

        bool is_indefinite() const noexcept { return info == 31; }
    };

    bool item();
    bool head(Head& head);
    bool negative_number(std::uint64_t number);
    bool pieces(unsigned major);
    bool simple_value(const Head& head);
    bool container(JsonKind kind, const Head& head) {
        return add_container(kind, head.is_indefinite() ? std::nullopt : std::optional{head.number},
                             [this] { return item(); });
    }
};

bool CborParser::head(Head& head) {
    unsigned first = 0;
    if (!take_byte(first)) return false;
    head = {.major = first >> 5, .info = first & 0x1f, .number = first & 0x1f};
    if (head.info < 24) return true;
    if (head.info < 28) return take_number(1 << (head.info - 24), head.number);
    const bool may_be_indefinite = binary <= head.major && head.major <= object;
    return (head.is_indefinite() && may_be_indefinite) || fail_behind("this byte cannot begin a value in CBOR");
}

bool CborParser::item() {
    Head head;
    do {
        if (!this->head(head)) return false;
    } while (head.major == tag);
    std::string_view bytes;
    switch (head.major) {
        case natural: document_.add({.kind = JsonKind::natural, .natural = head.number}); return true;
        case negative: return negative_number(head.number);
        case binary: return head.is_indefinite() ? pieces(binary) : add_binary(head.number);
        case text: return head.is_indefinite() ? pieces(text) : take(head.number, bytes) && add_text(bytes);
        case array: return container(JsonKind::array, head);
        case object: return container(JsonKind::object, head);
        default: return simple_value(head);
    }
}

/// Adds the number -1 - `number`. A number that 64 bits cannot hold is kept as its digits.
bool CborParser::negative_number(std::uint64_t number) {
    if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        document_.add({.kind = JsonKind::integer, .integer = -1 - static_cast<std::int64_t>(number)});
        return true;
    }
    const std::string digits =
        number == std::numeric_limits<std::uint64_t>::max() ? "18446744073709551616" : fmt::to_string(number + 1);
    document_.add({.kind = JsonKind::decimal, .range = document_.store("-" + digits)});
    return true;
}

/// Reads a text, or bytes, that comes in pieces up to the byte 0xff.
bool CborParser::pieces(unsigned major) {
    const auto offset = document_.text.size();
    while (!is_next(0xff)) {
        Head head;
        std::string_view piece;
        if (!this->head(head)) return false;
        if (head.major != major || head.is_indefinite())
            return fail_behind("a piece of a string has another type than the string");
        if (!take(head.number, piece)) return false;
        document_.text.append(piece);
    }
    unsigned end = 0;
    if (!take_byte(end)) return false;
    const auto range = document_.in_text(offset);
    if (major == text) return add_text(range, std::string_view{document_.text}.substr(offset));
    document_.add({.kind = JsonKind::binary, .range = range});
    return true;
}

bool CborParser::simple_value(const Head& head) {
    switch (head.info) {
        case 20:
        case 21: document_.add({.kind = JsonKind::boolean, .boolean = head.info == 21}); return true;
        case 22:
        case 23: document_.add({}); return true;  // null and undefined
        case 25: add_real(half(head.number)); return true;
        case 26: add_real(double{std::bit_cast<float>(static_cast<std::uint32_t>(head.number))}); return true;
        case 27: add_real(std::bit_cast<double>(head.number)); return true;
        default: break;
    }
    if (head.info == 24 && head.number < 32) return fail_behind("a simple value below 32 is encoded in two bytes");
    document_.add({.kind = JsonKind::binary, .range = document_.in_input(document_.input.substr(0, 0))});
    return true;  // a simple value without a meaning: as empty bytes, which no type reads
}

}  // namespace

bool parse_cbor(JsonDocument& document) { return CborParser{document}.parse(); }

}  // namespace freshet::detail
