// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <freshet/message.hpp>

namespace freshet {

// Predicates for SubscriberBuilder::when, which chooses the handler of a subscription that gets a message.

/// Returns a predicate: true for messages that have this header, whatever its value.
inline auto has_header(std::string name) {
    return [name = std::move(name)](const Message& message) { return message.header(name).has_value(); };
}

/// Returns a predicate: true for messages whose header has this value. Of several values, the first counts.
inline auto header_is(std::string name, std::string value) {
    return [name = std::move(name), value = std::move(value)](const Message& message) {
        return message.header(name) == value;
    };
}

/// Returns a predicate: true for messages of this content type, whatever its parameters (`; charset=...`). A message
/// without the header has the type "".
inline auto content_type_is(std::string type) {
    return [type = std::move(type)](const Message& message) {
        const auto full = message.header("content-type").value_or("");
        const auto bare = full.substr(0, full.find(';'));
        return bare.substr(0, bare.find_last_not_of(' ') + 1) == type;
    };
}

}  // namespace freshet
