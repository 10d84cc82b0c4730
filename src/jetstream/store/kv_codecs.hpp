// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/detail/core.hpp>
#include <freshet/kv/codec.hpp>
#include <freshet/kv/entry.hpp>

namespace freshet::detail {

/// The codecs of a bucket, if it has any. Without one, `memory` stays empty and nothing is copied. Thread-safe.
class KvCodecs {
public:
    KvCodecs() = default;
    KvCodecs(std::shared_ptr<const kv::KeyCodec> keys, std::shared_ptr<const kv::ValueCodec> values) noexcept
        : keys_{std::move(keys)}, values_{std::move(values)} {}

    bool any() const noexcept { return keys_ != nullptr || values_ != nullptr; }

    /// Returns the key as the bucket stores it, as a view of `key` or of `memory`. Errc::bad_subject if no bucket can
    /// store it.
    Expected<std::string_view> stored_key(std::string_view key, std::string& memory) const;
    Expected<std::string_view> stored_filter(std::string_view filter, std::string& memory) const;
    /// Returns the value as the bucket stores it, as a view of `value` or of `memory`.
    Expected<Encoded> stored_value(const Encoded& value, std::string& memory) const;
    /// Turns key and value of a record into those of the program. Sets KvRecord::fault if that fails.
    void read(KvRecord& record) const;
    /// Returns a stored message with key and value of the program; its subject is the key. Throws Error.
    Message read(std::string_view key, const Message& stored, bool has_value) const;

private:
    std::shared_ptr<const kv::KeyCodec> keys_ = {};
    std::shared_ptr<const kv::ValueCodec> values_ = {};
};

}  // namespace freshet::detail
