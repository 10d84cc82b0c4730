// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <freshet/context.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/extract.hpp>
#include <freshet/headers.hpp>
#include <freshet/message.hpp>

namespace freshet::obj {

/// The time of the server that took an object's description.
using Time = std::chrono::system_clock::time_point;

/// What a link points to.
struct Link {
    std::string bucket = {};
    std::string name = {};  ///< empty: the whole bucket

    friend bool operator==(const Link&, const Link&) = default;
};

/// What a user says of an object.
struct Meta {
    std::string name = {};  ///< any text but an empty one
    std::string description = {};
    Headers headers = {};                              ///< of yours; not those of the messages it travels in
    std::map<std::string, std::string> metadata = {};  ///< anything of yours
};

/// An object without its bytes, as the bucket describes it (ADR-20).
struct Info {
    std::string bucket = {};
    std::string name = {};
    std::string description = {};
    Headers headers = {};
    std::map<std::string, std::string> metadata = {};
    std::optional<Link> link = {};  ///< set: it is no object but a link to one
    std::string id = {};            ///< of these bytes; a new one with each put
    std::uint64_t size = 0;         ///< bytes
    std::uint64_t chunks = 0;       ///< the messages they are stored in
    std::size_t chunk_size = 0;     ///< bytes of each but the last; 0: not said
    std::string digest = {};        ///< `SHA-256=` and base64url; empty for a link
    bool deleted = false;
    Time modified = {};
    bool initial = false;  ///< of a watch: it was there before, it is no change
};

}  // namespace freshet::obj

namespace freshet::detail {

/// The description that a watch feeds as this message.
Expected<obj::Info> read_watched_object(const Message& message);

}  // namespace freshet::detail

/// What a handler of an `obj::Watch` takes: `[](const obj::Info& info) { ... }`.
template <>
struct freshet::Extractor<freshet::obj::Info> {
    static Expected<obj::Info> extract(Context& context) { return detail::read_watched_object(context.message()); }
};
