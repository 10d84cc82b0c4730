// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/error.hpp>
#include <freshet/message.hpp>

namespace freshet::kv {

/// Turns keys into keys that a bucket can store, and back (ADR-54). All functions are called on many threads, and
/// throw Error for a text that they cannot turn.
class KeyCodec {
public:
    KeyCodec() = default;
    KeyCodec(const KeyCodec&) = delete;
    KeyCodec& operator=(const KeyCodec&) = delete;
    virtual ~KeyCodec() = default;

    /// Returns the key as the bucket stores it: letters, digits and `-/_=`, in tokens with dots between them.
    virtual std::string encode(std::string_view key) const = 0;
    /// Returns the key of a stored one: the inverse of encode.
    virtual std::string decode(std::string_view stored) const = 0;
    /// Returns a filter over stored keys for one over keys, with `*` and `>` in their places. Throws Errc::bad_setup
    /// if the codec cannot, as this one does.
    virtual std::string encode_filter(std::string_view filter) const;
};

/// Turns values into what a bucket stores, and back: encryption, for example. Called on many threads; throws Error for
/// bytes that it cannot turn.
class ValueCodec {
public:
    ValueCodec() = default;
    ValueCodec(const ValueCodec&) = delete;
    ValueCodec& operator=(const ValueCodec&) = delete;
    virtual ~ValueCodec() = default;

    virtual std::string encode(Bytes value) const = 0;
    virtual std::string decode(Bytes stored) const = 0;
};

/// Returns a codec that writes each token of a key in base64, so that keys may have any characters. Filters keep `*`
/// and
/// `>`.
std::shared_ptr<const KeyCodec> base64_keys();
/// Returns a codec for keys that are paths, such as `/user/7`: `_root_.user.7` in the bucket. A separator at the end
/// is dropped.
std::shared_ptr<const KeyCodec> path_keys(char separator = '/');
/// Returns a codec that writes values in base64.
std::shared_ptr<const ValueCodec> base64_values();
/// Return codecs that apply the given ones one after the other, and undo them in reverse order.
std::shared_ptr<const KeyCodec> chain(std::vector<std::shared_ptr<const KeyCodec>> codecs);
std::shared_ptr<const ValueCodec> chain(std::vector<std::shared_ptr<const ValueCodec>> codecs);

}  // namespace freshet::kv
