// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "describe/asyncapi.hpp"

namespace freshet::detail {
namespace {

bool is_plain_key(std::string_view key) {
    constexpr std::array<std::string_view, 9> words{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    std::string low{key};
    std::ranges::transform(low, low.begin(), lower);
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '$'; };
    return !low.empty() && is_letter(low.front()) && std::ranges::find(words, low) == words.end() &&
           std::ranges::all_of(low, [&](char c) { return is_letter(c) || c == '-' || (c >= '0' && c <= '9'); });
}

std::string quoted_json(const std::string& text) { return Json(text).dump(-1, ' ', true); }

std::string scalar(const Json& value) {
    if (value.is_string()) return quoted_json(value.get_ref<const std::string&>());
    auto text = value.dump();
    // A reader of YAML 1.1 takes 1e+22 for a string.
    const auto exponent = value.is_number_float() ? text.find('e') : std::string::npos;
    if (exponent != std::string::npos && text.find('.') == std::string::npos) text.insert(exponent, ".0");
    return text;
}

bool is_block(const Json& value) { return (value.is_object() || value.is_array()) && !value.empty(); }

void write(std::string& out, const Json& value, std::size_t indent);

/// Writes what stands behind a key or a dash.
void write_value(std::string& out, const Json& value, std::size_t indent) {
    if (!is_block(value)) {
        out += ' ' + (value.is_object() ? "{}" : value.is_array() ? "[]" : scalar(value)) + '\n';
        return;
    }
    out += '\n';
    write(out, value, indent);
}

void write(std::string& out, const Json& value, std::size_t indent) {
    if (value.is_array()) {
        for (const auto& element : value) {
            out.append(indent, ' ') += '-';
            write_value(out, element, indent + 2);
        }
        return;
    }
    for (const auto& [key, element] : value.items()) {
        out.append(indent, ' ') += (is_plain_key(key) ? key : quoted_json(key)) + ':';
        write_value(out, element, indent + 2);
    }
}

}  // namespace

std::string yaml_of(const Json& document) {
    std::string out;
    if (is_block(document)) write(out, document, 0);
    else out = scalar(document) + '\n';
    return out;
}

}  // namespace freshet::detail
