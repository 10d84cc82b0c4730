// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/error.hpp>

namespace freshet {

/// Message headers: those to send, or a copy of received ones. An ordered list of names and values, in which a name may
/// occur several times; names are compared case-sensitively, as NATS does (ADR-4). Not thread-safe.
class Headers {
public:
    using Field = std::pair<std::string, std::string>;

    Headers() = default;
    /// Makes the list of `fields`. Throws Error(Errc::bad_header) for a name or value that NATS cannot carry.
    Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

    /// Replaces every value of `name` with `value`. Throws Error(Errc::bad_header).
    Headers& set(std::string_view name, std::string_view value);
    /// Adds one more value for `name`. Throws Error(Errc::bad_header).
    Headers& add(std::string_view name, std::string_view value);
    /// Removes every value of `name`. Returns true if there was one.
    bool erase(std::string_view name) noexcept;
    void clear() noexcept { fields_.clear(); }

    /// Returns the first value of `name`; the view is valid until the list changes.
    std::optional<std::string_view> get(std::string_view name) const noexcept;
    /// Returns every value of `name`, in order; the views are valid until the list changes.
    std::vector<std::string_view> values(std::string_view name) const;
    bool contains(std::string_view name) const noexcept { return get(name).has_value(); }

    bool empty() const noexcept { return fields_.empty(); }
    std::size_t size() const noexcept { return fields_.size(); }
    auto begin() const noexcept { return fields_.begin(); }
    auto end() const noexcept { return fields_.end(); }

    friend bool operator==(const Headers&, const Headers&) = default;

    /// Checks a header: a name is printable ASCII without colon and space; a value has no CR, LF or NUL, and neither
    /// begins nor ends with a space or a tab, since clients drop those when they read it. Returns Errc::bad_header for
    /// anything else.
    static Expected<void> check(std::string_view name, std::string_view value);

private:
    friend class Message;  // copies received fields as they are, also fields that check() refuses

    std::vector<Field> fields_ = {};
};

}  // namespace freshet
