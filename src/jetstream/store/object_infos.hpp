// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/obj/info.hpp>

#include "jetstream/store/store_bucket.hpp"

namespace freshet::detail {

/// An object's description, and the sequence of its message.
struct StoredInfo {
    obj::Info info = {};
    std::uint64_t sequence = 0;
};

/// It is not known whether a description is stored: what it tells of must stay.
class InDoubt final : public Error {
public:
    using Error::Error;
};

/// Attempts to write a description. Writers of one name meet; each attempt means that another one succeeded.
inline constexpr int info_attempts = 64;

/// The descriptions of the objects in a bucket: a message for each name. Functions throw. Thread-safe.
class ObjectInfos {
public:
    /// Refers to the bucket.
    explicit ObjectInfos(StoreBucket& store) noexcept : store_{store} {}

    /// `get object "a" in bucket "files"`, for errors.
    std::string what(std::string_view verb, std::string_view name) const;
    std::string subject_of(std::string_view name) const;

    /// Also that of a deleted object.
    std::optional<StoredInfo> find(std::string_view name, js::Read read);
    /// Throws Errc::not_found for a deleted one, too.
    StoredInfo existing(std::string_view verb, std::string_view name, js::Read read);

    /// Stores the description in place of `before`: false if another is there. Throws InDoubt when it is not known
    /// whether it is stored; after any other error it is not.
    bool store(const obj::Info& info, const std::optional<StoredInfo>& before);
    /// Stores the description whatever is there, and returns what was.
    std::optional<StoredInfo> replace(const obj::Info& info, std::optional<StoredInfo> before);

private:
    /// Sends the description, to be stored if `last` is the sequence of the one before.
    Expected<std::uint64_t> send(const obj::Info& info, std::uint64_t last, std::chrono::milliseconds timeout);
    /// Sends the description after the error `lost`, which leaves it open whether it is stored, until an answer comes:
    /// stored once at most, since each expects what was there before.
    bool store_again(const obj::Info& info, const std::optional<StoredInfo>& before, const Error& lost);
    /// Whether the description is there after the server has refused to store it again; nothing: that cannot be told
    /// yet. Throws `lost` if another has come in its place.
    std::optional<bool> was_stored(const obj::Info& info, const std::optional<StoredInfo>& before, const Error& lost);

    StoreBucket& store_;
};

}  // namespace freshet::detail
