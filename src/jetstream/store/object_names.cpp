// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/object_names.hpp"

#include <cstdint>
#include <optional>

#include <freshet/buffer.hpp>

#include "base/utf8.hpp"
#include "jetstream/store/digest.hpp"

namespace freshet::detail {
namespace {

int value_of(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

std::optional<std::string> from_base64url(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = value_of(c);
        if (value < 0) return std::nullopt;
        bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xffff;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>(bits >> count & 0xff));
    }
    return bytes;
}

}  // namespace

Expected<void> check_object_info(std::string_view what, const obj::Info& info) {
    const auto refuse = [&](std::string_view why) {
        return failure(Errc::bad_setup, std::string{what} + ": " + std::string{why});
    };
    if (info.name.empty()) return refuse("an object's name is not empty");
    if (!valid_utf8(info.name)) return refuse("its name is not UTF-8; encode it, in base64 for example");
    if (!valid_utf8(info.description)) return refuse("its description is not UTF-8");
    for (const auto& [name, value] : info.headers)
        if (!valid_utf8(name) || !valid_utf8(value)) return refuse("a header of it is not UTF-8");
    for (const auto& [key, value] : info.metadata)
        if (!valid_utf8(key) || !valid_utf8(value)) return refuse("its metadata is not UTF-8");
    if (info.link && !valid_utf8(info.link->name)) return refuse("the name of its target is not UTF-8");
    return {};
}

std::string object_name(std::string_view subject, std::string_view told) {
    const auto token = subject.substr(subject.rfind('.') + 1);
    if (base64url(as_bytes(told)) == token) return std::string{told};
    auto name = from_base64url(token);
    if (!name || base64url(as_bytes(*name)) != token) return std::string{told};
    return *std::move(name);
}

}  // namespace freshet::detail
