// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "codec/json_text.hpp"
#include "codec/json_writers.hpp"

namespace freshet::detail {
namespace {

/// How to write a byte within quotes: 0: as it is, u: as \u00XX, else as a backslash and this character.
constexpr auto escapes = [] {
    std::array<char, 256> table{};
    for (std::size_t c = 0; c < 0x20; ++c) table[c] = 'u';
    table['"'] = '"';
    table['\\'] = '\\';
    table['\b'] = 'b';
    table['\f'] = 'f';
    table['\n'] = 'n';
    table['\r'] = 'r';
    table['\t'] = 't';
    return table;
}();
char escape_of(char c) noexcept { return escapes[static_cast<unsigned char>(c)]; }

constexpr std::size_t longest_number = 32;

char* write_whole(char* at, std::uint64_t value) {
    const fmt::format_int digits{value};
    return copy_text(at, {digits.data(), digits.size()});
}

/// Writes a number of at most 15 digits of which one or two stand behind the point, as prices have. No other number of
/// so few digits is as near, so that these digits are the shortest. Returns the end; null for any other number.
char* write_price(char* at, double value) {
    const double magnitude = std::abs(value);
    if (FLT_EVAL_METHOD != 0 || !(magnitude < 1e13)) return nullptr;
    const auto cents = static_cast<std::int64_t>(magnitude * 100 + 0.5);
    const auto whole = cents / 100;
    const auto rest = static_cast<int>(cents % 100);
    if (rest == 0 || static_cast<double>(cents) / 100 != magnitude) return nullptr;
    if (value < 0) *at++ = '-';
    at = write_whole(at, static_cast<std::uint64_t>(whole));
    *at++ = '.';
    *at++ = static_cast<char>('0' + rest / 10);
    if (rest % 10 != 0) *at++ = static_cast<char>('0' + rest % 10);
    return at;
}

char* write_number(char* at, std::uint64_t value) { return write_whole(at, value); }
char* write_number(char* at, std::int64_t value) {
    if (value >= 0) return write_whole(at, static_cast<std::uint64_t>(value));
    *at++ = '-';
    return write_whole(at, 0 - static_cast<std::uint64_t>(value));
}
char* write_number(char* at, double value) {
    char* const end = write_price(at, value);
    return end != nullptr ? end : std::to_chars(at, at + longest_number, value).ptr;
}
char* write_number(char* at, float value) { return std::to_chars(at, at + longest_number, value).ptr; }

}  // namespace

inline void TextWriter::begin_value(std::size_t size) {
    out_.reserve(size + 1);
    if (comma_) out_.put(',');
    comma_ = true;
}

void TextWriter::token(std::string_view text) {
    begin_value(text.size());
    out_.put(text);
}

void TextWriter::null() { token("null"); }
void TextWriter::boolean(bool value) { token(value ? "true" : "false"); }

template <class Number>
void TextWriter::number(Number value) {
    begin_value(longest_number);
    out_.advance_to(write_number(out_.at(), value));
}
void TextWriter::integer(std::int64_t value) { number(value); }
void TextWriter::natural(std::uint64_t value) { number(value); }
bool TextWriter::real(double value) {
    if (!std::isfinite(value))
        return fail(fmt::format("JSON has no {}; send MessagePack or CBOR, or leave out a std::optional", value));
    number(value);
    return true;
}
bool TextWriter::real(float value) {
    if (!std::isfinite(value)) return real(double{value});
    number(value);
    return true;
}

bool TextWriter::text(std::string_view value) { return quote(value); }
bool TextWriter::binary(Bytes) {
    return fail("JSON cannot carry bytes; send MessagePack or CBOR, or encode them as text");
}

/// Writes a string, with a comma before it if one is due. Leaves room for one more character.
inline bool TextWriter::quote(std::string_view text) {
    begin_value(text.size() + 3);
    out_.put('"');
    const char* from = text.data();
    std::size_t left = text.size();
    for (; left >= 8; left -= 8, from += 8) {
        const Eight eight = load_eight(from);
        if (json_stops(eight) != 0) return escape(text, from);
        std::memcpy(out_.at(), from, 8);
        out_.advance_to(out_.at() + 8);
    }
    const std::string_view rest{from, left};
    if (json_stops(load_few(rest)) != 0) return escape(text, from);
    out_.put(rest);
    out_.put('"');
    return true;
}

/// Writes the rest of a string, from `from` on, in which a character needs an escape or is not ASCII.
bool TextWriter::escape(std::string_view text, const char* from) {
    if (!check_text(*this, text)) return false;
    const char* const end = text.data() + text.size();
    for (;;) {
        constexpr std::size_t longest_escape = 6;
        out_.reserve(static_cast<std::size_t>(end - from) + longest_escape + 2);
        char* at = out_.at();
        for (; end - from >= 8; from += 8, at += 8) {
            std::memcpy(at, from, 8);
            const Eight found = json_escapes(load_eight(from));
            if (found == 0) continue;
            at += std::countr_zero(found) / 8;
            from += std::countr_zero(found) / 8;
            break;
        }
        while (from != end && escape_of(*from) == '\0') *at++ = *from++;
        out_.advance_to(at);
        if (from == end) break;
        const char escape = escape_of(*from);
        out_.put('\\');
        out_.put(escape);
        if (escape == 'u') {
            out_.put("00");
            out_.put(static_cast<char>('0' + *from / 16));
            out_.put("0123456789abcdef"[*from % 16]);
        }
        ++from;
    }
    out_.put('"');
    return true;
}

bool TextWriter::key(std::string_view name) {
    if (!quote(name)) return false;
    out_.put(':');
    comma_ = false;
    return true;
}
void TextWriter::plain_key(std::string_view name) {
    begin_value(name.size() + 3);
    out_.put('"');
    out_.put(name);
    out_.put("\":");
    comma_ = false;
}
bool TextWriter::key(std::int64_t number) { return key(std::string_view{fmt::to_string(number)}); }
bool TextWriter::key(std::uint64_t number) { return key(std::string_view{fmt::to_string(number)}); }

void TextWriter::open_array(std::size_t) { token("["), comma_ = false; }
void TextWriter::close_array() { comma_ = false, token("]"); }
void TextWriter::open_object(std::size_t) { token("{"), comma_ = false; }
void TextWriter::close_object() { comma_ = false, token("}"); }

}  // namespace freshet::detail
