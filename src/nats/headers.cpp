// SPDX-License-Identifier: Apache-2.0
#include <freshet/headers.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "base/quoted.hpp"

namespace freshet {

Headers::Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    fields_.reserve(fields.size());
    for (const auto& [name, value] : fields) add(name, value);
}

Headers& Headers::set(std::string_view name, std::string_view value) {
    value_or_raise(check(name, value));
    Field field{name, value};  // copied before the erasure: name and value may be views into this object
    erase(field.first);
    fields_.push_back(std::move(field));
    return *this;
}

Headers& Headers::add(std::string_view name, std::string_view value) {
    value_or_raise(check(name, value));
    fields_.emplace_back(name, value);
    return *this;
}

bool Headers::erase(std::string_view name) noexcept {
    return std::erase_if(fields_, [&](const Field& field) { return field.first == name; }) > 0;
}

std::optional<std::string_view> Headers::get(std::string_view name) const noexcept {
    const auto field = std::ranges::find(fields_, name, &Field::first);
    if (field == fields_.end()) return std::nullopt;
    return field->second;
}

std::vector<std::string_view> Headers::values(std::string_view name) const {
    std::vector<std::string_view> found;
    for (const auto& [field_name, value] : fields_) {
        if (field_name == name) found.push_back(value);
    }
    return found;
}

Expected<void> Headers::check(std::string_view name, std::string_view value) {
    const auto allowed = [](char c) { return c > ' ' && c < '\x7f' && c != ':'; };
    if (name.empty()) return failure(Errc::bad_header, "a header has no name");
    if (!std::ranges::all_of(name, allowed)) {
        return failure(Errc::bad_header,
                       fmt::format("header {}: a name has only printable ASCII characters, no space and no colon",
                                   detail::quoted(name)));
    }
    // One search for each character is faster than one for all: ids and traces are long.
    if (std::ranges::any_of(std::string_view{"\r\n\0", 3}, [&](char c) { return value.contains(c); })) {
        return failure(
            Errc::bad_header,
            fmt::format("header {}: the value {} has a line break or a NUL character, which NATS cannot carry",
                        detail::quoted(name), detail::quoted(value)));
    }
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    if (!value.empty() && (blank(value.front()) || blank(value.back()))) {
        return failure(Errc::bad_header,
                       fmt::format("header {}: the value {} begins or ends with a blank, which clients drop when they "
                                   "read it; trim it, or encode it",
                                   detail::quoted(name), detail::quoted(value)));
    }
    return {};
}

}  // namespace freshet
