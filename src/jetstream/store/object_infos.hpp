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

/// Thrown when it is not known whether a description is stored. Its chunks must stay.
class InDoubt final : public Error {
public:
    using Error::Error;
};

/// Most attempts to write a description. Each failed one means that another writer of the name succeeded.
inline constexpr int info_attempts = 64;

/// The descriptions of the objects in a bucket: one message for each name. Functions throw Error. Thread-safe.
class ObjectInfos {
public:
    /// Keeps a reference to `store`.
    explicit ObjectInfos(StoreBucket& store) noexcept : store_{store} {}

    /// Returns a text for errors, such as `get object "a" in bucket "files"`.
    std::string what(std::string_view verb, std::string_view name) const;
    std::string subject_of(std::string_view name) const;

    /// Returns the description of an object, also of a deleted one; nothing if there is none. Blocks.
    std::optional<StoredInfo> find(std::string_view name, js::Read read);
    /// Returns the description of an object. Blocks. Throws Errc::not_found if there is none, or the object is deleted.
    StoredInfo existing(std::string_view verb, std::string_view name, js::Read read);

    /// Stores the description in place of `before`. Returns false if another one is there. Throws InDoubt if it is not
    /// known whether the description is stored; after any other error it is not.
    bool store(const obj::Info& info, const std::optional<StoredInfo>& before);
    /// Stores the description, whatever is there, and returns the one that was there.
    std::optional<StoredInfo> replace(const obj::Info& info, std::optional<StoredInfo> before);

private:
    /// Sends the description, which the server stores if `last` is the sequence of the description before.
    Expected<std::uint64_t> send(const obj::Info& info, std::uint64_t last, std::chrono::milliseconds timeout);
    /// Sends the description again after the error `lost`, which leaves open whether it is stored, until an answer
    /// comes. It is stored once at most, since each attempt expects the description that was there before.
    bool store_again(const obj::Info& info, const std::optional<StoredInfo>& before, const Error& lost);
    /// Returns whether the description is there, after the server has refused to store it again; nothing if that cannot
    /// be told yet. Throws `lost` if another description has come in its place.
    std::optional<bool> was_stored(const obj::Info& info, const std::optional<StoredInfo>& before, const Error& lost);

    StoreBucket& store_;
};

}  // namespace freshet::detail
