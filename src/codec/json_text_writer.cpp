// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>

#include <fmt/format.h>

#include "codec/json_writers.hpp"

namespace freshet::detail {
namespace {

/// Returns how to write a byte within quotes; 0: as it is, u: as \u00XX, else as a backslash and this character.
char escape_of(char c) noexcept {
    switch (c) {
        case '"': return '"';
        case '\\': return '\\';
        case '\b': return 'b';
        case '\f': return 'f';
        case '\n': return 'n';
        case '\r': return 'r';
        case '\t': return 't';
        default: return static_cast<unsigned char>(c) < 0x20 ? 'u' : '\0';
    }
}

}  // namespace

void TextWriter::separate() {
    if (comma_) out_.push_back(',');
    comma_ = true;
}

void TextWriter::null() { separate(), out_.append("null"); }
void TextWriter::boolean(bool value) { separate(), out_.append(value ? "true" : "false"); }

template <class Number>
void TextWriter::number(Number value) {
    separate();
    char text[32];
    out_.append(text, std::to_chars(std::begin(text), std::end(text), value).ptr);
}
void TextWriter::integer(std::int64_t value) { number(value); }
void TextWriter::natural(std::uint64_t value) { number(value); }
bool TextWriter::real(double value) {
    if (!std::isfinite(value)) return fail(fmt::format("{} is not a finite number, which JSON cannot carry", value));
    number(value);
    return true;
}
bool TextWriter::real(float value) {
    if (!std::isfinite(value)) return real(double{value});
    number(value);
    return true;
}

bool TextWriter::text(std::string_view value) {
    separate();
    return quote(value);
}
bool TextWriter::binary(Bytes) { return fail("bytes, which JSON cannot carry"); }

bool TextWriter::quote(std::string_view text) {
    if (!check_text(*this, text)) return false;
    out_.push_back('"');
    std::size_t written = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char escape = escape_of(text[i]);
        if (escape == '\0') continue;
        out_.append(text, written, i - written).push_back('\\');
        if (escape == 'u') fmt::format_to(std::back_inserter(out_), "u{:04x}", static_cast<unsigned char>(text[i]));
        else out_.push_back(escape);
        written = i + 1;
    }
    out_.append(text, written).push_back('"');
    return true;
}

bool TextWriter::key(std::string_view name) {
    separate();
    if (!quote(name)) return false;
    out_.push_back(':');
    comma_ = false;
    return true;
}

void TextWriter::open_array(std::size_t) { separate(), out_.push_back('['), comma_ = false; }
void TextWriter::close_array() { out_.push_back(']'), comma_ = true; }
void TextWriter::open_object(std::size_t) { separate(), out_.push_back('{'), comma_ = false; }
void TextWriter::close_object() { out_.push_back('}'), comma_ = true; }

}  // namespace freshet::detail
