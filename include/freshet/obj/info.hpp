// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <freshet/context.hpp>
#include <freshet/describer.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/extract.hpp>
#include <freshet/headers.hpp>
#include <freshet/message.hpp>

namespace freshet::obj {

/// A time by the clock of the server that stored an object's description.
using Time = std::chrono::system_clock::time_point;

/// The target of a link.
struct Link {
    std::string bucket = {};
    std::string name = {};  ///< name of the object; empty: the whole bucket

    friend bool operator==(const Link&, const Link&) = default;
};

/// The part of a description that you choose: Store::update changes it.
struct Meta {
    std::string name = {};  ///< any text in UTF-8 except an empty one
    std::string description = {};
    Headers headers = {};                              ///< headers of yours; not those of the carrying messages
    std::map<std::string, std::string> metadata = {};  ///< anything of yours
};

/// Describes an object or a link, without its bytes (ADR-20).
struct Info {
    std::string bucket = {};
    std::string name = {};
    std::string description = {};
    Headers headers = {};
    std::map<std::string, std::string> metadata = {};
    std::optional<Link> link = {};  ///< set for a link: its target
    std::string id = {};            ///< id of these bytes; each put makes a new one
    std::uint64_t size = 0;         ///< size in bytes
    std::uint64_t chunks = 0;       ///< number of messages that hold the bytes
    std::size_t chunk_size = 0;     ///< bytes of each chunk but the last; 0: unknown
    std::string digest = {};        ///< `SHA-256=` and base64url; empty for a link
    bool deleted = false;
    Time modified = {};
    bool initial = false;  ///< in a watch: it existed before; it is not a change
};

/// The objects of a bucket.
struct Infos : std::vector<Info> {
    std::vector<Error> errors = {};  ///< one for each description that could not be read; the others are there
};

}  // namespace freshet::obj

namespace freshet::detail {

struct InfoPlan {};
/// Reports a subscriber that no obj::Watch feeds.
InfoPlan bind_info(Binder& binder);

/// Tells what describes an object in its stream (ADR-20).
void describe_object_info(Describer& describer);

/// Returns the description that a watch has turned into `message`.
Expected<obj::Info> read_watched_object(const Message& message);

}  // namespace freshet::detail

/// Fills the parameter of a handler of an `obj::Watch`: `[](const obj::Info& info) { ... }`.
template <>
struct freshet::Extractor<freshet::obj::Info> {
    using Plan = detail::InfoPlan;

    static Plan bind(Binder& binder) { return detail::bind_info(binder); }

    static void describe(Describer& describer) { detail::describe_object_info(describer); }

    static Expected<obj::Info> extract(Plan, Context& context) {
        return detail::read_watched_object(context.message());
    }
};
