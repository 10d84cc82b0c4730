// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/events.hpp>
#include <freshet/transport.hpp>

#include "wait.hpp"

namespace freshet::testing {

/// A message sink that keeps what came, then calls `on_each` if it is set.
class Inbox : public MessageSink {
public:
    struct Entry {
        std::string subject;
        std::string text;
        std::string reply_to;
        int status = 0;
    };
    using OnEach = std::function<void(Message)>;

    explicit Inbox(OnEach on_each = {}) : on_each_{std::move(on_each)} {}

    void on_message(Message message) noexcept override {
        if (ends_ > 0) after_end_ = true;
        {
            const std::lock_guard lock{mutex_};
            entries_.push_back({std::string{message.subject()}, std::string{message.text()},
                                std::string{message.reply_to()}, message.status()});
        }
        if (on_each_) on_each_(std::move(message));
    }
    void on_end() noexcept override { ++ends_; }

    std::vector<Entry> entries() const {
        const std::lock_guard lock{mutex_};
        return entries_;
    }
    std::size_t size() const {
        const std::lock_guard lock{mutex_};
        return entries_.size();
    }
    std::vector<std::string> texts() const {
        std::vector<std::string> all;
        for (const auto& entry : entries()) all.push_back(entry.text);
        return all;
    }
    int ends() const { return ends_; }
    /// A message came after on_end: never.
    bool heard_after_end() const { return after_end_; }

    bool wait_for(std::size_t count) const {
        return eventually([&] { return size() >= count; });
    }
    bool wait_for_end() const {
        return eventually([&] { return ends() > 0; });
    }

private:
    OnEach on_each_;
    mutable std::mutex mutex_ = {};
    std::vector<Entry> entries_ = {};
    std::atomic<int> ends_ = 0;
    std::atomic<bool> after_end_ = false;
};

/// An event sink that keeps what happened. Copies share what they keep.
class EventLog {
public:
    using Kind = ConnectionEvent::Kind;

    EventSink sink() const {
        return [state = state_](const ConnectionEvent& event) {
            const std::lock_guard lock{state->mutex};
            state->events.push_back(event);
        };
    }

    std::vector<ConnectionEvent> all() const {
        const std::lock_guard lock{state_->mutex};
        return state_->events;
    }
    std::vector<Kind> kinds() const {
        std::vector<Kind> kinds;
        for (const auto& event : all()) kinds.push_back(event.kind);
        return kinds;
    }
    std::size_t count(Kind kind) const {
        const auto kinds = this->kinds();
        return static_cast<std::size_t>(std::ranges::count(kinds, kind));
    }
    /// The last event of the kind; one with an empty detail if there is none.
    ConnectionEvent last(Kind kind) const {
        ConnectionEvent found;
        for (const auto& event : all()) {
            if (event.kind == kind) found = event;
        }
        return found;
    }
    bool wait_for(Kind kind, std::size_t times = 1) const {
        return eventually([&] { return count(kind) >= times; });
    }

private:
    struct State {
        std::mutex mutex = {};
        std::vector<ConnectionEvent> events = {};
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace freshet::testing
