// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "codec/json_document.hpp"

namespace freshet::detail {

/// The part that the parsers of MessagePack and CBOR share. A function that may fail returns whether it succeeded.
class BinaryParser {
public:
    BinaryParser(JsonDocument& document, std::string_view format) noexcept
        : document_{document}, format_{format}, at_{document.input.data()}, end_{at_ + document.input.size()} {}

protected:
    ~BinaryParser() = default;

    /// Fails with `what`, at the last byte taken.
    bool fail_behind(std::string_view what);
    bool at_end() const noexcept { return at_ == end_; }
    bool is_next(unsigned char byte) const noexcept { return at_ != end_ && static_cast<unsigned char>(*at_) == byte; }

    /// Takes the next `size` bytes.
    bool take(std::uint64_t size, std::string_view& bytes) {
        if (size > static_cast<std::size_t>(end_ - at_)) return fail_at_end();
        bytes = {at_, static_cast<std::size_t>(size)};
        at_ += size;
        return true;
    }
    /// Takes an unsigned number of `size` bytes, at most 8, the highest byte first.
    bool take_number(int size, std::uint64_t& value) {
        if (size > end_ - at_) return fail_at_end();
        value = 0;
        for (; size > 0; --size) value = value << 8 | static_cast<unsigned char>(*at_++);
        return true;
    }
    bool take_byte(unsigned& byte) {
        if (at_ == end_) return fail_at_end();
        byte = static_cast<unsigned char>(*at_++);
        return true;
    }

    void add_integer(std::int64_t value);
    void add_real(double value) { document_.add({.kind = JsonKind::real, .real = value}); }
    bool add_text(std::string_view text);
    bool add_text(JsonNode::Range range, std::string_view text);
    bool add_binary(std::uint64_t size);

    /// Adds an array or object of `count` elements or members; without a count, of all before the byte 0xff. `item`
    /// reads and adds one value.
    template <class Item>
    bool add_container(JsonKind kind, std::optional<std::uint64_t> count, Item item) {
        const auto node = document_.nodes.size();
        if (!document_.open(kind)) return false;
        std::uint64_t done = 0;
        for (; count ? done < *count : !is_next(0xff); ++done) {
            const auto key = document_.nodes.size();
            if (!item()) return false;
            if (kind != JsonKind::object) continue;
            if (document_.nodes[key].kind != JsonKind::text && !make_key(key)) return false;
            if (!item()) return false;
        }
        if (!count) ++at_;  // behind 0xff
        document_.close(node, done);
        return true;
    }

    JsonDocument& document_;

private:
    /// Makes the node a key, which is a text: an integer becomes the text that JSON has in its place.
    bool make_key(std::size_t node);

    bool fail_at_end();

    std::string_view format_;
    const char* at_;
    const char* const end_;
};

}  // namespace freshet::detail
