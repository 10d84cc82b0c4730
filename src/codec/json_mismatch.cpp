// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/json/mismatch.hpp>

#include <algorithm>

#include <string>
#include <vector>

#include <fmt/format.h>

#include <freshet/detail/json/reader.hpp>

#include "base/escaped.hpp"
#include "base/utf8.hpp"

namespace freshet::detail {
namespace {

/// An open array or object around the place in question.
struct Level {
    bool is_array = false;
    std::size_t index = 0;      // index of the current element
    std::string_view key = {};  // key of the current member, as written
    std::size_t value = 0;      // where the current element or member begins, or the blanks before it
};

/// Returns the position behind the string that begins at `begin`.
std::size_t end_of_string(std::string_view json, std::size_t begin) {
    std::size_t i = begin + 1;
    while (i < json.size() && json[i] != '"') i += json[i] == '\\' ? 2 : 1;
    return i + 1;
}

/// Collects the arrays and objects that are open at `offset` of a valid document, outermost first.
std::vector<Level> levels_at(std::string_view json, std::size_t offset) {
    std::vector<Level> levels{{}};  // the document itself
    std::string_view string;
    for (std::size_t i = 0; i < std::min(offset, json.size()); ++i) {
        switch (json[i]) {
            case '[':
            case '{': levels.push_back({.is_array = json[i] == '[', .value = i + 1}); break;
            case ']':
            case '}': levels.pop_back(); break;
            case ',':
                if (levels.back().is_array) ++levels.back().index, levels.back().value = i + 1;
                break;
            case ':': levels.back().key = string, levels.back().value = i + 1; break;
            case '"': {
                const std::size_t end = end_of_string(json, i);
                string = json.substr(i + 1, end - i - 2);
                i = end - 1;
                break;
            }
            default: break;
        }
    }
    return levels;
}

std::string_view kind_of(char first) noexcept {
    switch (first) {
        case '"': return "string";
        case '{': return "object";
        case '[': return "array";
        case 't':
        case 'f': return "boolean";
        case 'n': return "null";
        default: return "number";
    }
}

std::string describe(std::string_view value, const JsonMismatch& mismatch) {
    if (!mismatch.missing.empty()) return "missing";
    if (mismatch.expected.empty()) return std::string{mismatch.reason};
    value.remove_prefix(std::min(value.find_first_not_of(" \t\r\n"), value.size()));
    const auto kind = kind_of(value.empty() ? ' ' : value.front());
    if (kind != mismatch.expected) return fmt::format("expected {}, got {}", mismatch.expected, kind);
    const auto end = value.find_first_of(",]} \t\r\n");
    return fmt::format("{} does not fit into its type", escaped(value.substr(0, end), 40).text);
}

}  // namespace

Error json_mismatch(Bytes json, const JsonMismatch& mismatch) {
    const auto accept = [](JsonReader&, const JsonNode&, void*) { return true; };
    if (auto valid = read_body(json, Format::json, accept, nullptr); !valid) return valid.error();
    auto levels = levels_at(as_text(json), mismatch.offset);
    JsonFailure failure;
    failure.fail(describe(as_text(json).substr(levels.back().value), mismatch));
    if (!mismatch.missing.empty()) {
        failure.at_field(mismatch.missing);
        levels.pop_back();
    }
    for (; levels.size() > 1; levels.pop_back()) {
        const Level& level = levels.back();
        if (level.is_array) failure.at_index(level.index);
        else if (!level.key.empty()) failure.at_field(level.key);
    }
    return {Errc::bad_payload, failure.message()};
}

void require_utf8(std::string_view text) {
    if (!valid_utf8(text))
        throw Error{Errc::bad_payload, "a string that is not UTF-8; send such bytes as std::vector<std::byte>"};
}

}  // namespace freshet::detail
