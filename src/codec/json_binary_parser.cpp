// SPDX-License-Identifier: Apache-2.0
#include "codec/json_binary_parser.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "codec/json_text.hpp"

namespace freshet::detail {

bool BinaryParser::fail_behind(std::string_view what) {
    return document_.fail(fmt::format("not valid {} at byte {}: {}", format_, at_ - document_.input.data(), what));
}

bool BinaryParser::fail_at_end() {
    at_ = end_;
    return document_.fail(fmt::format("not valid {} at byte {}: unexpected end of input", format_,
                                      document_.input.size() + 1));
}

void BinaryParser::add_integer(std::int64_t value) {
    if (value < 0) document_.add({.kind = JsonKind::integer, .integer = value});
    else document_.add({.kind = JsonKind::natural, .natural = static_cast<std::uint64_t>(value)});
}

bool BinaryParser::add_text(std::string_view text) { return add_text(document_.in_input(text), text); }

bool BinaryParser::add_text(JsonNode::Range range, std::string_view text) {
    if (!is_ascii(text) && !valid_utf8(text)) return fail_behind("a string is not UTF-8");
    document_.add({.kind = JsonKind::text, .range = range});
    return true;
}

bool BinaryParser::add_binary(std::uint64_t size) {
    std::string_view bytes;
    if (!take(size, bytes)) return false;
    document_.add({.kind = JsonKind::binary, .range = document_.in_input(bytes)});
    return true;
}

bool BinaryParser::make_key(std::size_t node) {
    JsonNode& key = document_.nodes[node];
    switch (key.kind) {
        case JsonKind::natural:
            key = {.kind = JsonKind::text, .range = document_.store(fmt::to_string(key.natural))};
            return true;
        case JsonKind::integer:
            key = {.kind = JsonKind::text, .range = document_.store(fmt::to_string(key.integer))};
            return true;
        default: return fail_behind("a key that is neither a string nor an integer");
    }
}

}  // namespace freshet::detail
