// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/message.hpp>

namespace freshet::detail {

/// A message that was delivered and is not settled yet.
struct Held {
    std::string_view ack_subject = {};  ///< a view into the message, which lives as long as it is held
    std::size_t bytes = 0;
    TimePoint since = {};
    TimePoint told = {};            ///< when the server last heard of it
    TimePoint alive = {};           ///< since when the handler may be at work without a sign of it
    bool settled = false;           ///< acknowledged already, by ack_sync
    bool given_up = false;          ///< in hand for so long that the server may deliver it again
    bool returned = false;          ///< its handler has returned, and what that published is not confirmed yet
    std::uint64_t incarnation = 0;  ///< of the consumer that delivered it, as Acknowledger counts them
};

/// The messages in hand, by their identity. Reuses its memory; not thread-safe.
class HeldMessages {
public:
    void add(const Message& message, std::uint64_t incarnation, TimePoint now) {
        const Held held{.ack_subject = message.reply_to(),
                        .bytes = message.payload().size(),
                        .since = now,
                        .told = now,
                        .alive = now,
                        .incarnation = incarnation};
        if (spare_.empty()) {
            held_.emplace(message.native(), held);
            return;
        }
        auto node = std::move(spare_.back());
        spare_.pop_back();
        node.key() = message.native();
        node.mapped() = held;
        held_.insert(std::move(node));
    }

    /// Returns the message's entry; null if it is not held.
    Held* find(const Message& message) {
        const auto found = held_.find(message.native());
        return found == held_.end() ? nullptr : &found->second;
    }

    std::optional<Held> remove(const Message& message) {
        auto node = held_.extract(message.native());
        if (node.empty()) return std::nullopt;
        const auto held = node.mapped();
        spare_.push_back(std::move(node));
        return held;
    }

    /// Gives up the messages whose handlers have given no sign of life since `before`, and returns how many there are
    /// now that were not given up before.
    std::size_t give_up(TimePoint before) {
        std::size_t count = 0;
        for (auto& [key, held] : held_) {
            if (held.settled || held.given_up || held.alive > before) continue;
            held.given_up = true;
            ++count;
        }
        return count;
    }

    /// Returns the acknowledgement subjects of the messages of `incarnation` of which the server has not heard since
    /// `before`, and marks them as told at `now`.
    std::vector<std::string_view> untold(std::uint64_t incarnation, TimePoint before, TimePoint now) {
        std::vector<std::string_view> subjects;
        for (auto& [key, held] : held_) {
            if (held.settled || held.given_up || held.told > before || held.incarnation != incarnation) continue;
            held.told = now;
            subjects.push_back(held.ack_subject);
        }
        return subjects;
    }

    std::size_t size() const noexcept { return held_.size(); }

    /// Calls `each` with every held message.
    template <class Each>
    void visit(Each&& each) const {
        for (const auto& [key, held] : held_) each(held);
    }

private:
    using Map = std::unordered_map<const void*, Held>;
    Map held_ = {};
    std::vector<Map::node_type> spare_ = {};
};

}  // namespace freshet::detail
