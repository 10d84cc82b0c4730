// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <freshet/transport.hpp>

namespace freshet::detail::nats {

/// Knows which of the server's refusals cnats has reported. cnats reports the errors of a connection in their order, in
/// a thread of its own, and the connection remembers the last one for ever: when cnats has reported that one, it has
/// reported all before it. Not thread-safe.
class Refusals {
public:
    /// Notes that cnats has reported the refusal `text`.
    void told(Lane lane, std::string text) { at(told_, lane) = std::move(text); }
    /// Returns true if cnats has reported all refusals up to `last`, the one that the connection remembers, or if
    /// give_up() was called for it.
    bool all_told(Lane lane, const std::string& last) const {
        return at(told_, lane) == last || at(given_up_, lane) == last;
    }
    /// Notes that cnats did not report `last` in time, so that no later call waits for it again.
    void give_up(Lane lane, std::string last) { at(given_up_, lane) = std::move(last); }

private:
    using Texts = std::array<std::string, 2>;

    static std::string& at(Texts& texts, Lane lane) { return texts[static_cast<std::size_t>(lane)]; }
    static const std::string& at(const Texts& texts, Lane lane) { return texts[static_cast<std::size_t>(lane)]; }

    Texts told_ = {};
    Texts given_up_ = {};
};

}  // namespace freshet::detail::nats
