// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace freshet::detail {

/// The members of a JSON object that are text, numbers or flags. What freshet itself reads of small files and lines is
/// read with it, so that a program has one parser of nlohmann's, not one for each place.
class FlatJson {
public:
    /// A value of no further interest: an array or object, or a number that is not a natural one.
    struct Other {
        bool is_empty = false;  ///< an array or object without content
    };
    using Value = std::variant<std::nullptr_t, bool, std::uint64_t, std::string, Other>;

    /// Reads a text, which ends with the object; the last of several members of one name counts.
    static FlatJson read(std::string_view text);

    /// Returns at which byte, from 1, the text is not JSON; nothing if it is.
    std::optional<std::size_t> bad_byte() const noexcept { return bad_byte_; }
    /// Returns false if the text is not JSON, or its value not an object.
    bool is_object() const noexcept { return is_object_; }
    /// Returns a member's value; null if there is no such member.
    const Value* find(std::string_view name) const;
    /// Returns a member's value if it is a T; null for any other, and if there is none.
    template <class T>
    const T* find_as(std::string_view name) const {
        const auto* const value = find(name);
        return value != nullptr ? std::get_if<T>(value) : nullptr;
    }

private:
    std::map<std::string, Value, std::less<>> members_ = {};
    std::optional<std::size_t> bad_byte_ = {};
    bool is_object_ = false;
};

}  // namespace freshet::detail
