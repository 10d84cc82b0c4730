// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace freshet::detail {

/// Renames subjects that match a pattern: `orders.*` to `old.{{wildcard(1)}}` or `old.$1`, `a.>` to `b.>`.
class SubjectTransform {
public:
    /// Makes a transform of `{"src": ..., "dest": ...}`; without src it applies to every subject. Refuses by name what
    /// is not simulated.
    static std::expected<SubjectTransform, std::string> make(const nlohmann::json& transform);

    /// Returns the new subject; nothing if the subject does not match.
    std::optional<std::string> apply(std::string_view subject) const;

private:
    struct Token {
        std::string text = {};
        std::size_t wildcard = 0;  // number of the wildcard; 0: the text itself
    };

    static std::expected<Token, std::string> read(std::string_view token);

    std::string source_ = {};
    std::vector<Token> destination_ = {};
};

}  // namespace freshet::detail
