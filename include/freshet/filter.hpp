// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <freshet/message.hpp>

namespace freshet {

// Predicates for SubscriberBuilder::when: which of a subscription's handlers gets a message.

/// Messages with this header, whatever its value.
inline auto has_header(std::string name) {
    return [name = std::move(name)](const Message& message) { return message.header(name).has_value(); };
}

/// Messages whose header has this value; the first one, if there are several.
inline auto header_is(std::string name, std::string value) {
    return [name = std::move(name), value = std::move(value)](const Message& message) {
        return message.header(name) == value;
    };
}

/// Messages of this content type, whatever its parameters (`; charset=...`). One without the header has the type "".
inline auto content_type_is(std::string type) {
    return [type = std::move(type)](const Message& message) {
        const auto full = message.header("content-type").value_or("");
        const auto bare = full.substr(0, full.find(';'));
        return bare.substr(0, bare.find_last_not_of(' ') + 1) == type;
    };
}

}  // namespace freshet
