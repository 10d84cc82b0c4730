// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace freshet::detail {

/// From a subject that matches a pattern to another subject: `orders.*` to `old.{{wildcard(1)}}` or `old.$1`, `a.>` to `b.>`.
class SubjectTransform {
public:
    /// Of `{"src": ..., "dest": ...}`, where no src is every subject. What is not simulated is refused by its name.
    static std::expected<SubjectTransform, std::string> make(const nlohmann::json& transform);

    /// Nothing: the subject does not match.
    std::optional<std::string> apply(std::string_view subject) const;

private:
    struct Token {
        std::string text = {};
        std::size_t wildcard = 0;  // 0: the text itself
    };

    static std::expected<Token, std::string> read(std::string_view token);

    std::string source_ = {};
    std::vector<Token> destination_ = {};
};

}  // namespace freshet::detail
