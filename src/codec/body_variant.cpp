// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/body_variant.hpp>

#include <algorithm>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "base/quoted.hpp"

namespace freshet::detail {
namespace {

std::optional<std::size_t> find(std::string_view name, std::span<const EnumName> names) noexcept {
    const auto found = std::ranges::find(names, name, &EnumName::name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found->value);
}

/// Returns `"created" or "deleted"`.
std::string list_of(std::span<const EnumName> names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        fmt::format_to(std::back_inserter(text), "{}{}",
                       i == 0                  ? ""
                       : i + 1 == names.size() ? " or "
                                               : ", ",
                       quoted(names[i].name));
    return text;
}

}  // namespace

Expected<void> decode_in_turn(Body in, std::string_view content_type, void* variant,
                              std::span<const BodyAlternative> alternatives) {
    std::string reasons;
    for (const auto& alternative : alternatives) {
        const auto decoded = alternative.decode(in, content_type, variant);
        if (decoded) return decoded;
        fmt::format_to(std::back_inserter(reasons), "{}{} ({})", reasons.empty() ? "" : ", ", alternative.type,
                       decoded.error().message());
    }
    return failure(Errc::bad_payload, "the body is none of " + reasons);
}

Expected<std::size_t> alternative_of(HeaderKey key, std::string_view subject, std::optional<std::string_view> name,
                                     std::span<const EnumName> names) {
    if (!name) {
        return failure(Errc::missing_header,
                       fmt::format("a message on {} has no header {}, which names the type of its body; send {}",
                                   quoted(subject), quoted(key.name), list_of(names)));
    }
    if (const auto index = find(*name, names)) return *index;
    return failure(Errc::bad_header,
                   fmt::format("the header {} of a message on {} names the type of its body {}, which "
                               "is not known here; send {}",
                               quoted(key.name), quoted(subject), quoted(*name), list_of(names)));
}

Expected<std::size_t> alternative_of(PathKey key, std::string_view subject, std::optional<std::string_view> name,
                                     std::span<const EnumName> names) {
    if (const auto index = find(name.value_or(""), names)) return *index;
    return failure(Errc::bad_path,
                   fmt::format("the token {} for {{{}}} in subject {} names no type of the body; send {}",
                               quoted(name.value_or("")), key.name, quoted(subject), list_of(names)));
}

}  // namespace freshet::detail
