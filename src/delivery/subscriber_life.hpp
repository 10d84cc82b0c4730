// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace freshet::detail {

/// The life of a subscriber as a state machine; docs/architecture.md has the table of its transitions. An event that
/// the table does not have changes nothing. Not thread-safe: the owner reports each event under its lock, and acts on
/// the result after it has released the lock.
class SubscriberLife {
public:
    enum class State : std::uint8_t {
        declared,  ///< the source was asked for nothing yet
        starting,  ///< the source is being started; messages may come
        running,   ///< the source delivers
        stopping,  ///< the source was told to end, perhaps while it was being started; messages may come
        ended,     ///< no message comes any more; handlers may run, and messages may wait for them
        finished,  ///< no message waits and no handler runs
    };

    /// The situation that a stop finds, and the duty of its caller.
    enum class Stop : std::uint8_t {
        not_begun,  ///< the stop has ended the subscriber: the caller does what follows the end
        starting,   ///< the caller tells the source to stop, which is being started and takes notice on its own
        under_way,  ///< the caller tells the source to stop
        over,       ///< the source has ended already
    };

    /// Begins the start. Returns false if it must not begin, because a stop came first.
    bool start() noexcept { return pass(State::declared, State::starting); }

    /// Reports that the start of the source has come to its end, with success or not. Returns true if a stop came
    /// meanwhile, after which a failure does not matter.
    bool started() noexcept {
        pass(State::starting, State::running);
        return state_ == State::stopping;
    }

    /// Reports that a stop is wanted.
    Stop stop() noexcept {
        if (pass(State::declared, State::ended)) return Stop::not_begun;
        if (pass(State::starting, State::stopping)) return Stop::starting;
        if (state_ == State::ended || state_ == State::finished) return Stop::over;
        state_ = State::stopping;
        return Stop::under_way;
    }

    /// Reports that the source has ended or could not be started. Returns true once: the caller then does what follows
    /// the end.
    bool source_ended() noexcept {
        return pass(State::starting, State::ended) || pass(State::running, State::ended) ||
               pass(State::stopping, State::ended);
    }

    /// Reports that the last handler has returned and no message waits.
    void emptied() noexcept { pass(State::ended, State::finished); }

    State state() const noexcept { return state_; }
    /// Returns true if the subscriber was told to end or has ended.
    bool is_over() const noexcept {
        return state_ == State::stopping || state_ == State::ended || state_ == State::finished;
    }

private:
    bool pass(State from, State to) noexcept {
        if (state_ != from) return false;
        state_ = to;
        return true;
    }

    State state_ = State::declared;
};

}  // namespace freshet::detail
