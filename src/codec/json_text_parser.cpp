// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "base/eight.hpp"
#include "base/utf8.hpp"
#include "codec/json_document.hpp"
#include "codec/json_text.hpp"

// JSON text: RFC 8259, and a byte order mark before it.
namespace freshet::detail {
namespace {

bool is_digit(char c) noexcept { return '0' <= c && c <= '9'; }

bool are_digits(Eight bytes) noexcept {
    return ((bytes & (bytes + eight_of(0x06)) & eight_of(0xf0)) ^ eight_of(0x30)) == 0;
}

/// Returns the words for what begins `rest`, where something else was expected.
std::string_view token_at(std::string_view rest) noexcept {
    if (rest.empty()) return "unexpected end of input";
    switch (rest.front()) {
        case '{': return "unexpected '{'";
        case '}': return "unexpected '}'";
        case '[': return "unexpected '['";
        case ']': return "unexpected ']'";
        case ',': return "unexpected ','";
        case ':': return "unexpected ':'";
        case '"': return "unexpected string literal";
        default: return is_digit(rest.front()) || rest.front() == '-' ? "unexpected number literal" : "invalid literal";
    }
}

/// Parses JSON text. A NUL follows the text and ends every search; a NUL within the text is an error.
/// A function that reads something returns where it ends, or null if it fails.
class TextParser {
public:
    explicit TextParser(JsonDocument& document) noexcept
        : document_{document},
          end_{document.input.data() + document.input.size()},
          last_eight_{document.input.size() < 8 ? nullptr : end_ - 8} {}

    bool parse();

private:
    static const char* skip_blanks(const char* at) noexcept {
        while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') ++at;
        return at;
    }

    [[gnu::cold]] const char* fail_at(const char* at, std::string_view what) {
        document_.fail(fmt::format("not valid JSON at byte {}: {}", at - document_.input.data() + 1, what));
        return nullptr;
    }
    [[gnu::cold]] const char* unexpected(const char* at, std::string_view expected) {
        return fail_at(at,
                       fmt::format("{}; expected {}", token_at({at, static_cast<std::size_t>(end_ - at)}), expected));
    }

    [[gnu::always_inline]] const char* begin_container(const char* at, JsonKind kind, bool& is_begun);
    [[gnu::always_inline]] const char* end_of_value(const char* at);
    [[gnu::always_inline]] const char* key(const char* at);
    [[gnu::always_inline]] const char* string(const char* at);
    [[gnu::always_inline]] const char* number(const char* at);
    const char* decimal(const char* begin, const char* at);
    const char* literal(const char* at, std::string_view name, const JsonNode& node);

    const char* end_of_string(const char* at, bool& has_escapes);
    const char* uncommon_string(const char* begin, const char* at);
    bool unescape(std::string_view raw);
    bool unescape_one(const char*& from, const char* end, char*& to);
    int four_digits(const char* digits) const noexcept;

    static constexpr std::uint32_t none = ~std::uint32_t{0};

