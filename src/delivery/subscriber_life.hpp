// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace freshet::detail {

/// The life of a subscriber as a state machine: declared, starting, running, stopping, ended, finished.
/// docs/architecture.md has the table of its transitions. An event that a state does not know changes nothing. Not
/// thread-safe: each event is one step under the lock of its owner, who does what the event returns after it has let go
/// of the lock.
class SubscriberLife {
public:
    enum class State : std::uint8_t {
        declared,  ///< nothing was asked of the source
        starting,  ///< the source is being started; messages may come
        running,   ///< the source feeds
        stopping,  ///< the source was told to end, or is to be told once it has started; messages may come
        ended,     ///< no message comes any more; handlers may run, and messages may wait for them
        finished,  ///< nothing waits, and no handler runs
    };

    /// What a stop finds.
    enum class Stop : std::uint8_t {
        not_begun,  ///< the subscriber has ended with it: the caller does what follows the end
        under_way,  ///< the caller tells the source
        over,       ///< the source has ended before
    };

    /// The start begins. Returns false when it must not: a stop came first.
    bool start() noexcept { return pass(State::declared, State::starting); }

    /// The source has started. Returns true when a stop came meanwhile, of which the source has to be told again: it
    /// may not have been there to hear it.
    bool started() noexcept {
        pass(State::starting, State::running);
        return state_ == State::stopping;
    }

    /// A stop is wanted.
    Stop stop() noexcept {
        if (pass(State::declared, State::ended)) return Stop::not_begun;
        if (state_ == State::ended || state_ == State::finished) return Stop::over;
        state_ = State::stopping;
        return Stop::under_way;
    }

    /// The source has ended, or could not be started. Returns true once: the caller does what follows the end.
    bool source_ended() noexcept {
        return pass(State::starting, State::ended) || pass(State::running, State::ended) ||
               pass(State::stopping, State::ended);
    }

    /// The last handler has returned, and nothing waits.
    void emptied() noexcept { pass(State::ended, State::finished); }

    State state() const noexcept { return state_; }

private:
    bool pass(State from, State to) noexcept {
        if (state_ != from) return false;
        state_ = to;
        return true;
    }

    State state_ = State::declared;
};

}  // namespace freshet::detail
