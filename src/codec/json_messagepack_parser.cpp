// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstdint>

#include "codec/json_binary_parser.hpp"

// MessagePack: https://github.com/msgpack/msgpack/blob/master/spec.md. A value begins with a byte that says its type.
namespace freshet::detail {
namespace {

class MessagePackParser final : BinaryParser {
public:
    explicit MessagePackParser(JsonDocument& document) noexcept : BinaryParser{document, "MessagePack"} {}

    bool parse() {
        if (!item()) return false;
        unsigned byte = 0;
        return at_end() || (take_byte(byte) && fail_behind("expected end of input"));
    }

private:
    bool item();
    bool wide_item(unsigned type);

    bool text(std::uint64_t size) {
        std::string_view bytes;
        return take(size, bytes) && add_text(bytes);
    }
    bool array(std::uint64_t count) {
        return add_container(JsonKind::array, count, [this] { return item(); });
    }
    bool object(std::uint64_t count) {
        return add_container(JsonKind::object, count, [this] { return item(); });
    }
    bool natural(int size) {
        std::uint64_t value = 0;
        if (!take_number(size, value)) return false;
        document_.add({.kind = JsonKind::natural, .natural = value});
        return true;
    }
    bool integer(int size) {
        std::uint64_t value = 0;
        if (!take_number(size, value)) return false;
        const int unused = 64 - 8 * size;
        add_integer(static_cast<std::int64_t>(value << unused) >> unused);
        return true;
    }
    bool real(int size) {
        std::uint64_t bits = 0;
        if (!take_number(size, bits)) return false;
        add_real(size == 8 ? std::bit_cast<double>(bits)
                           : double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))});
        return true;
    }
    /// Reads an extension, such as a timestamp, as its bytes: no type is read from one.
    bool extension(std::uint64_t size) {
        unsigned type = 0;
        return take_byte(type) && add_binary(size);
    }
};

bool MessagePackParser::item() {
    unsigned type = 0;
    if (!take_byte(type)) return false;
    if (type < 0x80) return add_integer(type), true;
    if (type < 0x90) return object(type & 0x0f);
    if (type < 0xa0) return array(type & 0x0f);
    if (type < 0xc0) return text(type & 0x1f);
    if (type >= 0xe0) return add_integer(static_cast<std::int64_t>(type) - 0x100), true;
    switch (type) {
        case 0xc0: document_.add({}); return true;
        case 0xc1: return fail_behind("a byte that MessagePack never uses");
        case 0xc2:
        case 0xc3: document_.add({.kind = JsonKind::boolean, .boolean = type == 0xc3}); return true;
        case 0xca: return real(4);
        case 0xcb: return real(8);
        case 0xcc:
        case 0xcd:
        case 0xce:
        case 0xcf: return natural(1 << (type - 0xcc));
        case 0xd0:
        case 0xd1:
        case 0xd2:
        case 0xd3: return integer(1 << (type - 0xd0));
        case 0xd4:
        case 0xd5:
        case 0xd6:
        case 0xd7:
        case 0xd8: return extension(std::uint64_t{1} << (type - 0xd4));
        default: return wide_item(type);
    }
}

/// Reads a value whose size follows the type, in 1, 2 or 4 bytes.
bool MessagePackParser::wide_item(unsigned type) {
    const auto sized = [&](unsigned first, int first_size) {
        std::uint64_t size = 0;
        return std::pair{take_number(first_size << (type - first), size), size};
    };
    if (type <= 0xc6) {
        const auto [taken, size] = sized(0xc4, 1);
        return taken && add_binary(size);
    }
    if (type <= 0xc9) {
        const auto [taken, size] = sized(0xc7, 1);
        return taken && extension(size);
    }
    if (type <= 0xdb) {
        const auto [taken, size] = sized(0xd9, 1);
        return taken && text(size);
    }
    if (type <= 0xdd) {
        const auto [taken, size] = sized(0xdc, 2);
        return taken && array(size);
    }
    const auto [taken, size] = sized(0xde, 2);
    return taken && object(size);
}

}  // namespace

bool parse_messagepack(JsonDocument& document) { return MessagePackParser{document}.parse(); }

}  // namespace freshet::detail