    JsonDocument& document_;
    const char* const end_;
    const char* const last_eight_;  // the last place where eight characters can be read at once; null: none
    // The index of the innermost open array or object. While one is open, its span holds the index of the one around
    // it.
    std::uint32_t open_ = none;
};

inline const char* TextParser::string(const char* at) {
    const char* const begin = ++at;
    for (; at <= last_eight_; at += 8) {
        const Eight found = json_stops(load_eight(at));
        if (found == 0) continue;
        at += std::countr_zero(found) / 8;
        if (*at != '"') break;
        const std::string_view text{begin, static_cast<std::size_t>(at - begin)};
        document_.add({.kind = JsonKind::text, .range = document_.in_input(text)});
        return at + 1;
    }
    return uncommon_string(begin, at);
}

inline const char* TextParser::key(const char* at) {
    if (*at != '"') return unexpected(at, document_.nodes[open_].count == 0 ? "a string or '}'" : "a string");
    at = string(at);
    if (at == nullptr) return nullptr;
    if (*at != ':') at = skip_blanks(at);
    return *at == ':' ? at + 1 : unexpected(at, "':'");
}

inline const char* TextParser::begin_container(const char* at, JsonKind kind, bool& is_begun) {
    const auto node = static_cast<std::uint32_t>(document_.nodes.size());
    if (!document_.open(kind)) return nullptr;
    at = skip_blanks(at + 1);
    if (*at == (kind == JsonKind::object ? '}' : ']')) {
        document_.close(node, 0);
        return at + 1;
    }
    document_.nodes[node].span = open_;
    open_ = node;
    is_begun = true;
    return at;
}

/// Reads what follows a value: the ends of the arrays and objects that it completes, and a comma. Returns the place of
/// the next key or value.
inline const char* TextParser::end_of_value(const char* at) {
    while (open_ != none) {
        at = skip_blanks(at);
        JsonNode& container = document_.nodes[open_];
        ++container.count;
        if (*at == ',') return skip_blanks(at + 1);
        const bool is_object = container.kind == JsonKind::object;
        if (*at != (is_object ? '}' : ']')) return unexpected(at, is_object ? "'}'" : "']'");
        ++at;
        const auto around = container.span;
        document_.close(open_, container.count);
        open_ = around;
    }
    return at;
}

inline const char* TextParser::number(const char* at) {
    const char* const begin = at;
    if (*at == '-') ++at;
    const char* const digits = at;
    std::uint64_t magnitude = 0;
    for (; is_digit(*at); ++at) magnitude = magnitude * 10 + static_cast<unsigned>(*at - '0');
    if (at == digits) return fail_at(at, "invalid number; expected digit after '-'");
    if (*digits == '0' && at - digits > 1) at = digits + 1;  // the rest is then a second number, which is an error
    if (*at == '.') {
        const char* const point = at++;
        for (; is_digit(*at); ++at) magnitude = magnitude * 10 + static_cast<unsigned>(*at - '0');
        constexpr std::ptrdiff_t longest = 16;  // 15 digits and the point
        if (*at == 'e' || *at == 'E' || at - point == 1 || at - digits > longest) return decimal(begin, point);
        document_.add({.kind = JsonKind::scaled,
                       .scaled = {.digits = magnitude & ((std::uint64_t{1} << 50) - 1),  // below 10^15
                                  .behind = static_cast<std::uint64_t>(at - point - 1) & 0xf,
                                  .negative = begin != digits}});
        return at;
    }
    if (*at == 'e' || *at == 'E') return decimal(begin, at);
    if (at - digits > 19 && std::from_chars(digits, at, magnitude).ec != std::errc{}) return decimal(begin, at);
    constexpr std::uint64_t lowest = std::uint64_t{1} << 63;
    if (begin == digits) document_.add({.kind = JsonKind::natural, .natural = magnitude});
    else if (magnitude == 0 || magnitude > lowest) return decimal(begin, at);
    else document_.add({.kind = JsonKind::integer, .integer = static_cast<std::int64_t>(0 - magnitude)});
    return at;
}

bool TextParser::parse() {
    const char* at = document_.input.data();
    if (document_.input.starts_with("\xef\xbb\xbf")) at += 3;
    at = skip_blanks(at);
    do {
        if (open_ != none && document_.nodes[open_].kind == JsonKind::object) {
            at = key(at);
            if (at == nullptr) return false;
            at = skip_blanks(at);
        }
        bool is_begun = false;  // true: an array or object begins here, and its first key or element follows
        switch (*at) {
            case '{': at = begin_container(at, JsonKind::object, is_begun); break;
            case '[': at = begin_container(at, JsonKind::array, is_begun); break;
            case '"': at = string(at); break;
            case 't': at = literal(at, "true", {.kind = JsonKind::boolean, .boolean = true}); break;
            case 'f': at = literal(at, "false", {.kind = JsonKind::boolean, .boolean = false}); break;
            case 'n': at = literal(at, "null", {}); break;
            case '-':
            case '0':
            case '1':
            case '2':
            case '3':
            case '4':
            case '5':
            case '6':
            case '7':
            case '8':
            case '9': at = number(at); break;
            default: at = unexpected(at, "'[', '{', or a literal");
        }
        if (at != nullptr && !is_begun) at = end_of_value(at);
    } while (at != nullptr && open_ != none);
    if (at == nullptr) return false;
    at = skip_blanks(at);
    return at == end_ || unexpected(at, "end of input") != nullptr;
}

const char* TextParser::literal(const char* at, std::string_view name, const JsonNode& node) {
    for (const char c : name) {
        if (*at != c) return fail_at(at, "invalid literal");
        ++at;
    }
    document_.add(node);
    return at;
}

/// Keeps a number as it is written, because the type that it is read into decides about its value: a number with an
/// exponent or many digits, and -0.
const char* TextParser::decimal(const char* begin, const char* at) {
    const auto digits = [&] {
        while (at <= last_eight_ && are_digits(load_eight(at))) at += 8;
        while (is_digit(*at)) ++at;
    };
    if (*at == '.') {
        ++at;
        if (!is_digit(*at)) return fail_at(at, "invalid number; expected digit after '.'");
        digits();
    }
    if (*at == 'e' || *at == 'E') {
        ++at;
        if (*at == '+' || *at == '-') ++at;
        if (!is_digit(*at)) return fail_at(at, "invalid number; expected digit in the exponent");
        digits();
    }
    const std::string_view text{begin, static_cast<std::size_t>(at - begin)};
    document_.add({.kind = JsonKind::decimal, .range = document_.in_input(text)});
    return at;
}

/// Returns the closing quote of the string whose rest begins at `at`.
const char* TextParser::end_of_string(const char* at, bool& has_escapes) {
    for (;;) {
        for (; at <= last_eight_; at += 8) {
            const Eight found = json_escapes(load_eight(at));
            if (found == 0) continue;
            at += std::countr_zero(found) / 8;
            break;
        }
        if (at == end_) return fail_at(at, "invalid string: missing closing quote");
        const auto c = static_cast<unsigned char>(*at);
        if (c == '"') return at;
        if (c < 0x20) return fail_at(at, fmt::format("invalid string: control character U+{:04X} must be escaped", c));
        ++at;
        if (c != '\\') continue;
        has_escapes = true;
        if (at != end_) ++at;
    }
}

/// Reads a string with escapes or with more than ASCII, or one near the end of the input.
const char* TextParser::uncommon_string(const char* begin, const char* at) {
    bool has_escapes = false;
    at = end_of_string(at, has_escapes);
    if (at == nullptr) return nullptr;
    const std::string_view raw{begin, static_cast<std::size_t>(at - begin)};
    if (const auto valid = utf8_prefix(raw); valid != raw.size())
        return fail_at(begin + valid, "invalid string: ill-formed UTF-8 byte");
    if (has_escapes) return unescape(raw) ? at + 1 : nullptr;
    document_.add({.kind = JsonKind::text, .range = document_.in_input(raw)});
    return at + 1;
}

/// Returns the number that four hexadecimal digits are; -1 if there are no such digits.
int TextParser::four_digits(const char* digits) const noexcept {
    if (end_ - digits < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = digits[i];
        const int lower = c | 0x20;
        if (is_digit(c)) value = value * 16 + (c - '0');
        else if ('a' <= lower && lower <= 'f') value = value * 16 + (lower - 'a' + 10);
        else return -1;
    }
    return value;
}

/// Reads the escape that the backslash at `from` begins, writes its character to `to` and moves both behind it.
bool TextParser::unescape_one(const char*& from, const char* end, char*& to) {
    const char* const escape = from;
    from += 2;
    switch (escape[1]) {
        case '"':
        case '\\':
        case '/': *to++ = escape[1]; return true;
        case 'b': *to++ = '\b'; return true;
        case 'f': *to++ = '\f'; return true;
        case 'n': *to++ = '\n'; return true;
        case 'r': *to++ = '\r'; return true;
        case 't': *to++ = '\t'; return true;
        case 'u': break;
        default: return fail_at(escape + 1, "invalid string: forbidden character after backslash") != nullptr;
    }
    const int unit = four_digits(from);
    if (unit < 0) return fail_at(escape, "invalid string: '\\u' must be followed by 4 hex digits") != nullptr;
    from += 4;
    auto code = static_cast<std::uint32_t>(unit);
    if (0xd800 <= code && code < 0xe000) {
        const bool is_pair = code < 0xdc00 && end - from >= 6 && from[0] == '\\' && from[1] == 'u';
        const int second = is_pair ? four_digits(from + 2) : -1;
        if (second < 0xdc00 || second > 0xdfff)
            return fail_at(escape, "invalid string: surrogate without the other half of its pair") != nullptr;
        code = 0x10000 + ((code - 0xd800) << 10) + static_cast<std::uint32_t>(second - 0xdc00);
        from += 6;
    }
    to = write_utf8(to, code);
    return true;
}

bool TextParser::unescape(std::string_view raw) {
    auto& out = document_.text;
    const auto offset = out.size();
    out.resize(offset + raw.size());  // an escape is longer than its character
    char* to = out.data() + offset;
    const char* from = raw.data();
    const char* const end = from + raw.size();
    while (from != end) {
        for (; end - from >= 8; from += 8, to += 8) {
            const Eight found = equal_bytes(load_eight(from), '\\');
            std::memcpy(to, from, 8);
            if (found == 0) continue;
            from += std::countr_zero(found) / 8;
            to += std::countr_zero(found) / 8;
            break;
        }
        while (from != end && *from != '\\') *to++ = *from++;
        if (from != end && !unescape_one(from, end, to)) return false;
    }
    out.resize(static_cast<std::size_t>(to - out.data()));
    document_.add({.kind = JsonKind::text, .range = document_.in_text(offset)});
    return true;
}

}  // namespace

bool parse_json(JsonDocument& document) { return TextParser{document}.parse(); }

}  // namespace freshet::detail
