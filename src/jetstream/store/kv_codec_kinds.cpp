// SPDX-License-Identifier: Apache-2.0
// The codecs of keys and values that freshet brings along, as other clients write them (ADR-54).
#include <freshet/kv/codec.hpp>

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <utility>

#include "base/quoted.hpp"

namespace freshet::kv {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns base64 with `-` and `_`, without padding.
std::string to_base64(std::string_view bytes) {
    std::string text;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char byte : bytes) {
        bits = (bits << 8 | static_cast<unsigned char>(byte)) & 0xffff;
        for (count += 8; count >= 6; count -= 6) text.push_back(digits[bits >> (count - 6) & 0x3f]);
    }
    if (count > 0) text.push_back(digits[bits << (6 - count) & 0x3f]);
    return text;
}

std::string from_base64(std::string_view text, std::string_view what) {
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const auto digit = digits.find(c);
        if (digit == std::string_view::npos || text.size() % 4 == 1) {
            raise({Errc::bad_payload, std::string{what} + ' ' + detail::quoted(text) +
                                          " is not base64: another client has written it without this codec"});
        }
        bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xffff;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>(bits >> count & 0xff));
    }
    return bytes;
}

/// Calls `convert` for each token, and puts the results together with dots.
template <class Convert>
std::string each_token(std::string_view key, Convert&& convert) {
    std::string converted;
    for (bool first = true; const auto token : std::views::split(key, '.')) {
        if (!std::exchange(first, false)) converted += '.';
        converted += convert(std::string_view{token.begin(), token.end()});
    }
    return converted;
}

class Base64Keys final : public KeyCodec {
public:
    std::string encode(std::string_view key) const override { return each_token(key, to_base64); }
    std::string decode(std::string_view stored) const override {
        return each_token(stored, [](std::string_view token) { return from_base64(token, "the key"); });
    }
    std::string encode_filter(std::string_view filter) const override {
        return each_token(filter, [](std::string_view token) {
            return token == "*" || token == ">" ? std::string{token} : to_base64(token);
        });
    }
};

class PathKeys final : public KeyCodec {
public:
    explicit PathKeys(char separator) noexcept : separator_{separator} {}

    std::string encode(std::string_view key) const override {
        const bool rooted = key.starts_with(separator_);
        if (rooted) key.remove_prefix(1);
        if (key.ends_with(separator_)) key.remove_suffix(1);
        auto stored = std::string{rooted ? root : std::string_view{}};
        if (rooted && !key.empty()) stored += '.';
        stored += key;
        std::ranges::replace(stored, separator_, '.');
        return stored;
    }
    std::string decode(std::string_view stored) const override {
        std::string key;
        const bool rooted = stored == root || (stored.starts_with(root) && stored.substr(root.size()).starts_with('.'));
        if (rooted) {
            key = separator_;
            stored.remove_prefix(std::min(root.size() + 1, stored.size()));
        }
        key += stored;
        std::ranges::replace(key, '.', separator_);
        return key;
    }
    std::string encode_filter(std::string_view filter) const override { return encode(filter); }

private:
    static constexpr std::string_view root = "_root_";

    char separator_;
};

class Base64Values final : public ValueCodec {
public:
    std::string encode(Bytes value) const override { return to_base64(as_text(value)); }
    std::string decode(Bytes stored) const override { return from_base64(as_text(stored), "the value"); }
};

class KeyChain final : public KeyCodec {
public:
    explicit KeyChain(std::vector<std::shared_ptr<const KeyCodec>> codecs) : codecs_{std::move(codecs)} {}

    std::string encode(std::string_view key) const override {
        std::string converted{key};
        for (const auto& codec : codecs_) converted = codec->encode(converted);
        return converted;
    }
    std::string decode(std::string_view stored) const override {
        std::string converted{stored};
        for (const auto& codec : codecs_ | std::views::reverse) converted = codec->decode(converted);
        return converted;
    }
    std::string encode_filter(std::string_view filter) const override {
        std::string converted{filter};
        for (const auto& codec : codecs_) converted = codec->encode_filter(converted);
        return converted;
    }

private:
    const std::vector<std::shared_ptr<const KeyCodec>> codecs_;
};

class ValueChain final : public ValueCodec {
public:
    explicit ValueChain(std::vector<std::shared_ptr<const ValueCodec>> codecs) : codecs_{std::move(codecs)} {}

    std::string encode(Bytes value) const override {
        std::string converted{as_text(value)};
        for (const auto& codec : codecs_) converted = codec->encode(as_bytes(converted));
        return converted;
    }
    std::string decode(Bytes stored) const override {
        std::string converted{as_text(stored)};
        for (const auto& codec : codecs_ | std::views::reverse) converted = codec->decode(as_bytes(converted));
        return converted;
    }

private:
    const std::vector<std::shared_ptr<const ValueCodec>> codecs_;
};

}  // namespace

std::string KeyCodec::encode_filter(std::string_view filter) const {
    raise({Errc::bad_setup, "key filter " + detail::quoted(filter) +
                                ": the bucket's key codec has no encode_filter, so "
                                "read all keys"});
}

std::shared_ptr<const KeyCodec> base64_keys() { return std::make_shared<Base64Keys>(); }
std::shared_ptr<const KeyCodec> path_keys(char separator) { return std::make_shared<PathKeys>(separator); }
std::shared_ptr<const ValueCodec> base64_values() { return std::make_shared<Base64Values>(); }
std::shared_ptr<const KeyCodec> chain(std::vector<std::shared_ptr<const KeyCodec>> codecs) {
    return std::make_shared<KeyChain>(std::move(codecs));
}
std::shared_ptr<const ValueCodec> chain(std::vector<std::shared_ptr<const ValueCodec>> codecs) {
    return std::make_shared<ValueChain>(std::move(codecs));
}

}  // namespace freshet::kv
