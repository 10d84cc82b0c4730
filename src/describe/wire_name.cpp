// SPDX-License-Identifier: Apache-2.0
#include "describe/wire_name.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace freshet::detail {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

/// Returns where the scope that ends at `end`, before a "::", begins.
std::size_t scope_begin(std::string_view text, std::size_t end) {
    int depth = 0;
    std::size_t at = end;
    for (; at > 0; --at) {
        const char c = text[at - 1];
        if (c == ')' || c == '>' || c == '}') ++depth;
        else if (depth > 0 && (c == '(' || c == '<' || c == '{')) --depth;
        else if (depth == 0 && !is_letter(c) && c != ':') break;
    }
    return at;
}

/// Removes the functions around a local type: `app::make(int)::Order` becomes "Order".
void remove_functions(std::string& text) {
    for (auto at = text.find(")::"); at != std::string::npos; at = text.find(")::")) {
        const auto begin = scope_begin(text, at + 1);
        text.erase(begin, at + 3 - begin);
    }
}

}  // namespace

std::string wire_name(std::string_view type) {
    std::string text{type};
    for (const auto anonymous : {"(anonymous namespace)::", "{anonymous}::", "<unnamed>::"})
        replace_all(text, anonymous, "");
    for (const auto inner : {"std::__cxx11::", "std::__1::"}) replace_all(text, inner, "std::");
    replace_all(text, "std::basic_string<char>", "std::string");
    remove_functions(text);
    std::string name;
    bool gap = false;
    for (const char c : text) {
        if (is_letter(c)) {
            if (gap && !name.empty()) name += '.';
            name += c;
            gap = false;
        } else {
            gap = true;
        }
    }
    return name;
}

std::string channel_name(std::string_view address) {
    std::string name;
    for (const char c : address) {
        if (c == '{' || c == '}') continue;
        name += is_letter(c) || c == '.' || c == '-' ? c : '_';
    }
    return name;
}

std::string id_of(std::string_view name) {
    std::string id{name};
    std::ranges::replace_if(id, [](char c) { return !is_letter(c); }, '_');
    return id;
}

}  // namespace freshet::detail
