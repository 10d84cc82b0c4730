// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <freshet/transport.hpp>

namespace freshet::detail::nats {

/// How far cnats has told of what the server refused. A connection remembers its last error for ever, and cnats tells
/// of errors in a thread of its own, one connection's in their order: when the last that is remembered was told, so
/// were those before it. Not thread-safe.
class Refusals {
public:
    /// cnats has told of it.
    void told(Lane lane, std::string text) { at(told_, lane) = std::move(text); }
    /// Whether everything up to `last`, which the connection remembers, was told, or need not be waited for any more.
    bool all_told(Lane lane, const std::string& last) const {
        return at(told_, lane) == last || at(given_up_, lane) == last;
    }
    /// It was not told in time: nobody waits for the same text again.
    void give_up(Lane lane, std::string last) { at(given_up_, lane) = std::move(last); }

private:
    using Texts = std::array<std::string, 2>;

    static std::string& at(Texts& texts, Lane lane) { return texts[static_cast<std::size_t>(lane)]; }
    static const std::string& at(const Texts& texts, Lane lane) { return texts[static_cast<std::size_t>(lane)]; }

    Texts told_ = {};
    Texts given_up_ = {};
};

}  // namespace freshet::detail::nats
